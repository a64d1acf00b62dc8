// Recordings of machines in trouble, for the battery: `machine_frames FILE CAUSE VARIANT` (1, 2 or 3; `*CAUSE`: a near miss, which has all
// the looks of it and is none), `machine_frames --list`. Five minutes of calm, or as many seconds as a fourth argument says; half a minute
// of trouble; half a minute of calm.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "recorder/codec.hh"
#include "recorder/example_frames.hh"

using namespace assay;
using recorder::EventKind;
using recorder::Frame;

namespace {

constexpr std::uint64_t trouble_s = 30, after_s = 30, groups = 20;
constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t second_ns = 1'000'000'000;

// What a second of it is like: how far it is, for what only grows, and what is now.
struct At {
    std::uint64_t t = 0;     // seconds of trouble so far
    bool now = false;        // it is in trouble
    bool first = false;      // its first second
    std::uint64_t v = 1;     // the variant
    bool miss = false;       // nearly
};

recorder::Cgroup& doer(Frame& frame, const At& at) {
    recorder::Cgroup& group = frame.cgroups[2 + at.v];
    if (at.now) group.job = 6 + at.v;
    return group;
}

void lag(Frame& frame, const At& at, std::uint64_t ms) {
    if (at.now) frame.loops[0].lag_ms_max = ms;
}

void stall(Frame& frame, std::uint64_t memory_ms, std::uint64_t io_ms, std::uint64_t cpu_ms) {
    recorder::Pressure& it = frame.pressure;
    it.memory_some_us_total += memory_ms * 1'500, it.memory_full_us_total += memory_ms * 1'000;
    it.io_some_us_total += io_ms * 1'300, it.io_full_us_total += io_ms * 1'000;
    it.cpu_some_us_total += cpu_ms * 1'000;
}

void disk(Frame& frame, std::uint64_t t, std::uint64_t busy_ms, std::uint64_t read_mib, std::uint64_t written_mib) {
    recorder::Disk& it = frame.disks[0];
    it.busy_ms_total += t * busy_ms;
    it.reads_total += t * read_mib * 4, it.read_bytes_total += t * read_mib * mib, it.read_ms_total += t * read_mib * 20;
    it.writes_total += t * written_mib * 4, it.written_bytes_total += t * written_mib * mib, it.write_ms_total += t * written_mib * 20;
}

void blocked(Frame& frame, const At& at, const char* stack) {
    if (!at.now) return;
    frame.set(recorder::Section::tasks);
    for (std::uint64_t i = 0; i < at.v; ++i)
        *frame.tasks.add() = {.pid = 900 + i, .start_ticks = 5, .name = {"worker"}, .state = 'D', .in_d_frames = at.t, .wait_channel = {stack}, .stack = {stack}};
}

void event(Frame& frame, const At& at, EventKind kind, std::uint64_t value, const char* text, std::uint64_t subject = 0) {
    if (!at.first) return;
    *frame.events.add() = {.kind = static_cast<std::uint64_t>(kind), .monotonic_ns = frame.monotonic_ns, .subject = subject, .value = value, .text = {text}};
    frame.set(recorder::Section::events);
}

struct Case {
    const char* name;
    bool named;  // an offender: the job of doer()
    void (*change)(Frame&, const At&);
};

const Case cases[] = {
    {"memory_thrash", true,
     [](Frame& f, const At& at) {
         recorder::Cgroup& group = doer(f, at);
         group.anon_bytes += at.t * (30 + 30 * at.v) * mib;
         group.memory_bytes += at.t * (30 + 30 * at.v) * mib;
         event(f, at, EventKind::job_started, 0, "", 6 + at.v);
         f.reclaim.refaults_file_total += at.t * (700 + 1'500 * at.v);
         stall(f, at.t * (80 + 100 * at.v), at.t * 500, 0);
         // As much is read back, and half of the memory is there: a cache that fills again.
         if (at.now) f.memory.available_bytes = f.memory.total_bytes * (at.miss ? 50 : 8 - 2 * at.v) / 100;
         lag(f, at, at.miss ? 5 : 1'500 * at.v);
     }},
    {"job_at_limit", true,
     [](Frame& f, const At& at) {
         recorder::Cgroup& group = doer(f, at);
         group.anon_bytes += at.t * 8 * mib;  // the near miss grows as much and stays below
         group.limit_hits_total += at.miss ? 0 : at.t * 40 * at.v;
         group.oom_kills_total += !at.miss && at.v == 3 && at.t >= 20 ? 1 : 0;
     }},
    {"cache_refill", false,
     [](Frame& f, const At& at) {
         stall(f, at.t * (at.miss ? 30 : 150 + 100 * at.v), 0, 0);
         if (at.now) f.memory.available_bytes = f.memory.total_bytes * (20 + 10 * at.v) / 100;
     }},
    {"disk_writer", true,
     [](Frame& f, const At& at) {
         disk(f, at.t, at.miss ? 600 : 990, 0, 40 * at.v);
         stall(f, 0, at.t * (at.miss ? 100 : 400 + 150 * at.v), 0);
         doer(f, at).written_bytes_total += at.t * 38 * at.v * mib;
     }},
    {"disk_reader", true,
     [](Frame& f, const At& at) {
         disk(f, at.t, at.miss ? 600 : 990, 40 * at.v, 1);
         stall(f, 0, at.t * (at.miss ? 100 : 400 + 150 * at.v), 0);
         doer(f, at).read_bytes_total += at.t * 38 * at.v * mib;
     }},
    {"nfs_slow", false,
     [](Frame& f, const At& at) {
         blocked(f, at, at.miss ? "folio_wait_bit<filemap_read" : at.v == 1 ? "rpc_wait_bit_killable<__rpc_execute" : "nfs_wait_bit_killable");
         lag(f, at, 400 * at.v);
     }},
    {"fsync_convoy", true,
     [](Frame& f, const At& at) {
         blocked(f, at, "jbd2_log_wait_commit<ext4_sync_file");
         doer(f, at).written_bytes_total += at.t * 5 * at.v * mib;
         f.disks[0].flushes_total += at.t * 10, f.disks[0].flush_ms_total += at.t * (at.miss ? 50 : 300 + 200 * at.v);
         if (at.now) f.server.commit_ms_max = at.miss ? 90 : 400 + 300 * at.v;
     }},
    {"disk_slow", false,
     [](Frame& f, const At& at) {
         f.disks[0].reads_total += at.t * 20;
         f.disks[0].read_ms_total += at.t * 20 * (at.miss ? 3 : 60 * at.v);
         f.disks[0].read_bytes_total += at.t * 80 * 1024;
         f.disks[0].busy_ms_total += at.t * 700;
         stall(f, 0, at.t * (at.miss ? 50 : 300 + 100 * at.v), 0);
     }},
    {"steal", false,
     [](Frame& f, const At& at) {
         f.cpu.steal_ms_total += at.t * (at.miss ? 100 : 400 + 400 * at.v);
         stall(f, 0, 0, at.t * 300);
     }},
    {"cgroup_throttled", false,
     [](Frame& f, const At& at) {
         f.cgroups[1].throttled_total += at.t * 10, f.cgroups[1].throttled_us_total += at.t * (at.miss ? 80'000 : 200'000 + 100'000 * at.v);
         lag(f, at, at.miss ? 20 : 250 * at.v);
     }},
    {"cpu_starved", true,
     [](Frame& f, const At& at) {
         stall(f, 0, 0, at.t * (550 + 130 * at.v));
         doer(f, at).cpu_us_total += at.t * (1'200'000 + 200'000 * at.v);
         lag(f, at, at.miss ? 20 : 300 * at.v);  // a machine that grades is busy: that is no trouble while its server is in time
     }},
    {"core_pinned", false,
     [](Frame& f, const At& at) {
         const std::uint64_t usual = f.cores[1].busy_ms_total;
         f.cores[1].busy_ms_total = usual + at.t * 849;
         // The server's own group; in the near miss it is a job's, and nobody waits for that core.
         (at.miss ? doer(f, at) : f.cgroups[1]).cpu_us_total += at.t * 990'000;
         lag(f, at, 400 * at.v);
     }},
    {"commit_stalled", false,
     [](Frame& f, const At& at) {
         if (at.now) f.server.commit_ms_max = at.miss ? 200 : 400 + 700 * at.v;
     }},
    {"accept_queue_full", false,
     [](Frame& f, const At& at) {
         f.net.tcp_sockets += at.now ? 3'000 : 0;
         f.net.listen_overflows_total += at.miss ? 0 : at.t * 40 * at.v, f.net.listen_drops_total += at.miss ? 0 : at.t * 40 * at.v;
     }},
    {"descriptors_gone", false,
     [](Frame& f, const At& at) {
         f.net.open_files_max = 100'000, f.net.open_files = 5'000;
         if (at.now) f.net.open_files = at.miss ? 80'000 : 95'000 + at.v * 1'500;
     }},
    {"slow_clients", false,
     [](Frame& f, const At& at) {
         if (at.now) f.server.uploads_receiving = at.miss ? 90 : 300 + 250 * at.v;
     }},
    {"runner_lost", false,
     [](Frame& f, const At& at) {
         event(f, at, at.miss ? EventKind::job_ended : EventKind::runner_lost, 1, at.miss ? "system_fault" : "");
     }},
    {"image_missing", false,
     [](Frame& f, const At& at) {
         event(f, at, EventKind::admission, at.miss ? 0 : 1, at.miss ? "image_there" : "image");
     }},
    {"disk_full", false,
     [](Frame& f, const At& at) {
         event(f, at, EventKind::admission, at.miss ? 0 : 2, at.miss ? "disk_free" : "disk_reserve");
     }},
    {"own_bug", false, [](Frame& f, const At& at) { lag(f, at, at.miss ? 90 : 500 + 700 * at.v); }},
    {"blackout", false,  // the trouble is that there are no frames: main() leaves them out
     [](Frame&, const At&) {}},
    {"clock_jump", false,
     [](Frame& f, const At& at) {
         f.real_time_ns += at.t == 0 ? 0 : static_cast<std::int64_t>(at.miss ? second_ns : at.v * 60 * second_ns);
     }},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
        for (const Case& it : cases) std::printf("%s %s\n", it.name, it.named ? "named" : "-");
        return 0;
    }
    if (argc != 4 && argc != 5) return 2;
    const std::uint64_t calm_s = argc == 5 ? std::strtoull(argv[4], nullptr, 10) : 300;
    const bool miss = argv[2][0] == '*';
    const Case* found = nullptr;
    for (const Case& it : cases) {
        if (std::strcmp(it.name, argv[2] + (miss ? 1 : 0)) == 0) found = &it;
    }
    if (found == nullptr) return 2;
    const std::uint64_t variant = std::strtoull(argv[3], nullptr, 10);
    const bool gap = std::strcmp(found->name, "blackout") == 0;
    const std::uint64_t gap_s = miss ? 2 : 4 + 8 * variant;  // what a busy machine leaves out now and then, and more
    std::FILE* const file = std::fopen(argv[1], "wb");
    if (file == nullptr) return 1;
    recorder::Encoder encoder;
    const auto frame = std::make_unique<Frame>();
    std::vector<std::byte> out(recorder::frame_bytes_max);
    for (std::uint64_t second = 0; second < calm_s + trouble_s + after_s; ++second) {
        if (gap && second > calm_s && second < calm_s + gap_s) continue;
        recorder::fill_example(*frame, second, groups);
        const bool now = second >= calm_s && second < calm_s + trouble_s;
        const std::uint64_t t = second < calm_s ? 0 : std::min(second - calm_s + 1, trouble_s);
        found->change(*frame, {.t = t, .now = now, .first = second == calm_s, .v = variant, .miss = miss});
        const std::size_t size = encoder.encode(*frame, second % recorder::keyframe_every == 0, out);
        if (std::fwrite(out.data(), 1, size, file) != size) return 1;
    }
    return std::fclose(file) == 0 ? 0 : 1;
}
