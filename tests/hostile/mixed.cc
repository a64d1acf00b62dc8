// Many runs through one helper, benign and hostile ones mixed, two at once: each must end as it should, and the helper must not grow.
//
//   mixed PROGRAMS [RUNS]
//
// Started by `leaves-nothing` beside it, which looks for what is left when this has ended. Prints its figures. Exit code 1 when something is wrong.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/text.hh"
#include "grade/grade.hh"
#include "sandbox/helper.hh"
#include "sandbox/sandbox.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;
using model::Verdict;

constexpr int at_once = 2;
constexpr int rounds = 10;
constexpr std::int64_t growth_bytes_max = 256 << 10;  // of the helper, and of its keepers together, from the end of the first round on
// A keeper keeps up to four groups of ended commands, with what is open of each: of one that was alone and lasted, twenty. One that any of
// the kinds leaves behind each time would be several hundred.
constexpr std::size_t kept_descriptors_max = std::size_t{at_once} * 4 * 20;
constexpr auto idle_time_max = 30s;

struct Kind {
    std::vector<std::string> command;
    std::vector<Verdict> expected;
    std::int64_t cpu_ms = 1000;
    std::int64_t wall_ms = 60'000;  // far away: a busy machine lets commands wait
    Profile profile = Profile::language;
};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {.command = {"/bin/true"}, .expected = {Verdict::passed}},
        {.command = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, .expected = {Verdict::failed}},
        {.command = {"/bin/cat", "/etc/passwd"}, .expected = {Verdict::passed}},
        {.command = {"/bin/sh", "-c", "seq 2000 | sort -r | tail -n 1 > f && cat f"}, .expected = {Verdict::passed}},
        {.command = {"no-such-program"}, .expected = {Verdict::failed}},
        {.command = {"/mnt/daemon"}, .expected = {Verdict::passed}},
        {.command = {"/mnt/keep-stdout"}, .expected = {Verdict::passed}},
        {.command = {"/mnt/zombie-flood"}, .expected = {Verdict::process_limit}},
        {.command = {"/mnt/thread-bomb"}, .expected = {Verdict::process_limit}},
        {.command = {"/mnt/memory-bomb"}, .expected = {Verdict::memory_limit}},
        {.command = {"/mnt/shared-memory-bomb", "sysv"}, .expected = {Verdict::memory_limit}},
        {.command = {"/mnt/fill-scratch", "1"}, .expected = {Verdict::disk_limit}},
        {.command = {"/mnt/flood"}, .expected = {Verdict::output_limit}},
        {.command = {"/mnt/busy-loop"}, .expected = {Verdict::time_limit}, .cpu_ms = 20},
        // What has ended and is still to be freed is charged as well: by itself it was seen to use up to 31 of 32 MiB.
        {.command = {"/mnt/fork-bomb"}, .expected = {Verdict::time_limit, Verdict::wall_limit, Verdict::memory_limit}, .cpu_ms = 30, .wall_ms = 2000},
        {.command = {"/mnt/sleep-for-ever"}, .expected = {Verdict::wall_limit}, .wall_ms = 20},
        {.command = {"/mnt/end-as", "abort"}, .expected = {Verdict::crashed}},
        {.command = {"/mnt/fds-in-flight"}, .expected = {Verdict::passed, Verdict::memory_limit, Verdict::time_limit}},
        {.command = {"/mnt/new-namespaces"}, .expected = {Verdict::passed}},
        {.command = {"/mnt/new-namespaces", "kill"}, .expected = {Verdict::forbidden}, .profile = Profile::compiled},
        {.command = {"/mnt/odd-modes"}, .expected = {Verdict::passed}},
        {.command = {"/mnt/kill-others"}, .expected = {Verdict::passed}},
    };
    return all;
}

Request request_of(const Kind& kind, int programs) {
    Request request;
    request.stage = "run";
    request.command = kind.command;
    request.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/work", "LANG=C.UTF-8", "USER=student"};
    request.limits = {.cpu_ms = kind.cpu_ms, .wall_ms = kind.wall_ms, .memory_bytes = 32LL << 20, .processes = 32,
                      .output_bytes = 128LL << 10, .disk_bytes = 8LL << 20, .open_files = 256};
    request.profile = kind.profile;
    request.binds.push_back({.directory = programs, .inside = "/mnt", .writable = false});
    return request;
}

