#include "queue/staff.hh"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "sys/zone.hh"

namespace assay::queue {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const CourseId& course, const ModuleId& module) { return course.text() + "/" + module.text(); }

// How it stands, when there is such a module.
Result<store::Standing> known(store::Tx& tx, const CourseId& course, const ModuleId& module) {
    ASSAY_TRY(const auto found, tx.module(course, module));
    if (!found) return Error{Fault::missing, "there is no module " + escaped(name_of(course, module), 140)};
    return tx.standing(course, module);
}

Result<store::Submission> known(store::Tx& tx, const SubmissionId& id) {
    ASSAY_TRY(auto found, tx.submission(id));
    if (!found) return Error{Fault::missing, "there is no submission " + escaped(id.text(), 40)};
    return std::move(*found);
}

Error not_now(const store::Submission& submission, const std::string& why) {
    return {Fault::conflict, fmt::format("submission {} is {}: {}", submission.id.text(), model::to_string(submission.state), why)};
}

// Nothing of a wait before is said of the one that begins.
Result<> forget_reason(store::Tx& tx, store::Job job) {
    job.reason.reset();
    job.reason_details.clear();
    job.reason_since_ms = 0;
    return tx.update_job(job);
}

Json job_json(const CourseId& course, const ModuleId& module, const ParticipantId& participant, const SubmissionId& id,
              std::int64_t generation, model::State state, std::string since) {
    return {{"id", id.text()},
            {"course", course.text()},
            {"module", module.text()},
            {"participant", participant.text()},
            {"generation", generation},
            {"state", model::to_string(state)},
            {"since", std::move(since)},
            {"position", nullptr},
            {"expected_start", nullptr},
            {"progress", nullptr},
            {"reason", nullptr}};
}

Json job_json(const store::QueuedJob& it, std::string since) {
    return job_json(it.course, it.module, it.participant, it.job.submission, it.job.generation, it.job.state, std::move(since));
}

Json reason_json(const Waiting& waiting, const std::function<WaitText(const Waiting&)>& wait_text) {
    const WaitText said = wait_text(waiting);
    return {{"code", model::to_string(waiting.reason)}, {"text", said.text}, {"details", said.details}};
}

std::string counted(const Json& jobs, std::string_view state) {
    const auto count = std::ranges::count_if(jobs, [&](const Json& job) { return job.at("state") == state; });
    return std::to_string(count);
}

std::string text_of_listing(const Json& listing) {
    const Json& jobs = listing.at("jobs");
    std::string text = fmt::format("{} slots; {} running, {} queued, {} held", listing.at("slots").get<int>(), counted(jobs, "running"),
                                   counted(jobs, "queued"), counted(jobs, "held"));
    if (const auto more = listing.at("not_shown").get<std::int64_t>(); more > 0) text += fmt::format(", {} more not shown", more);
    if (const Json& disk = listing.at("disk"); !disk.is_null()) {
        text += fmt::format("\n{}: {}", disk.at("code").get<std::string>(), disk.at("details").get<std::string>());
    }
    if (const Json& pressure = listing.at("pressure"); !pressure.is_null()) {
        text += fmt::format("\n{}: {}", pressure.at("code").get<std::string>(), pressure.at("details").get<std::string>());
    }
    for (const Json& module : listing.at("paused")) {
        text += fmt::format("\npaused   {}/{} since {} ({})", module.at("course").get<std::string>(),
                            module.at("module").get<std::string>(), module.at("since").get<std::string>(),
                            module.at("reason").get<std::string>());
    }
    for (const Json& job : jobs) {
        text += fmt::format("\n{:<8} {:>4} {} {}/{} {} since {}", job.at("state").get<std::string>(),
                            job.at("position").is_null() ? std::string{"-"} : std::to_string(job.at("position").get<std::int64_t>()),
                            job.at("id").get<std::string>(), job.at("course").get<std::string>(), job.at("module").get<std::string>(),
                            job.at("participant").get<std::string>(), job.at("since").get<std::string>());
        if (const auto generation = job.at("generation").get<std::int64_t>(); generation > 1) text += fmt::format(" generation {}", generation);
        if (const Json& expected = job.at("expected_start"); !expected.is_null()) text += " expected " + expected.get<std::string>();
        if (const Json& progress = job.at("progress"); !progress.is_null()) {
            text += fmt::format(" in {} ({} of {} tests)", progress.at("stage").get<std::string>(),
                                progress.at("tests_done").get<std::int64_t>(), progress.at("tests_all").get<std::int64_t>());
            if (const Json& waits = progress.at("reason"); !waits.is_null())
                text += ", waits: " + waits.get<std::string>();
        }
        const Json& reason = job.at("reason");
        if (reason.is_null()) continue;
        text += fmt::format(" {}: {}", reason.at("code").get<std::string>(), reason.at("text").get<std::string>());
        if (const auto details = reason.at("details").get<std::string>(); !details.empty()) text += " (" + details + ")";
    }
    return text;
}

}  // namespace

