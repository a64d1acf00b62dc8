// What the kernel writes into /proc and cgroup files, read. Pure; whatever is not as expected gives nullopt or an empty value.
// Formats: proc(5), cgroups(7), the kernel's Documentation/accounting/psi.rst and admin-guide/cgroup-v2.rst.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::diagnosis {

std::optional<std::int64_t> number_of(std::string_view);  // decimal, all of it; "max" and "-1" give nullopt

// /proc/PID/stat and /proc/PID/task/TID/stat.
struct Stat {
    int pid = 0;
    std::string name;  // up to 15 bytes of anything, made harmless
    char state = '?';
    int parent = 0;
    std::int64_t minor_faults = 0, major_faults = 0;
    std::int64_t cpu_ticks = 0;
    std::int64_t children_ticks = 0;  // of those that ended and were collected, and of theirs
    int processor = 0;
    int exit_status = 0;  // as wait(2) gives it; of a zombie
    std::int64_t arguments_at = 0;  // where its arguments lie; a fork keeps it, an exec draws another
};
std::optional<Stat> stat_of(std::string_view);

// "Name:\tvalue" lines; status, meminfo, io, fdinfo, limits are read by this. Empty: it is not there.
std::string_view field_of(std::string_view text, std::string_view name);
// "nr_throttled 7" lines.
std::optional<std::int64_t> counter_of(std::string_view text, std::string_view name);
// /proc/stat: time in use of the CPUs in a list, without what a hypervisor kept; ticks.
std::int64_t busy_ticks(std::string_view stat, std::string_view cpus);
int cpus_in_list(std::string_view list);  // "0-3,8" -> 5
bool in_list(std::string_view list, int cpu);
// The first of the three numbers of /proc/PID/schedstat is time on a CPU, the second time ready without one; ns.
struct Scheduled {
    std::int64_t cpu_ns = 0, delay_ns = 0;
};
Scheduled scheduled_of(std::string_view);

// /proc/PID/task/TID/syscall: "running", or a number (-1: in no call, as in a page fault) and six arguments.
struct Call {
    bool running = false;
    long number = -1;
    std::array<std::uint64_t, 6> arguments{};
    auto operator<=>(const Call&) const = default;
};
std::optional<Call> call_of(std::string_view);

// The stalled time of all ("some … total=N"), in µs.
std::optional<std::int64_t> pressure_us(std::string_view);

struct MountLine {
    std::string root, path, type, options;  // `options`: of the file system, where cgroup v1 names its controllers
    std::uint64_t device = 0;  // as stat(2) gives it
};
std::vector<MountLine> mounts_of(std::string_view mountinfo);
// The mount a path is on: the longest that begins it.
const MountLine* mount_of(const std::vector<MountLine>&, std::string_view path);

// /proc/PID/cgroup: controller -> path; "" is the version 2 tree.
std::map<std::string, std::string> groups_of(std::string_view);

// A line of /proc/PID/net/{tcp,tcp6}; addresses as the kernel writes them, to be compared, and as people do.
struct Connection {
    std::string local, remote;  // raw
    std::string local_text, remote_text;  // "127.0.0.1:8080", "[::1]:8080"
    bool listening = false;
    std::uint64_t inode = 0;
};
std::vector<Connection> connections_of(std::string_view);

// Of /proc/PID/net/unix: those that listen, and names.
struct UnixSocket {
    std::uint64_t inode = 0;
    bool listening = false;
    std::string path;
};
std::vector<UnixSocket> unix_sockets_of(std::string_view);

// /proc/locks: who holds what, and who waits for it. Keyed by "MAJ:MIN:INODE" as there.
struct FileLock {
    int pid = 0;
    bool waits = false;
    std::string file;
};
std::vector<FileLock> file_locks_of(std::string_view);

// "pipe:[123]" -> 123; nullopt: another kind.
std::optional<std::uint64_t> inode_in(std::string_view link, std::string_view kind);

}  // namespace assay::diagnosis
