// A keeper: the privileged process of one job. It runs the job's commands one after the other, each in a sandbox of its own,
// and keeps between them what they share: the job's group, the sealed states, the mount namespace that holds them.
#pragma once

#include <array>
#include <string>

#include "sandbox/cgroup.hh"
#include "sandbox/confine.hh"

namespace assay::sandbox {

// What the helper prepared once and every keeper inherits by fork.
struct Workshop {
    HelperConfig config;
    std::vector<Hierarchy> hierarchies;
    std::string group;                    // `assay-<id>`
    sys::Fd host_mounts;                  // namespaces before we made our own
    sys::Fd host_network;
    sys::Fd plain_root;                   // prepare_root, for jobs without an image
    sys::Fd launcher;  // its program
    sys::Fd data;                         // where images are; empty: there are none
    std::array<Filter, 3> filters;        // by FilterKind
    const Filter& filter(FilterKind kind) const { return filters[static_cast<std::size_t>(kind)]; }
};

struct JobOrder {
    int slot = 0;
    std::int64_t memory_max_bytes = 0;
    std::string image;                    // digest; empty: the host's own folders
    int network = -1;  // namespace of the slot, empty
    int users = -1;  // the same, of its uid alone
};

// Serves one job until its socket or `life` (the helper's pipe) closes. Returns the exit code of the process: 0 = nothing is left.
int keep_job(const Workshop&, const JobOrder&, sys::Fd socket, sys::Fd life);

}  // namespace assay::sandbox
