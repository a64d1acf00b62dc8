// Own cores: cores of the machine that a slot's commands have to themselves, as far as the host can keep others off.
//
// They are a cpuset: what runs in it gets no other core, whatever it asks for. Version 2 makes all slots' cores a partition, which nothing
// else of the machine is scheduled on (Documentation/admin-guide/cgroup-v2.rst, "cpuset.cpus.partition"); where that is refused, and on
// version 1, only this server keeps off them, and its other slots.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sandbox/cgroup.hh"

namespace assay::sandbox {

// Of cores in the order of `machine_cores` those of a slot, counted from the last, by rising number; empty: there are none for it. The first is nobody's.
std::vector<int> cores_of_slot(std::span<const int> by_need, int per_slot, int slot);
// Those that are left when `slots` have theirs, for the calling thread and all that it starts.
Result<> keep_to_rest(std::span<const int> by_need, int per_slot, int slots);

class OwnCores {
public:
    OwnCores() = default;
    // For all slots at once, in the groups called `group`, which are there. Errors: unsupported, when there is no cpuset controller.
    static Result<OwnCores> make(const std::vector<Hierarchy>&, const std::string& group, std::span<const int> cores);

    // Whether nothing else of the machine gets them; why not.
    const std::string& shared_because() const { return shared_because_; }
    // A job's group, `job` below `group`, is there on version 2; on version 1 it is made.
    Result<> give(const std::string& job, std::span<const int> cores) const;
    // A process of the job, and what it starts.
    Result<> enter(const std::string& job, int pid) const;

private:
    Hierarchy tree_;
    std::string group_;
    std::string shared_because_;
};

// Where version 1 has cpusets: for whoever removes what is left of them.
std::vector<Hierarchy> core_set_trees();

}  // namespace assay::sandbox
