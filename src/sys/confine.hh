// Confine: giving up rights for good, before hostile bytes are read.
#pragma once

#include <cstdint>

#include "base/result.hh"

namespace assay::sys {

struct ParserLimits {
    std::int64_t cpu_ms = 20'000;            // SIGPROF, by a timer; should that fail, SIGKILL up to two seconds later
    std::int64_t memory_bytes = 256LL << 20;  // address space; new fails beyond
};

// From here on this process computes, reads and writes descriptors it has, and can end; opening, connecting, starting and
// signalling anything is death by SIGSYS. Resource limits, no new privileges, Landlock where the kernel has it, a system-call
// filter. Call it single-threaded. Errors: unsupported (no system-call filter here), system.
Result<> confine_parser(const ParserLimits&);

}  // namespace assay::sys
