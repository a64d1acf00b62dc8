// A keeper: the privileged process of one slot. It serves the slot's jobs one after the other, and runs each job's commands one after
// the other, each in a sandbox of its own. Between commands it keeps what they share: the job's group, the sealed states. Between jobs
// it keeps nothing that a job could have touched: its mount namespace, empty again, and groups in which nothing of it shows.
#pragma once

#include <string>
#include <vector>

#include "sandbox/cgroup.hh"
#include "sandbox/confine.hh"
#include "sandbox/disk_reads.hh"
#include "sandbox/disk_scratch.hh"
#include "sandbox/own_cores.hh"
#include "sandbox/provisions.hh"

namespace assay::sandbox {

// What the helper prepared once and every keeper inherits by fork.
struct Workshop {
    HelperConfig config;
    std::vector<Hierarchy> hierarchies;
    std::string group;                    // `assay-<id>`
    bool contained = false;               // in a user namespace that has a part of the machine's ids
    Provisions given;
    OwnCores own_cores;                   // with config.cores_per_slot
    DiskReads disk_reads;
    DiskScratch disk_scratch;
    sys::Fd host_mounts;                  // namespaces before we made our own
    sys::Fd host_network;
    sys::Fd plain_root;                   // prepare_root, for jobs without an image
    sys::Fd launcher;  // its program
    sys::Fd data;                         // where images are; empty: there are none
    const Filter& filter(FilterKind kind) const { return given.filters[static_cast<std::size_t>(kind)]; }
};

// Serves the jobs that the helper hands over (ToHelper::open_job and the job's socket) until `helper` closes, a job does not end in the
// ordinary way, or something could not be undone. After each of the others it says `say::ready` there, then closes the job's socket.
// Returns the exit code of the process: 0 = nothing is left.
int keep_slot(const Workshop&, int slot, sys::Fd helper);

}  // namespace assay::sandbox
