// Control groups: where this host keeps them, and one group that spans all the controllers we use.
//
// The interface is that of one group; that version 1 spreads it over several hierarchies stays inside. A host that lacks a
// controller still gets a Group: `has` says what is missing, setters of a missing controller do nothing and read back nullopt.
//
// Threading: none; used by one process at a time. Needs root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

enum class Controller { memory, pids, cpuacct, cpu, unified };  // unified: version 2 without controllers, for cgroup.kill
constexpr Controller controllers[] = {Controller::memory, Controller::pids, Controller::cpuacct, Controller::cpu, Controller::unified};

struct Hierarchy {
    Controller controller;
    std::string mount;  // where it is mounted
    std::string own;    // directory of the group this process was in when we looked
};

// Reads /proc/self/mountinfo and /proc/self/cgroup. An empty list is not an error.
std::vector<Hierarchy> find_hierarchies();
// The same from given texts, for tests.
std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view cgroup);

// `total_ns` is exact; how it divides is sampled at clock ticks, so the parts need not add up.
struct CpuUsage {
    std::int64_t total_ns = 0;
    std::int64_t user_ns = 0;
    std::int64_t system_ns = 0;
};

class Group {
public:
    Group() = default;
    // Makes `path` (relative to each hierarchy's own group). `fresh`: an existing one is an error (conflict).
    static Result<Group> make(const std::vector<Hierarchy>&, const std::string& path, bool fresh);
    Result<Group> make_child(const std::string& name) const;  // always fresh

    bool has(Controller) const;
    Result<> enter(int pid) const;                            // in every hierarchy
    Result<> enter_one(Controller, int pid) const;            // nothing to do when it is missing

    static Result<> enter_directory(const std::string& group, int pid);

    // Set and read back.
    Result<std::optional<std::int64_t>> limit_memory(std::int64_t bytes, bool with_swap) const;
    Result<std::optional<std::int64_t>> limit_processes(std::int64_t count) const;
    void set_cpu_shares(int shares) const;                    // best effort

    // An eventfd that becomes readable at an OOM in the group; empty without the memory controller.
    Result<sys::Fd> oom_events() const;
    std::int64_t oom_kills() const;
    std::int64_t memory_usage_bytes() const;
    std::int64_t memory_peak_bytes() const;                   // since the group was made
    std::int64_t processes_peak() const;                      // 0 = not known
    bool processes_hit() const;
    CpuUsage cpu_usage() const;

    // Ends every process in the group and below, at once where the kernel offers it (else: nothing, see kill_members).
    void kill() const;
    // Removes the group everywhere. Processes that still end are waited for until the deadline.
    Result<> remove(sys::TimePoint deadline) const;

private:
    std::string directory(Controller) const;  // empty when missing
    std::vector<Hierarchy> places_;           // `own` is this group's directory
};

// Kills everything in the group trees at `roots` and removes them, deepest first. Errors: timed_out with the name of what is left.
Result<> kill_and_remove(const std::vector<std::string>& roots, sys::TimePoint deadline);
// Every directory called `name` in any of the hierarchies (at most 8 levels deep).
std::vector<std::string> find_groups(const std::vector<Hierarchy>&, const std::string& name);

}  // namespace assay::sandbox
