// The system-call filters: compiled once by the helper into programs in memory, installed by a process on itself.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hh"

namespace assay::sandbox {

// language: everything but what could reach beyond the sandbox (EPERM, or ENOSYS where a libc probes). For compilers,
//           interpreters and virtual machines.
// compiled: only what an ordinary program of one process needs; anything else kills it.
// fill:     files and memory, nothing else; anything else is EPERM.
enum class FilterKind { language, compiled, fill };

class Filter {
public:
    static Result<Filter> compile(FilterKind);

    // On the calling thread, for good. Needs no_new_privs. Async-signal-safe.
    bool install() const;

private:
    std::vector<std::uint64_t> program_;  // struct sock_filter, eight bytes each
};

}  // namespace assay::sandbox