Result<std::string> pause(store::Tx& tx, const CourseId& course, const ModuleId& module, std::int64_t now_ms) {
    ASSAY_TRY(store::Standing standing, known(tx, course, module));
    if (standing.paused == model::Reason::module_paused) return name_of(course, module) + " is paused already";
    standing.paused = model::Reason::module_paused;
    standing.paused_since_ms = now_ms;
    ASSAY_CHECK(tx.put_standing(standing));
    return name_of(course, module) + " is paused: nothing of it starts until it is resumed";
}

Result<std::string> resume(store::Tx& tx, const CourseId& course, const ModuleId& module) {
    ASSAY_TRY(const store::Standing before, known(tx, course, module));
    if (!before.paused) return name_of(course, module) + " is not paused";
    store::Standing fresh;
    fresh.course = course;
    fresh.module = module;
    ASSAY_CHECK(tx.put_standing(fresh));
    return fmt::format("{} is resumed (it was {})", name_of(course, module), model::to_string(*before.paused));
}

Result<std::string> hold(store::Tx& tx, const SubmissionId& id, std::int64_t now_ms) {
    ASSAY_TRY(const store::Submission submission, known(tx, id));
    if (submission.state == model::State::held) {
        const auto why = submission.held_reason.value_or(model::Reason::held_by_staff);
        return fmt::format("{} is held already ({})", id.text(), model::to_string(why));
    }
    ASSAY_TRY(auto job, tx.newest_job(id));
    const bool again = submission.state == model::State::graded && job && job->generation > submission.generation;
    if (again && job->state == model::State::held) return fmt::format("the rejudge of {} is held already", id.text());
    const bool waits = again ? job->state == model::State::queued : submission.state == model::State::queued;
    if (!waits) return not_now(submission, "only one that is queued, or is to be judged again, can be held");
    if (!job) return Error{Fault::internal, "a queued submission has no job"};
    job->reason = model::Reason::held_by_staff;
    job->reason_details.clear();
    job->reason_since_ms = now_ms;
    ASSAY_CHECK(tx.update_job(*job));
    if (again) {
        ASSAY_CHECK(tx.move_job(job->id, model::State::held));
        return fmt::format("the rejudge of {} is held until it is released; its verdict stays", id.text());
    }
    ASSAY_CHECK(tx.hold(id, model::Reason::held_by_staff));
    return id.text() + " is held until it is released";
}

Result<std::string> release(store::Tx& tx, const SubmissionId& id) {
    ASSAY_TRY(const store::Submission submission, known(tx, id));
    if (submission.state == model::State::queued) return id.text() + " is in line already";
    ASSAY_TRY(const auto newest, tx.newest_job(id));
    if (submission.state == model::State::graded && newest && newest->state == model::State::held) {
        ASSAY_CHECK(forget_reason(tx, *newest));
        ASSAY_CHECK(tx.move_job(newest->id, model::State::queued));
        return fmt::format("the rejudge of {} is back in line", id.text());
    }
    const bool replaced = submission.state == model::State::superseded;
    if (submission.state != model::State::held && !replaced) return not_now(submission, "only one that is held or was replaced can be put in line");
    ASSAY_CHECK(tx.move(id, model::State::queued));
    ASSAY_TRY(const auto job, tx.job_of(id, submission.generation));
    if (job) {
        ASSAY_CHECK(forget_reason(tx, *job));
    } else {
        store::Job first;
        first.submission = id;
        first.generation = submission.generation;
        ASSAY_CHECK(tx.add_job(first));
    }
    return id.text() + (replaced ? " is in line again, though a newer one replaced it" : " is back in line");
}

