// Runner: lease → fetch → run → grade → report, in a process of its own. It speaks the runner protocol, never the database.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "model/plan.hh"
#include "model/report.hh"
#include "runner/floor.hh"
#include "sandbox/sandbox.hh"
#include "sys/fd.hh"

namespace assay::runner {

// Everything one evaluation needs, and nothing about where it came from: `assay module check` calls this as well.
struct Work {
    model::Plan plan;
    int submission = -1;     // archive, readable from offset 0
    int revision = -1;       // the revision's tar, for /grader
};
struct Progress {            // told as it happens, for events
    std::string stage;
    std::string test;        // empty: the stage
    std::optional<model::StageReport> finished;  // else it began. Of a test: its stage, with it alone;
                                                 // of a stage: without the tests that were told
    std::optional<model::Reason> reason;  // it has not begun yet, for this reason
};
// Runs the stages in order and grades them. A command that ran out of time while the machine was busy is run once more, alone on
// `floor`, which all evaluations of this machine share; the report has both outcomes, and the second counts. Errors are infrastructure faults (the attempt failed); everything else is in the
// report. `stop` ends it early (Fault::interrupted).
Result<model::Report> evaluate(sandbox::Client&, Floor& floor, int slot, const Work&, const std::atomic<bool>& stop,
                               int wake_fd, const std::function<void(const Progress&)>& told);

// The role's main. Descriptors: 3..3+slots = connected stream sockets to the server (the first for heartbeats, one per slot),
// the last = sandbox connection. Ends when the server's sockets close.
int runner_main(int slots);

}  // namespace assay::runner
