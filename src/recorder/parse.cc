#include "recorder/parse.hh"

#include <charconv>
#include <span>

namespace assay::recorder {
namespace {

// Takes the next line off the front; false: there is none.
bool next_line(std::string_view& text, std::string_view& line) {
    if (text.empty()) return false;
    const std::size_t end = text.find('\n');
    line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return true;
}

std::string_view next_word(std::string_view& line) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == line.npos) {
        line = {};
        return {};
    }
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

std::uint64_t number_of(std::string_view word) {
    std::uint64_t value = 0;
    (void)std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

std::uint64_t next_number(std::string_view& line) { return number_of(next_word(line)); }

// "key value" lines, of which some are wanted.
template <class T>
struct Wanted {
    std::string_view key;
    std::uint64_t T::* field;
    std::uint64_t times = 1;
    bool add = false;  // to what is there: several keys make one field
};

template <class T>
bool parse_keys(std::string_view text, T& into, std::span<const Wanted<T>> wanted) {
    bool any = false;
    for (std::string_view line; next_line(text, line);) {
        std::string_view key = next_word(line);
        if (key.ends_with(':')) key.remove_suffix(1);
        for (const Wanted<T>& one : wanted) {
            if (key != one.key) continue;
            const std::uint64_t value = next_number(line) * one.times;
            into.*one.field = one.add ? into.*one.field + value : value;
            any = true;
            break;
        }
    }
    return any;
}

constexpr std::uint64_t kib = 1024;
constexpr Wanted<Memory> meminfo_keys[] = {
    {"MemTotal", &Memory::total_bytes, kib},           {"MemFree", &Memory::free_bytes, kib},
    {"MemAvailable", &Memory::available_bytes, kib},   {"Cached", &Memory::cached_bytes, kib},
    {"AnonPages", &Memory::anon_bytes, kib},           {"Shmem", &Memory::shared_bytes, kib},
    {"Active(file)", &Memory::active_file_bytes, kib}, {"Inactive(file)", &Memory::inactive_file_bytes, kib},
    {"Unevictable", &Memory::unevictable_bytes, kib},  {"Dirty", &Memory::dirty_bytes, kib},
    {"Writeback", &Memory::writeback_bytes, kib},      {"Slab", &Memory::slab_bytes, kib},
    {"SwapTotal", &Memory::swap_total_bytes, kib},     {"SwapFree", &Memory::swap_free_bytes, kib},
};
// Kernels before 5.9 have one counter of refaults, and those are of files.
constexpr Wanted<Reclaim> vmstat_keys[] = {
    {"workingset_refault_file", &Reclaim::refaults_file_total},
    {"workingset_refault", &Reclaim::refaults_file_total},
    {"workingset_refault_anon", &Reclaim::refaults_anon_total},
    {"pgmajfault", &Reclaim::major_faults_total},
    {"pgscan_direct", &Reclaim::scanned_direct_pages_total},
    {"pgsteal_direct", &Reclaim::stolen_direct_pages_total},
    {"pgscan_kswapd", &Reclaim::scanned_kswapd_pages_total},
    {"pgsteal_kswapd", &Reclaim::stolen_kswapd_pages_total},
    {"allocstall_dma32", &Reclaim::allocation_stalls_total, 1, true},
    {"allocstall_normal", &Reclaim::allocation_stalls_total, 1, true},
    {"allocstall_movable", &Reclaim::allocation_stalls_total, 1, true},
    {"oom_kill", &Reclaim::oom_kills_total},
    {"pgpgin", &Reclaim::read_kib_total},
    {"pgpgout", &Reclaim::written_kib_total},
    {"pswpin", &Reclaim::swap_in_pages_total},
    {"pswpout", &Reclaim::swap_out_pages_total},
};
constexpr Wanted<Cgroup> memory_stat_keys[] = {
    {"anon", &Cgroup::anon_bytes},
    {"file", &Cgroup::file_bytes},
    {"workingset_refault_file", &Cgroup::refaults_file_total},
    {"pgmajfault", &Cgroup::major_faults_total},
    {"total_rss", &Cgroup::anon_bytes},  // version 1, with all groups below
    {"total_cache", &Cgroup::file_bytes},
    {"total_workingset_refault_file", &Cgroup::refaults_file_total},
    {"total_pgmajfault", &Cgroup::major_faults_total},
};
constexpr Wanted<Cgroup> memory_events_keys[] = {{"max", &Cgroup::limit_hits_total},
                                                 {"oom_kill", &Cgroup::oom_kills_total}};
constexpr Wanted<Cgroup> cpu_stat_keys[] = {
    {"usage_usec", &Cgroup::cpu_us_total},
    {"nr_throttled", &Cgroup::throttled_total},
    {"throttled_usec", &Cgroup::throttled_us_total},
    {"throttled_time", &Cgroup::throttled_us_total},  // version 1, in nanoseconds: made right below
};
constexpr Wanted<Task> task_io_keys[] = {{"read_bytes", &Task::read_bytes_total},
                                         {"write_bytes", &Task::written_bytes_total}};

bool is_partition_or_virtual(std::string_view name) {
    for (const std::string_view prefix : {"loop", "ram", "zram", "fd", "sr", "dm-", "md"}) {
        if (name.starts_with(prefix)) return true;  // what is stacked on disks would be counted twice
    }
    const bool numbered = !name.empty() && name.back() >= '0' && name.back() <= '9';
    if (name.starts_with("nvme") || name.starts_with("mmcblk")) return name.find('p', 4) != name.npos;
    return numbered;
}

template <class T, std::size_t n>
std::span<const Wanted<T>> all(const Wanted<T> (&keys)[n]) {
    return {keys, n};
}

}  // namespace

bool parse_stat(std::string_view text, Frame& frame) {
    bool any = false;
    frame.cores.clear();
    for (std::string_view line; next_line(text, line);) {
        const std::string_view key = next_word(line);
        if (key.starts_with("cpu")) {
            std::uint64_t ms[8] = {};  // user nice system idle iowait irq softirq steal
            for (std::uint64_t& one : ms) one = next_number(line) * tick_ms;
            const std::uint64_t user = ms[0] + ms[1];
            const std::uint64_t system = ms[2] + ms[5] + ms[6];
            if (key == "cpu") {
                any = true;
                Cpu& cpu = frame.cpu;
                cpu.user_ms_total = user;
                cpu.system_ms_total = system;
                cpu.idle_ms_total = ms[3];
                cpu.iowait_ms_total = ms[4];
                cpu.steal_ms_total = ms[7];
            } else if (Core* const core = frame.cores.add()) {
                *core = {.number = number_of(key.substr(3)),
                         .busy_ms_total = user + system,
                         .iowait_ms_total = ms[4],
                         .steal_ms_total = ms[7]};
            }
        } else if (key == "ctxt") {
            frame.cpu.context_switches_total = next_number(line);
        } else if (key == "processes") {
            frame.cpu.forks_total = next_number(line);
        } else if (key == "procs_running") {
            frame.cpu.tasks_runnable = next_number(line);
        } else if (key == "procs_blocked") {
            frame.cpu.tasks_blocked = next_number(line);
        }
    }
    return any;
}

bool parse_meminfo(std::string_view text, Memory& memory) { return parse_keys(text, memory, all(meminfo_keys)); }

bool parse_vmstat(std::string_view text, Reclaim& reclaim) {
    reclaim.allocation_stalls_total = 0;
    return parse_keys(text, reclaim, all(vmstat_keys));
}

bool parse_diskstats(std::string_view text, Rows<Disk, disks_max>& disks) {
    constexpr std::uint64_t sector_bytes = 512;
    bool any = false;
    disks.clear();
    for (std::string_view line; next_line(text, line);) {
        (void)next_word(line);
        (void)next_word(line);
        const std::string_view name = next_word(line);
        std::uint64_t n[17] = {};  // Documentation/admin-guide/iostats.rst
        for (std::uint64_t& one : n) one = next_number(line);
        any = any || !name.empty();
        if (is_partition_or_virtual(name) || (n[0] == 0 && n[4] == 0)) continue;
        Disk* const disk = disks.add();
        if (disk == nullptr) continue;
        *disk = {.name = {name},
                 .reads_total = n[0],
                 .read_bytes_total = n[2] * sector_bytes,
                 .read_ms_total = n[3],
                 .writes_total = n[4],
                 .written_bytes_total = n[6] * sector_bytes,
                 .write_ms_total = n[7],
                 .in_flight = n[8],
                 .busy_ms_total = n[9],
                 .queue_ms_total = n[10],
                 .flushes_total = n[15],
                 .flush_ms_total = n[16]};
    }
    return any;
}

bool parse_net_dev(std::string_view text, Net& net) {
    bool any = false;
    net.received_bytes_total = net.sent_bytes_total = net.received_dropped_total = 0;
    for (std::string_view line; next_line(text, line);) {
        const std::size_t colon = line.find(':');
        if (colon == line.npos) continue;
        any = true;
        std::string_view before = line.substr(0, colon);
        if (next_word(before) == "lo") continue;
        line.remove_prefix(colon + 1);
        std::uint64_t n[9] = {};
        for (std::uint64_t& one : n) one = next_number(line);
        net.received_bytes_total += n[0];
        net.received_dropped_total += n[3];
        net.sent_bytes_total += n[8];
    }
    return any;
}

bool parse_netstat(std::string_view text, Net& net) {
    bool any = false;
    net.retransmitted_total = 0;
    std::string_view names;
    for (std::string_view line; next_line(text, line);) {
        if (!line.starts_with("TcpExt:")) continue;
        if (names.empty()) {
            names = line;
            continue;
        }
        // Two lines, one of names and one of numbers, word by word.
        for (std::string_view name = next_word(names); !name.empty(); name = next_word(names)) {
            const std::uint64_t value = next_number(line);
            if (name == "ListenOverflows") net.listen_overflows_total = value, any = true;
            if (name == "ListenDrops") net.listen_drops_total = value, any = true;
            if (name == "TCPFastRetrans" || name == "TCPTimeouts" || name == "TCPLostRetransmit")
                net.retransmitted_total += value;
        }
        break;
    }
    return any;
}

bool parse_sockstat(std::string_view text, Net& net) {
    for (std::string_view line; next_line(text, line);) {
        if (next_word(line) != "TCP:") continue;
        for (std::string_view key = next_word(line); !key.empty(); key = next_word(line)) {
            const std::uint64_t value = next_number(line);
            if (key == "inuse") net.tcp_sockets = value;
            if (key == "tw") net.tcp_time_wait = value;
            if (key == "mem") net.tcp_memory_bytes = value * page_bytes;
        }
        return true;
    }
    return false;
}

bool parse_file_nr(std::string_view text, Net& net) {
    std::string_view line;
    if (!next_line(text, line)) return false;
    net.open_files = next_number(line);
    (void)next_word(line);
    net.open_files_max = next_number(line);
    return net.open_files_max > 0;
}

bool parse_pressure(std::string_view text, std::uint64_t& some_us, std::uint64_t& full_us) {
    bool any = false;
    for (std::string_view line; next_line(text, line);) {
        const bool some = line.starts_with("some ");
        const std::size_t at = line.find("total=");
        if ((!some && !line.starts_with("full ")) || at == line.npos) continue;
        (some ? some_us : full_us) = number_of(line.substr(at + 6));
        any = true;
    }
    return any;
}

bool parse_memory_stat(std::string_view text, Cgroup& group) { return parse_keys(text, group, all(memory_stat_keys)); }
bool parse_memory_events(std::string_view text, Cgroup& group) {
    return parse_keys(text, group, all(memory_events_keys));
}

bool parse_cpu_stat(std::string_view text, Cgroup& group) {
    const bool any = parse_keys(text, group, all(cpu_stat_keys));
    if (text.contains("throttled_time")) group.throttled_us_total /= 1'000;
    return any;
}

bool parse_io_stat(std::string_view text, Cgroup& group) {
    group.read_bytes_total = group.written_bytes_total = group.reads_total = group.writes_total = 0;
    for (std::string_view line; next_line(text, line);) {
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            const std::size_t equals = std::min(word.find('='), word.size());
            const std::string_view key = word.substr(0, equals);
            const std::uint64_t value = number_of(word.substr(std::min(equals + 1, word.size())));
            if (key == "rbytes") group.read_bytes_total += value;
            if (key == "wbytes") group.written_bytes_total += value;
            if (key == "rios") group.reads_total += value;
            if (key == "wios") group.writes_total += value;
        }
    }
    return true;  // A group that never did IO has an empty file.
}