struct Size {
    std::int64_t rss_bytes = 0;
    std::int64_t pss_bytes = 0;
    std::size_t descriptors = 0;
};

std::int64_t field_bytes(const std::string& text, std::string_view name) {
    for (const std::string_view line : split(text, '\n')) {
        if (!line.starts_with(name)) continue;
        const std::string_view rest = trimmed(line.substr(name.size()));
        std::int64_t kib = 0;
        std::from_chars(rest.data(), rest.data() + rest.size(), kib);
        return kib << 10;
    }
    return 0;
}

Result<std::vector<int>> children_of(int pid) {
    ASSAY_TRY(const std::string text, sys::read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children", 64 << 10));
    std::vector<int> pids;
    for (const std::string_view word : split(trimmed(text), ' ')) {
        int child = 0;
        if (std::from_chars(word.data(), word.data() + word.size(), child).ec == std::errc{}) pids.push_back(child);
    }
    return pids;
}

// What a process has by itself; a keeper shares its program and most of its memory with the helper.
Result<Size> size_of(int pid) {
    const std::string place = "/proc/" + std::to_string(pid);
    ASSAY_TRY(const std::string memory, sys::read_file(place + "/smaps_rollup", 64 << 10));
    ASSAY_TRY(const std::vector<std::string> descriptors, sys::list_directory(place + "/fd"));
    return Size{field_bytes(memory, "Rss:"), field_bytes(memory, "Pss:"), descriptors.size()};
}

struct Sizes {
    Size helper;
    Size keepers;  // of all slots together
};

// When each slot has a keeper that waits for a job, with nothing of the last one around it, and the helper has let go of the last client, so
// that it holds no more than `descriptors_max`: if it does not in time, that is what is seen.
Result<Sizes> sizes_when_idle(int helper, std::size_t descriptors_max) {
    const sys::TimePoint deadline = sys::system_clock().now() + idle_time_max;
    for (;;) {
        ASSAY_TRY(const std::vector<int> keepers, children_of(helper));
        bool idle = keepers.size() == at_once;
        for (const int keeper : keepers) {
            const Result<std::vector<int>> below = children_of(keeper);
            idle = idle && below && below->empty();
        }
        if (idle) {
            Sizes sizes;
            ASSAY_TRY(sizes.helper, size_of(helper));
            for (const int keeper : keepers) {
                ASSAY_TRY(const Size one, size_of(keeper));
                sizes.keepers = {sizes.keepers.rss_bytes + one.rss_bytes, sizes.keepers.pss_bytes + one.pss_bytes, sizes.keepers.descriptors + one.descriptors};
            }
            if (sizes.helper.descriptors <= descriptors_max || sys::system_clock().now() > deadline) return sizes;
            continue;
        }
        if (sys::system_clock().now() > deadline) return Error{Fault::timed_out, "its keepers are not idle: it has " + std::to_string(keepers.size())};
        std::this_thread::yield();
    }
}

class Mixed {
public:
    Mixed(Helper helper, sys::Fd programs) : helper_{std::move(helper)}, programs_{std::move(programs)} {}

    int run(int runs) {
        const sys::TimePoint begin = sys::system_clock().now();
        std::vector<Sizes> sizes;
        for (int round = 0; round < rounds; ++round) {
            std::vector<std::thread> threads;
            for (int slot = 0; slot < at_once; ++slot) {
                threads.emplace_back([this, slot, until = runs * (round + 1) / rounds] { work(slot, until); });
            }
            for (std::thread& thread : threads) thread.join();
            for (int slot = 0; slot < at_once; ++slot) serve_once(slot);
            const Result<Sizes> size = sizes_when_idle(helper_.pid, sizes.empty() ? SIZE_MAX : sizes.front().helper.descriptors);
            if (!size) complain(size.error().text());
            else sizes.push_back(*size);
        }
        report(runs, sys::system_clock().now() - begin, sizes);
        stop_helper(std::move(helper_), sys::system_clock().now() + idle_time_max);
        return wrong_ == 0 ? 0 : 1;
    }

private:
    void work(int slot, int until) {
        Result<sys::Fd> socket = connect_client(helper_);
        if (!socket) return complain(socket.error().text());
        Client client{std::move(*socket)};
        for (;;) {
            int number = next_.load();
            do {
                if (number >= until) return;
            } while (!next_.compare_exchange_weak(number, number + 1));
            one(client, slot, number);
        }
    }

    // A keeper whose last job left something has ended; the next job of its slot brings another.
    void serve_once(int slot) {
        Result<sys::Fd> socket = connect_client(helper_);
        if (!socket) return complain(socket.error().text());
        Client client{std::move(*socket)};
        one(client, slot, 0);
    }

    void one(Client& client, int slot, int number) {
        const std::size_t which = static_cast<std::size_t>(number) % kinds().size();
        const Kind& kind = kinds()[which];
        const Request request = request_of(kind, programs_.get());
        Result<Job> job = client.open_job(slot, request.limits.memory_bytes);
        if (!job) return complain(kind.command.front() + ": " + job.error().text());
        Result<Finished> done = job->run(request);
        if (!done) return complain(kind.command.front() + ": " + done.error().text());
        const Verdict verdict = grade::verdict_of(done->outcome, false, false);
        const bool broke_out = done->outcome.output.text().contains("NOT HELD");
        if (broke_out || std::ranges::find(kind.expected, verdict) == kind.expected.end()) {
            complain(join(kind.command) + ": " + std::string{model::to_string(verdict)} + ", " + done->outcome.output.text().substr(0, 200));
        }
    }

    static std::string join(const std::vector<std::string>& words) {
        std::string text;
        for (const std::string& word : words) text += word + " ";
        return text;
    }

    void complain(const std::string& what) {
        const std::lock_guard lock{mutex_};
        if (++wrong_ <= 20) std::fprintf(stderr, "%s\n", what.c_str());
    }

    void report(int runs, sys::Duration took, const std::vector<Sizes>& sizes) {
        if (sizes.size() != rounds) return;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            std::printf("after %6zu runs:", static_cast<std::size_t>(runs) * (i + 1) / rounds);
            compare("helper", sizes[i].helper, sizes.front().helper, 0);
            compare("; keepers", sizes[i].keepers, sizes.front().keepers, kept_descriptors_max);
            std::printf("\n");
        }
        std::printf("%d runs of %zu kinds, %d at once, in %.0f s; %d wrong\n", runs, kinds().size(), at_once, sys::ms_of(took) / 1000, wrong_);
    }

    void compare(const char* who, const Size& now, const Size& first, std::size_t more_max) {
        std::printf(" %s RSS %5lld KiB, PSS %5lld KiB, %zu descriptors", who, static_cast<long long>(now.rss_bytes >> 10),
                    static_cast<long long>(now.pss_bytes >> 10), now.descriptors);
        if (now.rss_bytes > first.rss_bytes + growth_bytes_max || now.pss_bytes > first.pss_bytes + growth_bytes_max)
            complain(std::string{who} + ": more than 256 KiB larger than after the first round");
        if (now.descriptors > first.descriptors + more_max) complain(std::string{who} + ": more descriptors than after the first round");
    }

    Helper helper_;
    sys::Fd programs_;
    std::atomic<int> next_ = 0;
    std::mutex mutex_;
    int wrong_ = 0;
};

int mixed(const char* programs, int runs) {
    const std::string id = sys::random_text(16, "0123456789abcdef");
    Result<sys::Fd> folder = sys::open_directory(programs);
    Result<Helper> helper = start_helper({.directory_id = id, .first_uid = first_uid_for(id), .fill = nullptr, .allow_binds = true, .data = {}});
    if (!folder || !helper) {
        std::fprintf(stderr, "%s\n", (folder ? helper.error() : folder.error()).text().c_str());
        return 1;
    }
    return Mixed{std::move(*helper), std::move(*folder)}.run(runs);
}

}  // namespace
}  // namespace assay::sandbox

int main(int argc, char** argv) {
    int runs = 10'000;
    if (argc == 3) {
        const std::string_view text{argv[2]};
        if (std::from_chars(text.data(), text.data() + text.size(), runs).ec != std::errc{} || runs < assay::sandbox::rounds) runs = 0;
    }
    if (argc < 2 || argc > 3 || runs == 0) {
        std::fprintf(stderr, "usage: mixed PROGRAMS [RUNS]\n");
        return 2;
    }
    return assay::sandbox::mixed(argv[1], runs);
}
