#include "api/why.hh"

#include "base/text.hh"
#include "sys/zone.hh"

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

}  // namespace

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
    return diagnosis::to_json(at, diagnosis::chain(at, audience, language, now_ms, zone, time_text));
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
