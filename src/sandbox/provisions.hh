// What a helper needs to know of this machine, found out by whoever starts it: what can be done before need not be by the process that
// keeps root.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sandbox/disk_scratch.hh"
#include "sandbox/filter.hh"
#include "sandbox/helper.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

struct Provisions {
    std::array<Filter, 3> filters;  // by FilterKind
    std::vector<int> cores;  // machine_cores
    std::vector<std::string> disks;  // that commands read from (disks.hh)
    std::optional<Lack> lack_of_folder;  // of scratch on disk, if that is offered
};
// Errors: those of Filter::compile.
Result<Provisions> provide(const HelperConfig&);

// Runs the helper in this process until the control socket closes; returns when every sandbox is gone. Call it in a freshly
// forked, single-threaded process that is still root.
//
// Control socket (seqpacket), from the server: `spawn runner` with the runner's descriptors; the answer carries its pidfd.
// A runner's sandbox socket that closes ends that runner's sandboxes.
int helper_main(const HelperConfig&, Provisions, sys::Fd control);

}  // namespace assay::sandbox
