// Staff: what staff do to the line, and the line as they see it.
//
// pause … rejudge are bodies of one transaction; each returns the line to print. Asked for twice they say so and change
// nothing. Errors: missing (no such module or submission), conflict (its state, named, does not allow it).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "queue/board.hh"
#include "queue/line.hh"
#include "queue/view.hh"
#include "store/store.hh"

namespace assay::queue {

// Nothing of the module starts until `resume`; what runs goes on. `resume` ends grader_broken as well.
Result<std::string> pause(store::Tx&, const CourseId&, const ModuleId&, std::int64_t now_ms);
Result<std::string> resume(store::Tx&, const CourseId&, const ModuleId&);

// Takes a queued submission, or the waiting rejudge of a graded one, out of line; its place is kept for `release`. One that was never
// in line (submissions_used) goes to the end of it; one that a newer one replaced goes back to the place both had.
Result<std::string> hold(store::Tx&, const SubmissionId&, std::int64_t now_ms);
Result<std::string> release(store::Tx&, const SubmissionId&);

// Takes one that waits, is held or runs out for good, or the rejudge of a graded one, whose verdict stays. It is not judged, counts as not
// handed in, and keeps its archive and receipt. `lease`: of what ran; whoever holds it has to be told that it is void.
struct Cancelled {
    std::string said;
    std::optional<Token> lease;
};
Result<Cancelled> cancel(store::Tx&, const SubmissionId&, std::int64_t now_ms);

// Judges a graded submission again, on the module's current revision, as a new generation (store/rows.hh).
Result<std::string> rejudge(store::Tx&, const SubmissionId&);
// The same for every graded submission of the module, or (`verdict`) each that has this verdict, as after a grader was mended. One that is
// judged again already stays as it is. At most `rejudged_at_once_max`; it says when there are more.
Result<std::string> rejudge_all(store::Tx&, const CourseId&, const ModuleId&, std::optional<model::Verdict> verdict);
constexpr std::int64_t rejudged_at_once_max = 5000;  // one transaction, which everybody who hands in waits for

constexpr std::size_t queue_listed_max = 1000;   // jobs; the rest is only counted

// {slots, paused: [{course, module, reason, since}], jobs: [{id, course, module, participant, generation, state, since,
// position, expected_start, progress, reason}], not_shown}: what runs, what waits in turn, what is held. `progress`: {stage,
// tests_done, tests_all, reason} of what runs. `reason` is {code, text, details} or null.
// Times in the server's zone.
Result<std::string> queue_json(store::Reading&, const Board&, std::int64_t now_ms,
                               const std::function<WaitText(const Waiting&)>& wait_text);
// The same for people, from that JSON.
Result<std::string> queue_text(const std::string& json);

}  // namespace assay::queue
