// Frame: what the recorder saw of the machine at one moment. Named fields, units last; every bound has a name.
//
// A number that ends in `_total` only grows while the machine runs and means something as a difference between two frames
// (recorder/rates.hh); others are levels of that moment. What could not be read is zero, and its section is not `has`.
// A frame is plain data of fixed size (about 70 KB): it is filled, encoded and decoded without allocating.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace assay::recorder {

constexpr std::size_t cores_max = 64;
constexpr std::size_t disks_max = 16;
constexpr std::size_t cgroups_max = 64;
constexpr std::size_t tasks_max = 32;
constexpr std::size_t loops_max = 32;
constexpr std::size_t slow_requests_max = 5;
constexpr std::size_t events_max = 32;  // that happened since the last frame

// A text inside a frame; what is longer is cut.
template <std::size_t bytes_max>
class ShortText {
public:
    static constexpr std::size_t size_max = bytes_max;

    ShortText() = default;
    ShortText(std::string_view text) { assign(text); }
    void assign(std::string_view text) {
        size_ = static_cast<std::uint16_t>(std::min(text.size(), bytes_max));
        std::memcpy(bytes_.data(), text.data(), size_);
    }
    std::string_view view() const { return {bytes_.data(), size_}; }
    bool empty() const { return size_ == 0; }
    bool operator==(const ShortText& other) const { return view() == other.view(); }

private:
    std::uint16_t size_ = 0;
    std::array<char, bytes_max> bytes_{};
};

// Rows of a section. What did not fit is counted in `left_out`.
template <class Row, std::size_t rows_max>
class Rows {
public:
    static constexpr std::size_t size_max = rows_max;

    std::uint64_t left_out = 0;

