#include "grade/grade.hh"

namespace assay::grade {

using model::Verdict;

Verdict verdict_of(const model::Outcome& outcome, bool trusted, bool before_tests) {
    const bool clean = outcome.exit_code == 0 && !outcome.signal;
    if (!outcome.started || !outcome.fault.empty() || outcome.cancelled) return Verdict::system_fault;
    const bool timed_out = outcome.cpu_exceeded || outcome.wall_exceeded;
    if (trusted && (!clean || timed_out)) return Verdict::grader_fault;
    if (outcome.oom_killed) return Verdict::memory_limit;
    if (outcome.cpu_exceeded) return Verdict::time_limit;
    if (outcome.wall_exceeded) return Verdict::wall_limit;
    if (outcome.output_exceeded) return Verdict::output_limit;
    if (outcome.io_exceeded) return Verdict::io_limit;
    if (outcome.forbidden) return Verdict::forbidden;
    if (outcome.signal) return Verdict::crashed;
    if (outcome.processes_hit && !clean) return Verdict::process_limit;
    if (outcome.disk_full && !clean) return Verdict::disk_limit;
    if (clean) return Verdict::passed;
    return before_tests ? Verdict::build_failed : Verdict::failed;
}

bool deserves_another_try(const model::Outcome& outcome) {
    const bool ran = outcome.started && outcome.fault.empty() && !outcome.cancelled;
    const bool late = outcome.cpu_exceeded || outcome.wall_exceeded;
    return ran && late && !outcome.oom_killed && outcome.trustworthy_timing == false;
}

}  // namespace assay::grade