Result<Cancelled> cancel(store::Tx& tx, const SubmissionId& id, std::int64_t now_ms) {
    ASSAY_TRY(const store::Submission submission, known(tx, id));
    if (submission.state == model::State::cancelled)
        return Cancelled{.said = id.text() + " is cancelled already", .lease = {}};
    ASSAY_TRY(const auto job, tx.newest_job(id));  // One that is held because none were left has none.
    const bool again =
        submission.state == model::State::graded && job && job->generation > submission.generation && !over(*job);
    const model::State state = again ? job->state : submission.state;
    if (state != model::State::queued && state != model::State::held && state != model::State::running)
        return not_now(submission, "only one that waits, is held or runs, or is to be judged again, can be cancelled");
    Cancelled done;
    if (state == model::State::running) {
        ASSAY_CHECK(tx.end_attempt(job->id, job->attempts, model::AttemptEnd::cut, "cancelled by staff", now_ms));
        done.lease = Token{job->id, job->attempts, job->epoch};
    }
    if (job) ASSAY_CHECK(forget_reason(tx, *job));
    ASSAY_CHECK(again ? tx.move_job(job->id, model::State::cancelled) : tx.move(id, model::State::cancelled));
    done.said =
        again ? fmt::format("the rejudge of {} is cancelled; its verdict stays", id.text())
              : id.text() + " is cancelled: it is not judged and counts as not handed in; its archive and receipt stay";
    if (done.lease) done.said += "; what runs of it is ended";
    return done;
}

Result<std::string> rejudge(store::Tx& tx, const SubmissionId& id) {
    ASSAY_TRY(const store::Submission submission, known(tx, id));
    if (submission.state == model::State::held) return not_now(submission, "release it, and it is judged");
    if (submission.state != model::State::graded) return not_now(submission, "only one that is graded can be judged again");
    ASSAY_TRY(const auto newest, tx.newest_job(id));
    if (!newest) return Error{Fault::internal, "a graded submission has no job"};
    if (newest->state == model::State::held) return fmt::format("the rejudge of {} is held; release it", id.text());
    if (!over(*newest)) {
        return fmt::format("{} is being judged again already: generation {}, {}", id.text(), newest->generation,
                           model::to_string(newest->state));
    }
    ASSAY_TRY(const auto module, tx.module(submission.course, submission.module));
    if (!module) return Error{Fault::internal, "a submission names a module that is not there"};
    store::Job job;
    job.submission = id;
    job.generation = newest->generation + 1;
    job.revision = module->revision;
    ASSAY_CHECK(tx.add_job(job));
    return fmt::format("{} will be judged again: generation {}; its verdict stays until the new one is there", id.text(), job.generation);
}

Result<std::string> rejudge_all(store::Tx& tx, const CourseId& course, const ModuleId& module, std::optional<model::Verdict> verdict) {
    ASSAY_TRY([[maybe_unused]] const store::Standing standing, known(tx, course, module));
    std::int64_t begun = 0;
    std::int64_t already = 0;
    std::int64_t left = 0;
    ASSAY_TRY(const auto participants, tx.participants(course));
    for (const store::Participant& one : participants) {
        ASSAY_TRY(const auto submissions, tx.submissions(course, module, one.id, waiting_read_max));
        for (const store::Submission& submission : submissions) {
            if (submission.state != model::State::graded) continue;
            ASSAY_TRY(const auto judged, tx.verdict(submission.id, submission.generation));
            if (verdict && (!judged || judged->verdict != *verdict)) continue;
            ASSAY_TRY(const auto newest, tx.newest_job(submission.id));
            if (!newest || !over(*newest)) {
                ++already;
            } else if (begun == rejudged_at_once_max) {
                ++left;
            } else {
                ASSAY_CHECK(rejudge(tx, submission.id));
                ++begun;
            }
        }
    }
    std::string said = fmt::format("{} of {} will be judged again; each verdict stays until the new one is there", begun, name_of(course, module));
    if (already > 0) said += fmt::format("\n{} {} being judged again already", already, already == 1 ? "is" : "are");
    if (left > 0) said += fmt::format("\n{} more are left: ask again once these are done", left);
    return said;
}

