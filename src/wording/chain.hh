// What `assay why SUBMISSION` says besides the reason itself: what it sees, and what staff can do about each reason. Pure.
#pragma once

#include <span>
#include <string>

#include "wording/wording.hh"

namespace assay::wording {

enum class Chain : unsigned char {
    since,  // {0} time, {1} for how long
    position,  // {0} place in line
    expected,  // {0} time
    expected_unknown,
    slots_run,  // {0} busy, {1} of
    job_runs,  // {0} submission, {1} course/module, {2} participant, {3} for how long, {4} what it does
    own_runs,  // {0} submission, {1} for how long, {2} what it does
    others_run,  // {0} how many, {1} for how long the oldest has run
    in_stage,  // {0} stage, {1} tests done, {2} of
    in_no_stage,
    runs_now,  // {0} what it does
    begun_again,  // {0} times by a fault, {1} times by a stop
    no_longer_waits,  // {0} its state
    behind_all,  // the last step where nothing is further down
    job_now,  // {0} job, {1} what it does or waits for, as `why --job` says it
    stage_fault,  // {0} stage, {1} what failed, in technical English
    test_fault,  // {0} stage, {1} test, {2} what failed
    more_faults,  // {0} how many
    end_of_stream,  // {0} stdout or stderr
    after_grader_fault,  // {0} submission
    after_system_fault,  // {0} submission
    last_ = after_system_fault,
};

std::string say(Language, Chain, std::span<const std::string> arguments);
// What staff can do so that this reason ends. Nothing, where it ends by itself: then that is said.
std::string remedy(Language, model::Reason);

}  // namespace assay::wording
