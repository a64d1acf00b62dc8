// Observed: what was seen from outside of a tree of processes during a few seconds. Plain data: the sampler fills it, the rules read
// it, and a test writes it down.
//
// Times are seconds, shares 0 … 1 (or more where many threads are summed), counters the growth over the window unless said otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::diagnosis {

enum class Wait : std::uint8_t {
    none,  // it ran, or nothing is known
    lock,  // a futex: a mutex, a semaphore, a condition
    join,  // the end of a thread
    child,  // the end of a process
    pipe,
    socket,  // a connected one
    requests,  // a listening one, or several events of which one is
    events,  // several descriptors
    file_data,
    file_metadata,  // a path: open, stat, rename …
    page,  // a page of memory that has to be read
    file_lock,
    timer,
    signal,
    terminal,
    other,
};

// What a thread waits for, and who could end that.
struct Awaited {
    Wait wait = Wait::none;
    std::string call;  // the system call's name; empty: none
    std::string object;  // by name, such as a path, "pipe:[1234]", "10.0.0.3:2049"
    std::string mount_type;  // of a file: "ext4", "nfs4", "fuse.sshfs"
    bool bounded = false;  // it ends by itself
    bool outside = false;  // somebody may end it who is not known here
    bool own_process = false;  // any other thread of the process may end it
    std::vector<int> pids;  // processes that may end it, seen here or not
    std::vector<int> tids;  // threads that may end it
    std::optional<int> owner_gone;  // a lock's owner, who is no thread of the process
};

struct Thread {
    int tid = 0;
    std::string name;
    int looks = 0;  // how often it was looked at,
    int running = 0;  // and how often it ran or was ready to
    int storage = 0;  // … waited for a disk or a network file system
    int metadata = 0;  // … of these for a name and not for bytes
    int stopped = 0;  // … was stopped by a signal or a debugger
    int same = 0;  // … waited in `awaited`, with the same arguments
    double cpu_s = 0;
    double delay_s = 0;  // ready, but no CPU for it
    std::int64_t voluntary = 0, forced = 0;  // switches
    Awaited awaited;
};

struct Ended {
    int pid = 0;
    std::string name;
    int exit_code = 0;  // or -signal
};

struct Process {
    int pid = 0;
    int parent = 0;
    std::string name;
    bool forked = false;  // by a process of the same program, and no exec since
    int tracer = 0;  // pid of a debugger
    std::vector<Thread> threads;
    std::vector<Ended> ended;  // children nobody has collected
    std::optional<std::int64_t> bytes;  // read and written by calls, of whatever kind
    std::optional<std::int64_t> calls;  // such calls
    std::optional<std::int64_t> bytes_written, calls_writing;
    std::int64_t major_faults = 0, minor_faults = 0;
    double children_cpu_s = 0;  // of children that ended and were collected meanwhile
    std::optional<std::int64_t> descriptors, descriptors_max;  // now
    std::optional<std::int64_t> tasks_max;  // RLIMIT_NPROC, of its user
    double cpus_allowed = 0;
};

// The limits that hold for the tree, each the tightest of its group and those above, by name.
struct Group {
    std::string name;
    std::string quota_of;
    std::optional<double> quota_cpus;
    std::int64_t periods = 0, throttled = 0;
    double throttled_s = 0;
    std::string memory_of;
    std::optional<std::int64_t> memory_max;
    std::int64_t memory = 0;  // now
    std::int64_t memory_at_limit = 0;  // times it hit the limit
    std::int64_t refaults = 0;
    std::int64_t oom_kills = 0;  // since the group began
    std::string tasks_of;
    std::optional<std::int64_t> tasks_max;
    std::int64_t tasks = 0;  // now
    std::int64_t tasks_refused = 0;  // since the group began
    std::vector<std::string> io_limits;  // as the kernel writes them
    bool frozen = false;
    std::optional<double> pressure_cpu, pressure_io, pressure_memory;
};

// Someone who is not of the tree.
struct Other {
    std::string name;
    char state = '?';
    double cpu = 0;  // cores, on the CPUs that the tree may use
};

struct Mount {
    std::string path;
    std::string type;
    std::int64_t free_bytes = 0, size_bytes = 0, free_files = 0;
    bool written = false;  // something on it is open for writing
};

struct Observed {
    double window_s = 0;
    int looks = 0;
    std::vector<Process> processes;  // the first is what was asked about, or the group's first
    Group group;
    std::map<int, Other> others;  // neighbours and peers, by pid
    std::vector<Mount> mounts;  // where the tree writes
    int cpus = 1;  // of the machine
    double cpus_allowed = 1;  // of the tree
    double machine_cpu = 0;  // cores in use on the CPUs allowed, by everybody, ended or not
    std::optional<double> steal;  // share of the machine's time that a hypervisor kept
    std::int64_t memory_available = 0, memory_total = 0;
    std::optional<double> pressure_cpu, pressure_io, pressure_memory;  // of the machine
    // Times between signs of work (bytes, calls, ends of processes); without any sign the whole window.
    double gap_longest_s = 0, gap_median_s = 0;
    std::vector<std::string> unread;  // what could not be read, and why
};

}  // namespace assay::diagnosis
