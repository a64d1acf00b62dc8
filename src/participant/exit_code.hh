// Exit codes. Scripts rely on these. The one mapping from a Fault.
#pragma once

#include "base/result.hh"

namespace assay::participant {

enum class ExitCode { done = 0, failed = 1, misused = 2, unreachable = 3, interrupted = 4 };

constexpr ExitCode exit_code_of(Fault fault) {
    switch (fault) {
        case Fault::unreachable: case Fault::timed_out: return ExitCode::unreachable;
        case Fault::interrupted: return ExitCode::interrupted;
        default: return ExitCode::failed;
    }
}

}  // namespace assay::participant