    // The next row, with all fields zero; nullptr (and counted) when there is no room for it.
    Row* add() {
        if (size_ == rows_max) {
            ++left_out;
            return nullptr;
        }
        rows_[size_] = Row{};
        return &rows_[size_++];
    }
    void resize(std::size_t size) {
        size_ = std::min(size, rows_max);
    }  // rows that were there before keep what they held
    void clear() { size_ = 0, left_out = 0; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    Row& operator[](std::size_t at) { return rows_[at]; }
    const Row& operator[](std::size_t at) const { return rows_[at]; }
    Row* begin() { return rows_.data(); }
    Row* end() { return rows_.data() + size_; }
    const Row* begin() const { return rows_.data(); }
    const Row* end() const { return rows_.data() + size_; }

private:
    std::size_t size_ = 0;
    std::array<Row, rows_max> rows_{};
};

// The sections and their numbers in the format. A number is never used again for something else.
enum class Section : std::uint16_t {
    recorder = 1,
    cpu = 2,
    cores = 3,
    memory = 4,
    reclaim = 5,
    pressure = 6,
    disks = 7,
    net = 8,
    cgroups = 9,
    tasks = 10,
    server = 11,
    loops = 12,
    slow_requests = 13,
    events = 14,
    last_ = events,
};

// About the recorder itself.
struct Self {
    std::uint64_t interval_ms = 0;  // between frames: 1000 in calm, 200 while suspicious
    std::uint64_t suspicion = 0;  // why it records faster: bits of recorder/suspicion.hh; 0 = calm
    std::uint64_t unreadable = 0;  // bits 1 << Section: sections of which something could not be read
    std::uint64_t own_major_faults_total = 0;  // of the recorder; 0 after its start, or its clock is not to be trusted
    std::uint64_t cold_lag_frames = 0;  // frames that are not on the disk yet
    std::uint64_t cold_errors_total = 0;  // writes to the disk that failed
};

// /proc/stat, all cores together; times since the machine started.
struct Cpu {
    std::uint64_t user_ms_total = 0;  // nice included
    std::uint64_t system_ms_total = 0;  // interrupts included
    std::uint64_t idle_ms_total = 0;
    std::uint64_t iowait_ms_total = 0;
    std::uint64_t steal_ms_total = 0;
    std::uint64_t context_switches_total = 0;
    std::uint64_t forks_total = 0;
    std::uint64_t tasks_runnable = 0;
    std::uint64_t tasks_blocked = 0;  // in uninterruptible sleep for IO
};

struct Core {
    std::uint64_t number = 0;
    std::uint64_t busy_ms_total = 0;  // user + system
    std::uint64_t iowait_ms_total = 0;
    std::uint64_t steal_ms_total = 0;
};

// /proc/meminfo
struct Memory {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;
    std::uint64_t available_bytes = 0;
    std::uint64_t cached_bytes = 0;
    std::uint64_t anon_bytes = 0;
    std::uint64_t shared_bytes = 0;  // tmpfs and shared memory
    std::uint64_t active_file_bytes = 0;
    std::uint64_t inactive_file_bytes = 0;
    std::uint64_t unevictable_bytes = 0;
    std::uint64_t dirty_bytes = 0;
    std::uint64_t writeback_bytes = 0;
    std::uint64_t slab_bytes = 0;
    std::uint64_t swap_total_bytes = 0;
    std::uint64_t swap_free_bytes = 0;
};

// /proc/vmstat: how hard the kernel works for memory.
struct Reclaim {
    std::uint64_t refaults_file_total = 0;  // pages evicted and needed again: the direct proof of thrash
    std::uint64_t refaults_anon_total = 0;
    std::uint64_t major_faults_total = 0;
    std::uint64_t scanned_direct_pages_total = 0;
    std::uint64_t stolen_direct_pages_total = 0;
    std::uint64_t scanned_kswapd_pages_total = 0;
    std::uint64_t stolen_kswapd_pages_total = 0;
    std::uint64_t allocation_stalls_total = 0;
    std::uint64_t oom_kills_total = 0;
    std::uint64_t read_kib_total = 0;  // pgpgin
    std::uint64_t written_kib_total = 0;  // pgpgout
    std::uint64_t swap_in_pages_total = 0;
    std::uint64_t swap_out_pages_total = 0;
};

// /proc/pressure: microseconds in which some, or all, tasks that could run waited for it.
struct Pressure {
    std::uint64_t memory_some_us_total = 0;
    std::uint64_t memory_full_us_total = 0;
    std::uint64_t io_some_us_total = 0;
    std::uint64_t io_full_us_total = 0;
    std::uint64_t cpu_some_us_total = 0;
    std::uint64_t cpu_full_us_total = 0;
};

// /proc/diskstats: whole disks that did something since the machine started.
struct Disk {
    ShortText<32> name;
    std::uint64_t reads_total = 0;
    std::uint64_t read_bytes_total = 0;
    std::uint64_t read_ms_total = 0;  // summed over requests: divided by reads it is the mean wait
    std::uint64_t writes_total = 0;
    std::uint64_t written_bytes_total = 0;
    std::uint64_t write_ms_total = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t busy_ms_total = 0;  // io_ticks
    std::uint64_t queue_ms_total = 0;  // weighted: divided by time it is the mean queue
    std::uint64_t flushes_total = 0;
    std::uint64_t flush_ms_total = 0;
};

// /proc/net and /proc/sys/fs/file-nr
struct Net {
    std::uint64_t received_bytes_total = 0;  // all devices but loopback
    std::uint64_t sent_bytes_total = 0;
    std::uint64_t received_dropped_total = 0;
    std::uint64_t listen_overflows_total = 0;
    std::uint64_t listen_drops_total = 0;
    std::uint64_t retransmitted_total = 0;  // fast retransmits and timeouts of TCP
    std::uint64_t tcp_sockets = 0;
    std::uint64_t tcp_time_wait = 0;
    std::uint64_t tcp_memory_bytes = 0;
    std::uint64_t open_files = 0;  // of the whole machine
    std::uint64_t open_files_max = 0;
};

// One control group. On a v1 host fields come from several hierarchies; what v1 does not know is 0.
struct Cgroup {
    std::uint64_t id = 0;  // of the recorder: another for each group it ever saw
    ShortText<120> name;  // path below the root of the hierarchy, the end of it when too long
    std::uint64_t job = 0;  // of the server's events; 0: none
    std::uint64_t memory_bytes = 0;
    std::uint64_t memory_max_bytes = 0;  // 0: no limit
    std::uint64_t anon_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t refaults_file_total = 0;
    std::uint64_t major_faults_total = 0;
    std::uint64_t limit_hits_total = 0;  // memory.events max, v1 failcnt
    std::uint64_t oom_kills_total = 0;
    std::uint64_t cpu_us_total = 0;
    std::uint64_t throttled_total = 0;  // periods
    std::uint64_t throttled_us_total = 0;
    std::uint64_t read_bytes_total = 0;
    std::uint64_t written_bytes_total = 0;
    std::uint64_t reads_total = 0;
    std::uint64_t writes_total = 0;
    std::uint64_t memory_some_us_total = 0;
    std::uint64_t memory_full_us_total = 0;
    std::uint64_t io_some_us_total = 0;
    std::uint64_t io_full_us_total = 0;
    std::uint64_t cpu_some_us_total = 0;
    std::uint64_t tasks = 0;
};

// One process, recorded only while the recorder is suspicious: those that used or waited most, and those in D state.
struct Task {
    std::uint64_t pid = 0;
    std::uint64_t start_ticks = 0;  // with the pid it names one process for ever
    ShortText<16> name;
    std::uint64_t state = 0;  // the letter of /proc/PID/stat: R S D Z T …
    std::uint64_t cpu_ms_total = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t major_faults_total = 0;
    std::uint64_t run_wait_us_total = 0;  // runnable, but not run
    std::uint64_t read_bytes_total = 0;  // 0 where /proc/PID/io may not be read
    std::uint64_t written_bytes_total = 0;
    std::uint64_t in_d_frames = 0;  // frames in a row that found it in D state
    ShortText<48> wait_channel;  // of a task in D state; empty: may not be read
    ShortText<240> stack;  // kernel functions, innermost first, joined by '<'; empty: may not be read
};

// What the server said of itself (recorder/feed.hh).
struct Server {
    std::uint64_t told_age_ms = 0;  // since it last said something (0: nothing yet): a server that stands still says nothing
    std::uint64_t jobs_waiting = 0;
    std::uint64_t jobs_running = 0;
    std::uint64_t slots = 0;
    std::uint64_t oldest_waiting_ms = 0;
    std::uint64_t uploads_receiving = 0;
    std::uint64_t verify_oldest_ms = 0;
    std::uint64_t connections = 0;
    std::uint64_t requests_total = 0;
    std::uint64_t requests_failed_total = 0;  // answered 5xx
    std::uint64_t commit_ms_max = 0;  // slowest group commit since the last frame
    std::uint64_t events_lost_total = 0;  // that found no room in the feed
};

// One event loop of the server.
struct Loop {
    std::uint64_t number = 0;
    std::uint64_t beat_age_ms = 0;  // since it last came round; beyond feed_tick_ms it is late now
    std::uint64_t lag_ms_max = 0;  // the latest it came round since the last frame
};

struct SlowRequest {
    ShortText<64> route;  // the template, such as "/r/{key}"; never a path
    std::uint64_t status = 0;
    std::uint64_t took_ms = 0;
};

enum class EventKind : std::uint64_t {
    none = 0,
    job_started = 1,  // subject: the job; text: its cgroup
    job_ended = 2,  // subject: the job; value: 1 when the fault was ours; text: the verdict
    admission = 3,  // value: the level; text: the reason
    alarm = 4,  // value: 1 firing, 0 resolved; text: the rule
    server_started = 5,
    server_stopping = 6,
    runner_lost = 7,
    clock_step = 8,  // by the recorder: the wall clock jumped by `value` ms (two's complement)
    boot = 9,  // by the recorder: it begins, after a start of the machine that the last frame had not seen
};

struct Event {
    std::uint64_t kind = 0;  // EventKind; kinds unknown to a reader are shown by number
    std::uint64_t monotonic_ns = 0;
    std::uint64_t subject = 0;
    std::uint64_t value = 0;
    ShortText<96> text;
};

struct Frame {
    // The head
    std::uint64_t sequence = 0;  // grows by one; a jump is lost frames
    std::uint64_t boot_time_ns = 0;  // CLOCK_BOOTTIME: goes on while the machine sleeps
    std::uint64_t monotonic_ns = 0;
    std::int64_t real_time_ns = 0;  // since 1970, UTC; may jump
    std::uint32_t boot = 0;  // differs between starts of the machine
    std::uint32_t late_us = 0;  // how late this frame was taken: the most honest sign of a stall there is
    std::uint32_t cost_us = 0;  // processor time it took

    std::uint64_t sections = 0;  // bits 1 << Section

    bool has(Section section) const { return (sections >> static_cast<unsigned>(section) & 1U) != 0; }
    void set(Section section) { sections |= std::uint64_t{1} << static_cast<unsigned>(section); }

    Self recorder;
    Cpu cpu;
    Rows<Core, cores_max> cores;
    Memory memory;
    Reclaim reclaim;
    Pressure pressure;
    Rows<Disk, disks_max> disks;
    Net net;
    Rows<Cgroup, cgroups_max> cgroups;
    Rows<Task, tasks_max> tasks;
    Server server;
    Rows<Loop, loops_max> loops;
    Rows<SlowRequest, slow_requests_max> slow_requests;
    Rows<Event, events_max> events;
};

}  // namespace assay::recorder
