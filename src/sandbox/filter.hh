// The system-call filters: compiled once, before the helper starts, into programs in memory; installed by a process on itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hh"

namespace assay::sandbox {

// language: everything but what could reach beyond the sandbox (EPERM, or ENOSYS where a libc probes). For compilers,
//           interpreters and virtual machines.
// compiled: only what an ordinary program needs, processes and threads included; anything else kills it.
// fill:     files and memory, nothing else; anything else is EPERM.
// Each kills on a foreign architecture and on x32, and answers ENOSYS to calls newer than its lists.
enum class FilterKind { language, compiled, fill };

class Filter {
public:
    static Result<Filter> compile(FilterKind);

    // On the calling thread, for good. Needs no_new_privs. Async-signal-safe.
    bool install() const;

    std::span<const std::uint64_t> program() const { return program_; }  // struct sock_filter, eight bytes each

private:
    std::vector<std::uint64_t> program_;
};

}  // namespace assay::sandbox