namespace {

bool parse_blkio(std::string_view text, std::uint64_t& read, std::uint64_t& written) {
    read = written = 0;
    for (std::string_view line; next_line(text, line);) {
        (void)next_word(line);  // the device
        const std::string_view kind = next_word(line);
        if (kind == "Read") read += next_number(line);
        if (kind == "Write") written += next_number(line);
    }
    return true;
}

}  // namespace

bool parse_blkio_bytes(std::string_view text, Cgroup& group) {
    return parse_blkio(text, group.read_bytes_total, group.written_bytes_total);
}
bool parse_blkio_serviced(std::string_view text, Cgroup& group) {
    return parse_blkio(text, group.reads_total, group.writes_total);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || (read.ptr != end && *read.ptr != '\n')) return std::nullopt;
    return value;
}

bool parse_task_stat(std::string_view text, Task& task) {
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == text.npos || close == text.npos || close < open) return false;
    task.pid = number_of(text);
    task.name.assign(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
    const std::string_view state = next_word(text);
    if (state.empty()) return false;
    task.state = static_cast<unsigned char>(state.front());
    std::uint64_t n[21] = {};  // from the 4th field on, proc(5)
    for (std::uint64_t& one : n) one = next_number(text);
    task.major_faults_total = n[8];
    task.cpu_ms_total = (n[10] + n[11]) * tick_ms;
    task.start_ticks = n[18];
    task.resident_bytes = n[20] * page_bytes;
    return true;
}

bool parse_schedstat(std::string_view text, Task& task) {
    (void)next_word(text);
    const std::string_view waited_ns = next_word(text);
    if (waited_ns.empty()) return false;
    task.run_wait_us_total = number_of(waited_ns) / 1'000;
    return true;
}

bool parse_task_io(std::string_view text, Task& task) { return parse_keys(text, task, all(task_io_keys)); }

void parse_stack(std::string_view text, Task& task) {
    char joined[decltype(task.stack)::size_max];
    std::size_t size = 0;
    for (std::string_view line; next_line(text, line);) {
        (void)next_word(line);  // "[<0>]"
        std::string_view name = next_word(line);
        name = name.substr(0, name.find('+'));
        if (name.empty() || size + name.size() + 1 > sizeof joined) break;
        if (size > 0) joined[size++] = '<';
        std::memcpy(joined + size, name.data(), name.size());
        size += name.size();
    }
    task.stack.assign({joined, size});
}

}  // namespace assay::recorder
