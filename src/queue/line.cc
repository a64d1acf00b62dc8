#include "queue/line.hh"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/assert.hh"

namespace assay::queue {
namespace {

constexpr const char* epoch_setting = "epoch";

Error stale(const Token& token) {
    return {Fault::conflict, "the lease of job " + std::to_string(token.job.value) + ", attempt " + std::to_string(token.attempt) +
                                 ", is not the one that counts"};
}

Topic topic_of(const store::Submission& s) { return {s.course, s.module, s.participant}; }

bool leased_by(const store::Job& job, const Token& token, Conditions conditions = all_conditions) {
    const auto met = [&](Condition condition, bool holds) { return holds || !conditions[condition]; };
    return met(Condition::running, job.state == model::State::running) && met(Condition::attempt, job.attempts == token.attempt) &&
           met(Condition::epoch, job.epoch == token.epoch);
}

// Whether this very attempt has already ended so: its answer was lost on the way.
Result<bool> ended_so(store::Tx& tx, const Token& token, model::AttemptEnd end) {
    ASSAY_TRY(const auto attempts, tx.attempts(token.job));
    return std::ranges::any_of(attempts, [&](const store::Attempt& a) {
        return a.number == token.attempt && a.epoch == token.epoch && a.end == end;
    });
}

// Five faults in a row pause the module, decided where the verdict is.
Result<std::optional<store::Standing>> note_verdict(store::Tx& tx, const store::Submission& submission, RevisionId run,
                                                    model::Verdict verdict, std::int64_t now_ms) {
    ASSAY_TRY(const auto module, tx.module(submission.course, submission.module));
    if (!module) return Error{Fault::internal, "a submission names a module that is not there"};
    ASSAY_TRY(const store::Standing before, tx.standing(submission.course, submission.module));
    const store::Standing after = standing_after(before, {submission.participant, run, verdict}, module->revision, now_ms);
    if (after == before) return std::optional<store::Standing>{};
    ASSAY_CHECK(tx.put_standing(after));
    const bool broke = after.paused == model::Reason::grader_broken && after.paused_since_ms == now_ms && after.paused != before.paused;
    return broke ? std::optional{after} : std::nullopt;
}

Result<Ended> grade(store::Tx& tx, const store::Job& job, const Finished& finished, std::int64_t now_ms,
                    Conditions conditions = all_conditions) {
    ASSAY_TRY(const auto submission, tx.submission(job.submission));
    ASSAY_ASSERT(submission.has_value());
    const RevisionId run = job.revision.value_or(submission->revision);
    Ended ended{.verdict = finished.verdict,
                .submission = job.submission,
                .fault = finished.fault,
                .topic = topic_of(*submission)};
    store::VerdictRow row;
    row.submission = job.submission;
    row.generation = job.generation;
    row.verdict = finished.verdict;
    row.score = finished.score;
    row.score_max = finished.score_max;
    row.report = finished.report;
    row.started_ms = job.started_ms;
    row.finished_ms = now_ms;
    ASSAY_CHECK(tx.add_verdict(row));
    ASSAY_CHECK(tx.move_job(job.id, model::State::graded));
    if (job.generation > submission->generation || !conditions[Condition::newer]) {
        ASSAY_TRY(const auto before, tx.verdict(submission->id, submission->generation));
        const bool better = takes_the_place(finished.verdict, before ? std::optional{before->verdict} : std::nullopt);
        ended.kept_old = !better && conditions[Condition::no_worse];
        if (!ended.kept_old) ASSAY_CHECK(tx.advance(submission->id, job.generation, run));
    }
    ASSAY_TRY(ended.broken, note_verdict(tx, *submission, run, finished.verdict, now_ms));
    return ended;
}

std::size_t tests_in(const model::Report& report) {
    std::size_t count = 0;
    for (const model::StageReport& stage : report.stages) count += stage.tests.size();
    return count;
}

// What the best attempt had finished: the most tests, then the most stages. It was ours once, so it can be read again.
Result<model::Report> best_of(std::span<const store::Attempt> attempts) {
    model::Report best;
    for (const store::Attempt& attempt : attempts) {
        if (attempt.partial.empty()) continue;
        ASSAY_TRY(model::Report one, model::report_from_json(attempt.partial));
        const auto worth = [](const model::Report& it) { return std::pair{tests_in(it), it.stages.size()}; };
        if (worth(one) >= worth(best)) best = std::move(one);
    }
    return best;
}

Result<Finished> infrastructure_failed(store::Tx& tx, const store::Job& job) {
    model::StageReport stage;
    stage.name = "infrastructure";
    stage.trusted = true;
    stage.verdict = model::Verdict::system_fault;
    ASSAY_TRY(const auto attempts, tx.attempts(job.id));
    for (const store::Attempt& attempt : attempts) {
        if (attempt.end != model::AttemptEnd::fault) continue;
        stage.fault += "attempt " + std::to_string(attempt.number) + ": " + attempt.detail + "\n";
    }
    ASSAY_TRY(model::Report report, best_of(attempts));
    report.verdict = model::Verdict::system_fault;
    report.partial = true;
    report.stages.push_back(std::move(stage));
    return finished_from(report);
}

}  // namespace

Result<std::int64_t> begin_epoch(store::Tx& tx) {
    ASSAY_TRY(const auto stored, tx.setting(epoch_setting));
    std::int64_t epoch = 0;
    if (stored) {
        const auto [end, failure] = std::from_chars(stored->data(), stored->data() + stored->size(), epoch);
        if (failure != std::errc{} || end != stored->data() + stored->size()) {
            return Error{Fault::internal, "the stored epoch is no number"};
        }
    }
    ++epoch;
    ASSAY_CHECK(tx.put_setting(epoch_setting, std::to_string(epoch)));
    return epoch;
}

Result<std::int64_t> void_all_leases(store::Tx& tx, std::int64_t now_ms) {
    ASSAY_TRY(const auto running, tx.running());
    for (const store::QueuedJob& queued : running) {
        const Token token{queued.job.id, queued.job.attempts, queued.job.epoch};
        ASSAY_CHECK(give_back(tx, token, model::AttemptEnd::cut, {}, "the server stopped", now_ms));
    }
    return static_cast<std::int64_t>(running.size());
}

Result<std::optional<Lease>> grant(store::Tx& tx, const Situation& situation, std::int64_t epoch) {
    const auto chosen = choose(situation);
    if (!chosen) return std::optional<Lease>{};
    ASSAY_TRY(auto job, tx.job(*chosen));
    ASSAY_ASSERT(job.has_value());
    ASSAY_ASSERT(job->state == model::State::queued);
    ASSAY_TRY(const auto submission, tx.submission(job->submission));
    ASSAY_ASSERT(submission.has_value());

    ++job->attempts;
    job->epoch = epoch;
    job->started_ms = situation.now_ms;
    // What was ended when memory ran out stays marked while it runs: nothing runs beside it.
    if (job->reason != model::Reason::pressure) {
        job->reason.reset();
        job->reason_details.clear();
        job->reason_since_ms = 0;
    }
    ASSAY_CHECK(tx.update_job(*job));
    ASSAY_CHECK(tx.move_job(job->id, model::State::running));
    ASSAY_CHECK(tx.put_turn(job->id, situation.now_ms));
    ASSAY_CHECK(tx.add_attempt({job->id, job->attempts, epoch, situation.now_ms, 0, {}, {}, {}}));
    return std::optional{Lease{
        .token = {job->id, job->attempts, epoch},
        .submission = submission->id,
        .sha256 = submission->sha256,
        .size = submission->size,
        .revision = job->revision.value_or(submission->revision),
        .alone = job->cuts_in_a_row >= cuts_alone,
        .joined_ms = job->generation > 1 ? situation.now_ms : submission->last_byte_ms,
        .topic = topic_of(*submission),
    }};
}

Finished finished_from(const model::Report& report) {
    return {report.verdict, report.score, report.score_max, model::to_json(report), model::first_fault(report)};
}

Result<Ended> finish(store::Tx& tx, const Token& token, const Finished& finished, std::int64_t now_ms, Conditions conditions) {
    ASSAY_TRY(auto job, tx.job(token.job));
    if (!job || !leased_by(*job, token, conditions)) {
        ASSAY_TRY(const bool already, ended_so(tx, token, model::AttemptEnd::verdict));
        if (already) return Ended{};
        return stale(token);
    }
    ASSAY_CHECK(tx.end_attempt(job->id, job->attempts, model::AttemptEnd::verdict, {}, now_ms));  // The token's, by the conditions.
    ASSAY_TRY(Ended ended, grade(tx, *job, finished, now_ms, conditions));
    ended.attempt = model::AttemptEnd::verdict;
    ended.length_ms = now_ms - job->started_ms;
    job->cuts_in_a_row = 0;
    ASSAY_CHECK(tx.update_job(*job));
    return ended;
}

Result<Ended> give_back(store::Tx& tx, const Token& token, model::AttemptEnd end, std::optional<model::Reason> reason,
                        const std::string& detail, std::int64_t now_ms, const std::string& partial) {
    ASSAY_ASSERT(end != model::AttemptEnd::verdict);
    ASSAY_TRY(auto job, tx.job(token.job));
    if (!job || !leased_by(*job, token)) {
        ASSAY_TRY(const bool already, ended_so(tx, token, end));
        if (already) return Ended{};
        return stale(token);
    }
    ASSAY_CHECK(tx.end_attempt(job->id, token.attempt, end, detail, now_ms));
    if (!partial.empty()) ASSAY_CHECK(tx.keep_partial(job->id, token.attempt, partial));
    if (end == model::AttemptEnd::cut) {
        ++job->cuts_in_a_row;
    } else {
        // Memory ran out although it was alone: once more would end as this did.
        const bool for_good = reason == model::Reason::pressure && job->reason == model::Reason::pressure;
        job->faults = for_good ? faults_max : job->faults + 1;
        job->cuts_in_a_row = 0;
    }
    job->reason = reason;
    job->reason_details = detail;
    job->reason_since_ms = now_ms;
    ASSAY_CHECK(tx.update_job(*job));
    Ended ended;
    if (job->faults < faults_max) {
        ASSAY_CHECK(tx.move_job(job->id, model::State::queued));
        ASSAY_TRY(const auto submission, tx.submission(job->submission));
        ASSAY_ASSERT(submission.has_value());
        ended.topic = topic_of(*submission);
    } else {
        ASSAY_TRY(const Finished failed, infrastructure_failed(tx, *job));
        ASSAY_TRY(ended, grade(tx, *job, failed, now_ms));
    }
    ended.attempt = end;
    return ended;
}

Result<bool> holds(store::Reading& reading, const Token& token) {
    ASSAY_TRY(const auto job, reading.job(token.job));
    return job && leased_by(*job, token);
}

}  // namespace assay::queue
