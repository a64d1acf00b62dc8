// Control groups: where this host keeps them, and one group that spans all the controllers we use.
//
// The interface is that of one group; that version 1 spreads it over several hierarchies, and that version 2 wants processes in
// leaves alone, stays inside. A host that lacks a controller still gets a Group: `has` says what is missing, setters of a
// missing controller do nothing and read back nullopt.
//
// Threading: none; used by one process at a time. Needs root.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// cpuacct: what CPU time was used; cpu: who gets how much of it; unified: a version 2 group as such, for cgroup.kill. cpuset: of version 1,
// for own_cores.hh alone; no Group has it.
enum class Controller { memory, pids, cpuacct, cpu, io, unified, cpuset };

struct Hierarchy {
    int version = 1;
    std::string mount;                    // where it is mounted
    std::string own;                      // directory below which our groups are made
    std::string home;                     // directory of the group this process was in when we looked
    std::vector<Controller> controllers;  // a controller belongs to one hierarchy alone
    bool crowded = false;                 // version 2: `own` holds processes, which must leave it before our groups get controllers

    bool serves(Controller) const;
};

// Reads /proc/self/mountinfo and /proc/self/cgroup, and of version 2 what the directories say. Those that we may not write to
// are not there for us. An empty list is not an error.
std::vector<Hierarchy> find_hierarchies();
// The same from given texts, for tests.
std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view cgroup);

// Takes the processes out of a crowded hierarchy's directory into a leaf of it, `assay-outside`: only where all of them are
// ours to move, which is what a service manager's delegation and a container's own tree mean.
Result<> make_room(std::vector<Hierarchy>&);
// The same trees, for commands: below the group `name` where a tree has it directly below its root and lets us write there, as a unit of a
// service manager's own for them; else below `own`. Below a service's group their turns would come after the rest of that service alone, and
// to the rest of the machine they would be the service. `name` empty: nowhere.
std::vector<Hierarchy> lodge(std::vector<Hierarchy>, const std::string& name);
// What is kept for a group that was made room in (memory.min, a unit's MemoryMin=) becomes that leaf's, where the server is; otherwise
// the kernel would deal it out among all below, jobs included. Once a group was made there, so that the leaf has the controller.
void keep_memory(const std::vector<Hierarchy>&);

// `total_ns` is exact; how it divides is sampled at clock ticks, so the parts need not add up.
struct CpuUsage {
    std::int64_t total_ns = 0;
    std::int64_t user_ns = 0;
    std::int64_t system_ns = 0;
};

class Group {
public:
    Group() = default;
    // Makes `path` below each hierarchy's `own`, its parents having been made before. `fresh`: an existing one is an error (conflict),
    // but for what `retired` still has of it, which is used again.
    static Result<Group> make(const std::vector<Hierarchy>&, const std::string& path, bool fresh, Group retired = {});
    Result<Group> make_child(const std::string& name, Group retired = {}) const;  // always fresh

    bool has(Controller) const;
    int birthplace() const;                                   // for clone_process: a later move waits for the machine; -1: none
    Result<> enter(int pid) const;                            // of a process born there: in every other hierarchy
    // `pid` as one more in the version 2 group, where that counts nothing (hybrid): that it empties, which the kernel tells every
    // file system of groups, then falls to when `pid` ends, and not to a command's end.
    Result<> occupy(int pid) const;

    // From now on what is read stays open, for whoever has to wait for it the next time.
    void keep_open();
    // The same group for a process that has closed what it inherited.
    Result<Group> reopened() const;

    // Set and read back.
    // `command`: of a group that a command runs in: no swap, and version 2 ends all of it at once.
    Result<std::optional<std::int64_t>> limit_memory(std::int64_t bytes, bool command) const;
    Result<std::optional<std::int64_t>> limit_processes(std::int64_t count) const;
    Result<std::optional<std::int64_t>> limit_cores(std::int64_t count) const;  // CPU time per time, as if it had so many; 0: any
    // 1..10000, where an ordinary group has 100; 0: what runs in it gets a core when nothing else of the machine wants it, and
    // gives it up at once. Best effort.
    void set_cpu_weight(int weight) const;

    // What may stay charged to a group of version 1 in which nothing is: pages that the kernel took in advance.
    static std::int64_t reserve_bytes();

