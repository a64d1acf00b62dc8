// Policy: pure decisions about the line. Data and time in, decision out; tested by tables and seeded simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "grade/lateness.hh"
#include "model/plan.hh"
#include "model/wait_detail.hh"
#include "store/rows.hh"
#include "sys/clock.hh"

namespace assay::queue {

// --- Arrival: what becomes of an upload whose bytes are durable. Taken inside the commit.

struct Arrival {
    std::string sha256;
    RevisionId revision;
    grade::Arrived arrived;
};
struct ArrivalDecision {
    enum class Kind { fresh, repeat } kind = Kind::fresh;
    std::optional<SubmissionId> repeated;    // the one whose receipt is given again
    std::optional<SubmissionId> replaces;    // the participant's older queued one, whose place in line is taken
    bool held = false;                       // submissions_used
};
constexpr std::int64_t repeat_within_ms = 10 * 60 * 1000;

// `earlier`: the participant's submissions in the module, newest first. `newest_verdict`: of the newest one, if graded.
// `counted`: how many count to submissions_max. `dates`: as they are for him. A replacement never crosses a boundary of lateness:
// what was in time, or cost less, stays in line.
ArrivalDecision decide_arrival(const Arrival&, std::span<const store::Submission> earlier,
                               std::optional<model::Verdict> newest_verdict, std::int64_t counted, const model::Plan&, const grade::Dates&);

// What being handed in when it was means for a submission.
grade::Lateness lateness_of(const grade::Arrived&, const model::Plan&, const grade::Dates&);
grade::Arrived arrived(const store::Submission&);

// Whether the module takes work at this time: nullopt = yes, else not_open or closed.
std::optional<model::Refusal> closed_at(const grade::Dates&, std::int64_t at_ms);
std::optional<model::Refusal> closed_at(const model::Plan&, std::int64_t at_ms);  // for whom nothing was extended

// --- Choice: which job starts next.

struct Situation {
    std::span<const store::QueuedJob> waiting;   // by place
    std::span<const store::QueuedJob> running;
    std::span<const store::Standing> paused;     // modules nothing of which starts
    int slots = 0;                               // of connected, fit runners
    std::int64_t now_ms = 0;
    std::int64_t server_started_ms = 0;
    bool draining = false;
    model::WaitDetail no_runner;                 // why slots is 0
    std::optional<model::WaitDetail> disk_reserve;  // while the disk is short of room; nothing starts then
};

// Oldest first, of modules that are not paused; at most one running job per participant (of a course); a job that was cut `cuts_alone` times in a row runs
// alone; one that is backing off waits. nullopt: nothing may start now.
std::optional<JobId> choose(const Situation&);

// When the first backing-off job may start, for the timer of whoever waits. nullopt: none is backing off.
std::optional<std::int64_t> next_wake_ms(const Situation&);

constexpr std::int64_t faults_max = 3;           // ended by infrastructure faults; then system_fault
constexpr std::int64_t cuts_backoff_from = 4;    // the 4th cut in a row starts after 1 s, doubling
constexpr std::int64_t cuts_backoff_max_ms = 30'000;
constexpr std::int64_t cuts_alone = 20;          // from here it runs alone, and staff are told

// Milliseconds after the server's start before a job with this many cuts in a row may start.
std::int64_t cut_backoff_ms(std::int64_t cuts_in_a_row);

// --- Explanation: why a waiting job waits, and where it stands.

struct Waiting {
    model::Reason reason = model::Reason::slot;
    std::int64_t since_ms = 0;
    std::optional<model::WaitDetail> detail;     // its text never holds a token or path
    std::int64_t position = 0;                   // 1-based among those that wait
};
std::optional<Waiting> explain(const Situation&, JobId);
Waiting explain_at(const Situation&, std::size_t index);  // of `waiting`

// --- What a verdict brings about.

constexpr std::int64_t broken_faults = 5;        // in a row, over at least two participants: the module's grader is broken

// How the module stands after this verdict. Only verdicts on its current revision say anything about it.
struct Judged {
    ParticipantId participant;
    RevisionId revision;                         // that was run
    model::Verdict verdict = model::Verdict::failed;
};
store::Standing standing_after(store::Standing, const Judged&, RevisionId current, std::int64_t now_ms);

// Whether a rejudge's verdict takes the place of the one before: a fault of ours never takes an earlier result away.
bool takes_the_place(model::Verdict fresh, std::optional<model::Verdict> before);

}  // namespace assay::queue