Result<std::string> queue_json(store::Reading& reading, const Board& board, std::int64_t now_ms,
                               const std::function<WaitText(const Waiting&)>& wait_text) {
    const std::string zone = sys::server_zone();
    const auto time_text = [&zone](std::int64_t ms) { return sys::rfc3339(sys::wall_from_ms(ms), zone); };
    Snapshot snapshot;
    ASSAY_CHECK(snapshot.take(reading, board, now_ms));
    ASSAY_TRY(const auto held, reading.held(waiting_read_max));
    ASSAY_TRY(const auto held_again, reading.held_rejudges(waiting_read_max));

    Json paused = Json::array();
    for (const store::Standing& it : snapshot.paused) {
        paused.push_back({{"course", it.course.text()},
                          {"module", it.module.text()},
                          {"reason", model::to_string(it.paused.value_or(model::Reason::module_paused))},
                          {"since", time_text(it.paused_since_ms)}});
    }
    Json jobs = Json::array();
    const auto full = [&jobs] { return jobs.size() >= queue_listed_max; };
    for (const store::QueuedJob& it : snapshot.running) {
        if (full()) break;
        Json job = job_json(it, time_text(it.job.started_ms));
        if (const auto progress = board.progress().at(it.job.id)) {
            job["progress"] = {{"stage", progress->stage}, {"tests_done", progress->tests_done}, {"tests_all", progress->tests_all}};
            job["progress"]["reason"] = progress->reason ? Json(model::to_string(*progress->reason)) : Json(nullptr);
        }
        jobs.push_back(std::move(job));
    }
    for (std::size_t i = 0; i < snapshot.waiting.size() && !full(); ++i) {
        const Waiting waiting = explain_at(snapshot.situation, i);
        Json job = job_json(snapshot.waiting[i], time_text(waiting.since_ms));
        job["position"] = waiting.position;
        if (waiting.expected_start_ms) job["expected_start"] = time_text(*waiting.expected_start_ms);
        job["reason"] = reason_json(waiting, wait_text);
        jobs.push_back(std::move(job));
    }
    for (const store::Submission& it : held) {
        if (full()) break;
        ASSAY_TRY(const Waiting waiting, explain_held(reading, it));
        Json job = job_json(it.course, it.module, it.participant, it.id, it.generation, it.state, time_text(waiting.since_ms));
        job["reason"] = reason_json(waiting, wait_text);
        jobs.push_back(std::move(job));
    }
    for (const store::QueuedJob& it : held_again) {
        if (full()) break;
        const Waiting waiting = explain_held(it.job);
        Json job = job_json(it, time_text(waiting.since_ms));
        job["reason"] = reason_json(waiting, wait_text);
        jobs.push_back(std::move(job));
    }
    Json disk = nullptr;  // Said even when nobody waits for it.
    if (const auto& why = snapshot.situation.disk_reserve) {
        disk = reason_json(Waiting{.reason = model::Reason::disk_reserve, .since_ms = now_ms, .detail = why, .position = 0}, wait_text);
    }
    Json pressure = nullptr;
    if (const auto& why = snapshot.situation.pressure) {
        pressure = reason_json(Waiting{.reason = model::Reason::pressure, .since_ms = now_ms, .detail = why, .position = 0}, wait_text);
    }
    const std::size_t all = snapshot.running.size() + snapshot.waiting.size() + held.size() + held_again.size();
    const Json listing{{"slots", snapshot.situation.slots}, {"disk", disk}, {"pressure", pressure}, {"paused", paused}, {"not_shown", all - jobs.size()}, {"jobs", std::move(jobs)}};
    return listing.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> queue_text(const std::string& json) {
    const Json listing = Json::parse(json, nullptr, false);
    try {
        return text_of_listing(listing);
    } catch (const Json::exception& error) {
        return Error{Fault::invalid, std::string{"the server's list of the queue cannot be read: "} + error.what()};
    }
}

}  // namespace assay::queue
