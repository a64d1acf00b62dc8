// Confine: giving up rights for good, before hostile bytes are read.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

// What this kernel has to confine a process with.
struct Confinement {
    int landlock_abi = 0;      // 0: it has none, or it is not switched on
    bool call_filter = false;  // seccomp that ends the whole process
};
Confinement confinement();

// From here on no file is opened, made, changed or removed; from ABI 4 on no TCP port is bound or connected to, from 6 on no
// process outside is signalled and no abstract socket connected to. Where the kernel has no Landlock nothing happens.
Result<> enter_landlock();

struct ParserLimits {
    std::int64_t memory_bytes = 256LL << 20;  // address space; new fails beyond
    // The one descriptor that it may be sent, again and again, and close: the lowest free number. nullopt: none.
    std::optional<int> passed_fd;
};

// From here on this process computes, reads and writes descriptors it has, and can end; opening, connecting, starting and
// signalling anything is death by SIGSYS. Resource limits, no new privileges, Landlock where the kernel has it, a system-call
// filter. Its processor time is bounded by whoever gives it work. Call it single-threaded.
// Errors: unsupported (no system-call filter here), system.
Result<> confine_parser(const ParserLimits&);

struct TreeLimits {
    std::int64_t cpu_ms = 3'600'000;
    std::int64_t memory_bytes = 512LL << 20;  // address space
    std::int64_t file_bytes = 1LL << 40;      // of one file
    std::uint64_t open_files = 256;
};

// From here on this process reads and writes descriptors it has, and makes, changes and removes files, folders and links
// below `tree`, a folder that it has open; devices, sockets, starting, connecting and signalling are death by SIGSYS. As root
// it first makes `tree` its root and becomes the folder's owner; where the kernel has Landlock, `tree` is all it reaches in any
// case. It ends with the thread that started it. Call it single-threaded. Errors: unsupported, denied (the folder is root's own), system.
Result<> confine_to_tree(const Fd& tree, const TreeLimits& limits);

}  // namespace assay::sys
