#include "api/why.hh"

#include <algorithm>
#include <array>

#include "base/shown.hh"
#include "base/text.hh"
#include "sys/zone.hh"
#include "wording/chain.hh"

namespace assay::api {
namespace {

std::string time_text(std::int64_t ms, const std::string& zone) { return sys::rfc3339(sys::wall_from_ms(ms), zone); }

void note_progress(diagnosis::RunningJob& job, const std::optional<queue::Progress>& progress) {
    if (!progress) return;
    job.stage = progress->stage;
    job.tests_done = progress->tests_done;
    job.tests_all = progress->tests_all;
    job.reason = progress->reason;
}

diagnosis::RunningJob of_itself(const store::Submission& it, std::int64_t number,
                                std::optional<std::int64_t> started_ms,
                                const std::optional<queue::Progress>& progress) {
    diagnosis::RunningJob job{.job = number,
                              .submission = it.id.text(),
                              .course = it.course.text(),
                              .module = it.module.text(),
                              .participant = it.participant.text(),
                              .started_ms = started_ms.value_or(0)};
    note_progress(job, progress);
    return job;
}

// One line for all who ask: at a deadline that is many, and each only reads it (queue::Board::recent).
Result<> add_slots(store::Reading& reading, const queue::Board& board, const store::Job& job, std::int64_t now_ms,
                   diagnosis::Standing& at) {
    ASSAY_TRY(const auto line, board.recent(reading, now_ms, job.id));
    at.slots = line->situation.slots;
    for (const store::QueuedJob& running : line->running) {
        diagnosis::RunningJob one{.job = running.job.id.value,
                                  .submission = running.job.submission.text(),
                                  .course = running.course.text(),
                                  .module = running.module.text(),
                                  .participant = running.participant.text(),
                                  .started_ms = running.job.started_ms};
        note_progress(one, board.progress().at(running.job.id));
        at.running.push_back(std::move(one));
    }
    return ok;
}

using wording::Chain;

// The last lines of what a stage printed, fit for a terminal.
void add_end_of(std::vector<std::string>& evidence, const char* stream, const std::string& text,
                wording::Language language) {
    constexpr std::size_t bytes_max = 4096;
    constexpr std::size_t lines_max = 20;
    const Ends ends = ends_of(trimmed(text), bytes_max);
    const std::string end = shown(ends.left_out_bytes > 0 ? ends.tail : ends.head);
    if (end.empty()) return;
    evidence.push_back(wording::say(language, Chain::end_of_stream, std::array{std::string{stream}}));
    const auto lines = split(end, '\n');
    for (std::size_t i = lines.size() - std::min(lines.size(), lines_max); i < lines.size(); ++i)
        evidence.push_back("  " + std::string{lines[i]});
}

// Each stage in which something of the server or of a grader failed, as a step: what, and what it printed last.
void add_faults(std::vector<diagnosis::Step>& steps, const model::Report& report, const store::Submission& submission,
                wording::Language language) {
    constexpr std::size_t fault_bytes_max = 1000;
    constexpr std::size_t name_bytes_max = 100;
    constexpr std::size_t tests_max = 5;
    const auto text = [](const std::string& fault) { return escaped(trimmed(fault), fault_bytes_max); };
    for (const model::StageReport& stage : report.stages) {
        std::vector<std::string> faults;
        const std::string name = escaped(stage.name, name_bytes_max);
        if (!stage.fault.empty())
            faults.push_back(wording::say(language, Chain::stage_fault, std::array{name, text(stage.fault)}));
        for (const model::TestReport& test : stage.tests) {
            if (test.fault.empty()) continue;
            faults.push_back(wording::say(language, Chain::test_fault,
                                          std::array{name, escaped(test.name, name_bytes_max), text(test.fault)}));
        }
        if (faults.empty()) continue;
        diagnosis::Step step{.code = std::string{model::to_string(stage.verdict)}, .text = faults.front()};
        for (std::size_t i = 1; i < std::min(faults.size(), tests_max); ++i) step.evidence.push_back(faults[i]);
        if (faults.size() > tests_max)
            step.evidence.push_back(
                wording::say(language, Chain::more_faults, std::array{std::to_string(faults.size() - tests_max)}));
        add_end_of(step.evidence, "stderr", stage.errors, language);
        add_end_of(step.evidence, "stdout", stage.output, language);
        const bool ours = stage.verdict == model::Verdict::system_fault;
        step.remedy = wording::say(language, ours ? Chain::after_system_fault : Chain::after_grader_fault,
                                   std::array{submission.id.text()});
        steps.push_back(std::move(step));
    }
}

}  // namespace

Result<std::string> whole_report_json(store::Store& store, const SubmissionId& id) {
    std::string json;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto report, queue::newest_report(reading, id));
        if (!report) return Error{Fault::missing, "submission " + escaped(id.text(), 40) + " has no verdict yet"};
        json = model::to_json(*report);
        return ok;
    }));
    return json;
}

Result<std::string> why_json(store::Reading& reading, const queue::Board& board, const SubmissionId& id,
                             diagnosis::Audience audience, wording::Language language, std::int64_t now_ms) {
    ASSAY_TRY(const auto view, queue::view_submission(reading, board, id, now_ms));
    if (!view) return Error{Fault::missing, "there is no submission '" + escaped(id.text(), 40) + "'"};
    const store::Submission& submission = view->submission;
    const bool again = view->rejudge.has_value();  // What is asked about then is the new generation on its way.
    diagnosis::Standing at{.submission = submission.id.text(),
                           .course = submission.course.text(),
                           .participant = submission.participant.text(),
                           .state = again ? view->rejudge->state : submission.state};
    if (const auto& waiting = again ? view->rejudge->waiting : view->waiting) {
        at.reason = waiting->reason;
        at.detail = waiting->detail;
        at.since_ms = waiting->since_ms;
        at.position = at.state == model::State::queued ? waiting->position : 0;
        at.expected_start_ms = waiting->expected_start_ms;
        ASSAY_TRY(const auto job,
                  reading.job_of(submission.id, again ? view->rejudge->generation : submission.generation));
        if (job) {
            at.faults = job->faults;
            at.cuts = job->cuts_in_a_row;
            if (at.state == model::State::queued) ASSAY_CHECK(add_slots(reading, board, *job, now_ms, at));
        }
    } else if (at.state == model::State::running) {
        ASSAY_TRY(const auto job,
                  reading.job_of(submission.id, again ? view->rejudge->generation : submission.generation));
        at.running.push_back(of_itself(submission, job ? job->id.value : 0,
                                       again ? view->rejudge->started_ms : view->started_ms,
                                       again ? view->rejudge->progress : view->progress));
    }
    ASSAY_TRY(const auto course, reading.course(submission.course));
    const std::string zone = course ? course->timezone : sys::server_zone();
    auto steps = diagnosis::chain(at, audience, language, now_ms, zone, time_text);
    if (audience == diagnosis::Audience::staff && at.state == model::State::graded) {
        ASSAY_TRY(const auto report, queue::newest_report(reading, id));
        if (report) add_faults(steps, *report, submission, language);
    }
    return diagnosis::to_json(at, steps);
}

Result<std::string> why_json(store::Store& store, const queue::Board& board, const SubmissionId& id,
                             diagnosis::Audience audience, wording::Language language, std::int64_t now_ms) {
    std::string json;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(json, why_json(reading, board, id, audience, language, now_ms));
        return ok;
    }));
    return json;
}

}  // namespace assay::api