    bool limits_swap() const;                                 // or there is none that could be used instead of memory

    // Version 1: an eventfd that becomes readable at an OOM in the group. Empty where the kernel itself ends a group that is out
    // of memory (version 2), and without the memory controller. It stays the group's.
    Result<int> oom_events() const;
    std::int64_t oom_kills() const;
    std::int64_t memory_usage_bytes() const;
    std::int64_t memory_peak_bytes() const;                   // since the group was made
    std::int64_t processes() const;                           // now, tasks; -1 = not known
    std::int64_t processes_peak() const;                      // 0 = not known
    bool processes_hit() const;
    CpuUsage cpu_usage() const;
    std::int64_t cpu_used_ns() const;                         // its total alone
    void open_counters() const;                               // those that are read when a command has ended
    // nullopt: this host does not tell.
    std::optional<std::int64_t> memory_file_bytes() const;    // page cache of files still charged, scratch not counted
    std::optional<std::int64_t> memory_refaulted_bytes()
        const;  // of files, read in again after they had been thrown out, since it was made
    std::optional<std::int64_t> throttled_ns() const;         // by this group's own limit
    struct Io {
        std::int64_t read_bytes = 0;
        std::int64_t write_bytes = 0;
    };
    std::optional<Io> io() const;                             // at block devices
    // Time in which something in the group waited for `what` (cpu, memory or io), since it was made. Version 2 alone tells.
    std::optional<std::int64_t> stalled_us(std::string_view what) const;
    const Hierarchy* place(Controller) const;                 // `own` is this group's directory; nullptr: missing

    // Ends every process in the group and below, at once where the kernel offers it (else: nothing, see kill_members).
    void kill() const;
    // Removes the group everywhere. Processes that still end are waited for until the deadline.
    Result<> remove(sys::TimePoint deadline) const;
    // The same, but for what a later command can be given as it is, since nothing of this one shows in it (`Place::lasting`, `is_blank`).
    // Only of a group without a quota, when all that was charged to it has been freed.
    Result<Group> retire(sys::TimePoint deadline);

private:
    struct Opened {
        sys::Fd directory;
        bool keep = false;                                    // what is read stays open
        bool killed = false;  // its members once were
        std::map<std::string, sys::Fd, std::less<>> files;
        sys::Fd members;                                      // cgroup.procs, for writing
        sys::Fd ooms;                                         // oom_events
        std::map<std::string, std::pair<std::string, std::string>, std::less<>> limits;  // what was set last, and what it read then
    };
    struct Place : Hierarchy {
        std::shared_ptr<Opened> opened;
        bool lasting() const;                                 // it limits and counts nothing but time, which is read as differences
    };
    struct Control {                                          // a file of a group
        const Place* place = nullptr;                         // nullptr: missing
        std::string_view name;
        explicit operator bool() const { return place != nullptr; }
        std::string path() const { return place->own + "/" + std::string{name}; }
    };
    static Result<Place> open(Hierarchy);
    static Result<> remove(const Place&, sys::TimePoint deadline);
    const Place* find(Controller) const;
    Control control(Controller, std::string_view v1, std::string_view v2) const;
    std::string read(const Control&) const;                   // empty when it is missing or cannot be read
    const sys::Fd& open_file(const Control&) const;           // one that stays open; empty when it cannot be
    Result<> write(const Control&, std::string_view text) const;
    Result<std::string> set(const Control&, std::string_view text) const;  // and what it reads then; ours alone to set, so not twice the same
    Result<> join(const Place&, int pid) const;
    bool is_blank(const Place&) const;
    bool exists(const Control&) const;
    std::vector<Place> places_;
};

// Kills everything in the group trees at `roots` and removes them, deepest first. Errors: timed_out with the name of what is left.
Result<> kill_and_remove(const std::vector<std::string>& roots, sys::TimePoint deadline);
// The same for those called `name` at the places for our groups; what is not there is gone.
Result<> kill_and_remove(const std::vector<Hierarchy>&, const std::string& name, sys::TimePoint deadline);
// Every directory called `name` in any of the hierarchies (at most 8 levels deep).
std::vector<std::string> find_groups(const std::vector<Hierarchy>&, const std::string& name);

}  // namespace assay::sandbox
