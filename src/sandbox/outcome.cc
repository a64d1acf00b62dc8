// The keeper's answer as whoever asked reads it.
#include <csignal>
#include <optional>

#include "sandbox/protocol.hh"

namespace assay::sandbox {

model::Outcome outcome_of(const FromKeeper& answer) {
    model::Outcome outcome;
    outcome.started = answer.started != 0;
    if (outcome.started) {
        if (answer.signalled != 0) outcome.signal = answer.code;
        else outcome.exit_code = answer.code;
    }
    outcome.cpu_exceeded = answer.cpu_exceeded != 0;
    outcome.wall_exceeded = answer.wall_exceeded != 0;
    outcome.io_exceeded = answer.io_exceeded != 0;
    outcome.oom_killed = answer.oom_killed != 0;
    outcome.processes_hit = answer.processes_hit != 0;
    outcome.disk_full = answer.disk_full != 0;
    outcome.forbidden = answer.signalled != 0 && answer.code == SIGSYS;
    outcome.cpu_user_ms = answer.cpu_user_ms;
    outcome.cpu_system_ms = answer.cpu_system_ms;
    outcome.wall_ms = answer.wall_ms;
    outcome.memory_peak_bytes = answer.memory_peak_bytes;
    outcome.processes_peak = answer.processes_peak;
    const auto known = [](std::int64_t value) { return value >= 0 ? std::optional{value} : std::nullopt; };
    if (answer.throttled_ns >= 0) outcome.throttled_ms = static_cast<double>(answer.throttled_ns) / 1e6;
    if (answer.memory_stalled_ns >= 0) outcome.memory_stalled_ms = static_cast<double>(answer.memory_stalled_ns) / 1e6;
    outcome.memory_file_bytes = known(answer.memory_file_bytes);
    outcome.io_read_bytes = known(answer.io_read_bytes);
    outcome.io_write_bytes = known(answer.io_write_bytes);
    if (answer.trustworthy_timing >= 0) outcome.trustworthy_timing = answer.trustworthy_timing != 0;
    outcome.limits = answer.limits;
    outcome.guarantees = answer.guarantees;
    return outcome;
}

}  // namespace assay::sandbox
