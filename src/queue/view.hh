// View: a submission as people and programs see it. Pages and JSON are made from the same struct; what a participant may not
// see is already gone.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/plan.hh"
#include "model/report.hh"
#include "queue/board.hh"
#include "store/store.hh"

namespace assay::queue {

// A new generation of verdict on its way, while the old one stays.
struct Rejudge {
    std::int64_t generation = 0;
    model::State state = model::State::queued;   // or running, held
    std::optional<Waiting> waiting;              // while it waits or is held
    std::optional<std::int64_t> started_ms;      // while it runs, as below
    std::optional<Progress> progress;            // its report is for the participant
};

struct SubmissionView {
    store::Submission submission;
    std::int64_t revision_number = 0;
    std::int64_t handed_in_ms = 0;               // when it counts as handed in (grade/lateness.hh)
    std::optional<Waiting> waiting;              // while it waits or is held
    std::optional<std::int64_t> started_ms;
    std::optional<std::int64_t> finished_ms;
    std::optional<model::Verdict> verdict;
    // As the module values it now (grade::regraded), after what lateness costs. The verdict is the work's: lateness takes points only.
    std::optional<double> score;
    std::optional<double> score_max;
    bool late = false;                           // after `due` and the grace
    bool due_passed = false;  // for its participant: what is shown after it is
    double penalty = 0;                          // points taken for it
    std::optional<double> score_before_penalty;  // set when any were
    std::optional<model::Report> report;         // for the participant (model::for_participant)
    std::optional<Progress> progress;            // while it runs; its report is for the participant, too
    bool counts = false;
    std::optional<std::int64_t> newer_revision;  // the module's current one, when running on it would be another run
    std::optional<Rejudge> rejudge;              // beside the verdict
};

// Whether it is one of submissions_max, as store::Reading::submissions_counted has it.
bool costs_a_try(const SubmissionView&);
// Where it, or a rejudge of it, stands in line; nullptr: neither waits in it.
const Waiting* in_line(const SubmissionView&);

struct ModuleView {
    store::Course course;
    store::Module module;
    model::Plan plan;                            // its dates as they are for the participant
    std::optional<std::int64_t> extended_until_ms;
    store::Participant participant;
    std::int64_t revision_number = 0;
    std::vector<SubmissionView> submissions;     // newest first
};
constexpr int submissions_shown_max = 200;
constexpr int submissions_counted_max = 1000;              // looked at for `counts`
constexpr std::size_t reports_shown_bytes_max = 16u << 20;  // of one module view, newest first; then only verdict and score

Result<std::optional<SubmissionView>> view_submission(store::Reading&, const Board&, const SubmissionId&, std::int64_t now_ms);
Result<ModuleView> view_module(store::Reading&, const Board&, const store::Course&, const store::Module&,
                               const store::Participant&, std::int64_t now_ms);

// The report of its newest verdict as it is stored, with all that is for staff: also of a rejudge whose fault left the earlier
// verdict in place. nullopt: there is no verdict. Errors: missing (no such submission).
Result<std::optional<model::Report>> newest_report(store::Reading&, const SubmissionId&);

// Why a held submission, or a held rejudge, waits, and since when.
Result<Waiting> explain_held(store::Reading&, const store::Submission&);
Waiting explain_held(const store::Job& rejudge);

// Which of a participant's submissions (newest first) counts. Pure. nullopt: none does.
// Those that wait count as the last one does; a fault of ours or the grader's never takes an earlier result away.
struct Countable {
    model::State state = model::State::queued;
    std::optional<double> score;                 // after what lateness costs
    bool late = false;
    std::optional<model::Verdict> verdict;
};
std::optional<std::size_t> counting(std::span<const Countable> newest_first, model::Counts);

// Events leave the stages out, and `partial` with them: what is not said is not known, an empty list would be.
enum class Detail { whole, without_stages };

// The SPEC's submission JSON ("A submission's JSON"). Times RFC 3339 in the course's zone. `base_url`: for links.
// `wait_text`: what the catalogue says of a wait; details may be empty.
struct WaitText {
    std::string text;
    std::string details;
};
std::string to_json(const SubmissionView&, const std::string& timezone, const std::string& base_url,
                    const std::function<WaitText(const Waiting&)>& wait_text, Detail = Detail::whole);

}  // namespace assay::queue
