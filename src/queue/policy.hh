// Policy: pure decisions about the line. Data and time in, decision out; tested by tables and seeded simulation.
#pragma once

#include <cstdint>
#include <map>
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
// Whether bytes may be sent at this time: what was committed while it took work may still come in the commitment's time.
// `made`: the participant's commitments in the module (store::Reading::commitments).
std::optional<model::Refusal> closed_to_bytes(const grade::Dates&, std::span<const store::Commitment> made, std::int64_t at_ms);

// --- Choice: which job starts next.

// The order of turns, and why this one.
//
// Next is whoever has waited longest since his last turn, or since he joined the line when that was later: of each participant
// (of a course) the oldest job stands for him, with the later of the time it was received and the time a job of his started
// last. Once a job of his starts, all who wait already come before his next one. So while somebody's oldest job waits, every
// other participant starts at most one: a flood of 4,000 by one adds at most one slot of delay to any other. People with one job
// each are served as they came. The k-th jobs of all come after their (k-1)-th ones.
//
// Nobody runs two at once, even when a slot is idle: that slot is what makes the next person's wait nothing.
// All rejudges of a course stand in line as one participant would, and of two or more slots they leave one free. So live work
// waits for at most one of them, and they are never starved: each round has a turn of theirs.
// Wall clock: one set back costs those who had a turn since then their place in one round, nothing else.
//
// Sorts into that order what is given by place. Jobs of paused modules come last; one that backs off lets the next one of the
// same participant stand for him.
struct Situation;
std::vector<store::QueuedJob> in_turn(std::vector<store::QueuedJob> by_place, const Situation&);

// What a job of a revision takes of the machine at most.
struct Needs {
    std::int64_t memory_bytes = 0;
    std::int64_t scratch_bytes = 0;              // of the disk, for scratch that is no memory
    bool operator==(const Needs&) const = default;
};

struct Situation {
    std::span<const store::QueuedJob> waiting;   // in turn
    std::span<const store::QueuedJob> running;
    std::span<const store::Standing> paused;     // modules nothing of which starts; with the reason `image`: of this revision
    int slots = 0;                               // of connected, fit runners
    std::int64_t now_ms = 0;
    std::int64_t server_started_ms = 0;
    bool draining = false;
    model::WaitDetail no_runner;                 // why slots is 0
    std::optional<model::WaitDetail> disk_reserve;  // while the disk is short of room; nothing starts then
    std::optional<model::WaitDetail> pressure;   // while the machine could not bear another job; nothing starts then
    const std::map<RevisionId, Needs>* needs = nullptr;  // of one that is not there nothing is known yet, and it counts as none
    std::int64_t memory_bytes_max = 0;           // of all that run together; 0: no bound
    std::optional<std::int64_t> scratch_room_bytes;  // that scratch on disk may still take now; nullopt: nobody looks
    std::span<const std::optional<std::int64_t>> expected_ms;  // of each that waits, when it will start; empty: not estimated
};

// The first in turn whose module is not paused and whose participant has none running; a job that was cut `cuts_alone` times in a
// row, or ended when memory ran out, runs alone; one that is backing off waits, and so does one whose memory does not fit beside what
// is promised to those that run. One for whose scratch the disk has no room lets others go first, but none that takes such room as well
// while it waits for those that hold it. nullopt: nothing may start now.
std::optional<JobId> choose(const Situation&);

// When the first backing-off job may start, for the timer of whoever waits. nullopt: none is backing off.
std::optional<std::int64_t> next_wake_ms(const Situation&);

constexpr std::int64_t faults_max = 3;           // ended by infrastructure faults; then system_fault
constexpr std::int64_t cuts_backoff_from = 4;    // the 4th cut in a row starts after 1 s, doubling
constexpr std::int64_t cuts_backoff_max_ms = 30'000;
constexpr std::int64_t cuts_alone = 20;          // from here it runs alone, and staff are told

// After a fault the job waits before it starts again: little after the first, which a dying runner costs each of its jobs, and
// long enough after the second that whatever kills runners has time to be seen and to pass before the third ends the job.
constexpr std::int64_t fault_backoff_first_ms = 1'000;
constexpr std::int64_t fault_backoff_ms = 30'000;

// Milliseconds after the server's start before a job with this many cuts in a row may start.
std::int64_t cut_backoff_ms(std::int64_t cuts_in_a_row);

// --- Explanation: why a waiting job waits, and where it stands.

struct Waiting {
    model::Reason reason = model::Reason::slot;
    std::int64_t since_ms = 0;
    std::optional<model::WaitDetail> detail;     // its text never holds a token or path
    std::int64_t position = 0;                   // 1-based among those that wait
    std::optional<std::int64_t> expected_start_ms;
    std::uint64_t moves = 0;                     // of the line when that was read (Moves)
};
std::optional<Waiting> explain(const Situation&, JobId);
Waiting explain_at(const Situation&, std::size_t index);  // of `waiting`

// --- What a verdict brings about.

// Not the work's: ours or the grader's. It costs nobody a try, counts for nothing, and is no reason to take the same bytes for a repeat.
bool faulted(std::optional<model::Verdict> verdict);
// Nothing more comes of the job.
bool over(const store::Job& job);

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
