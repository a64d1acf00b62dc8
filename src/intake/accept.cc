#include "intake/accept.hh"

#include <algorithm>

#include "course/identity.hh"
#include "model/receipt.hh"
#include "queue/policy.hh"
#include "sys/random.hh"
#include "sys/zone.hh"

namespace assay::intake {
namespace {

constexpr std::string_view id_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t id_size = 16;
constexpr int earlier_read_max = 200;  // enough to find the newest and every one that still waits

Entitlement refused(model::Refusal code) { return {.entitled = {}, .refusal = Refusal{.code = code}}; }

Refusal too_often(std::int64_t wait_ms) { return {.code = model::Refusal::rate, .retry_after_s = (wait_ms + 999) / 1000}; }

Result<std::optional<Refusal>> over_the_rate(store::Reading& reading, const model::Plan& plan, const CourseId& course, const ModuleId& module,
                                             const ParticipantId& participant, std::int64_t now_ms) {
    if (!plan.upload.rate) return std::optional<Refusal>{};
    ASSAY_TRY(const auto nth, reading.nth_newest_ms(course, module, participant, plan.upload.rate->count));
    const auto wait_ms = rate_wait_ms(*plan.upload.rate, nth, now_ms);
    return wait_ms ? std::optional{too_often(*wait_ms)} : std::nullopt;
}

Result<std::optional<model::Verdict>> verdict_of(store::Tx& tx, const std::vector<store::Submission>& earlier) {
    if (earlier.empty() || earlier.front().state != model::State::graded) return std::optional<model::Verdict>{};
    ASSAY_TRY(const auto row, tx.verdict(earlier.front().id, earlier.front().generation));
    if (!row) return std::optional<model::Verdict>{};
    return std::optional{row->verdict};
}

// The receipt once more, when the bytes are the same.
Result<Acceptance> asked_again(store::Tx& tx, const SubmissionId& id, const std::string& sha256) {
    ASSAY_TRY(const auto first, tx.submission(id));
    if (!first) return Error{Fault::internal, "a key stands for no submission"};
    if (first->sha256 != sha256) {
        return Acceptance{{}, Refusal{.code = model::Refusal::digest_mismatch, .form = FormProblem{wording::FormFault::key_reused, id.text()}}};
    }
    return Acceptance{Accepted{first->id, first->receipt, first->last_byte_ms, true}, {}};
}

Result<> note(store::Tx& tx, store::UploadKey key, const SubmissionId& id) {
    if (key.key.empty()) return ok;
    key.submission = id;
    return tx.note_upload_key(key);
}

}  // namespace

Result<Entitlement> entitle(store::Reading& reading, const store::Keys& keys, course::PlanCache& plans, const Claim& claim,
                            std::int64_t now_ms) {
    ASSAY_TRY(auto people, course::who(reading, keys, claim.token));
    std::erase_if(people, [](const store::Participant& p) { return !p.active; });
    if (people.empty()) return refused(model::Refusal::bad_token);

    ASSAY_TRY(const auto found_course, reading.course(CourseId{claim.course}));
    if (!found_course) return refused(model::Refusal::unknown_course);
    const auto person = std::ranges::find(people, found_course->id, &store::Participant::course);
    if (person == people.end()) return refused(model::Refusal::wrong_course);

    ASSAY_TRY(const auto found_module, reading.module(found_course->id, ModuleId{claim.module}));
    if (!found_module || found_module->archived) return refused(model::Refusal::unknown_module);
    ASSAY_TRY(auto plan, plans.get(reading, found_module->revision));
    std::optional<SubmissionId> known;
    if (!claim.upload_key.empty()) {
        ASSAY_TRY(known, reading.upload_key(found_course->id, found_module->id, person->id, claim.upload_key, now_ms - upload_keys_kept_ms));
    }
    if (!known) {
        ASSAY_TRY(const auto extended, reading.extension(found_course->id, found_module->id, person->id));
        if (const auto closed = queue::closed_at(grade::dates_of(*plan, extended), now_ms)) return refused(*closed);
        ASSAY_TRY(auto often, over_the_rate(reading, *plan, found_course->id, found_module->id, person->id, now_ms));
        if (often) return Entitlement{.entitled = {}, .refusal = std::move(often), .timezone = found_course->timezone};
    }
    return Entitlement{
        .entitled = Entitled{*person, *found_course, *found_module, std::move(plan)},
        .refusal = {},
        .timezone = found_course->timezone,
    };
}

std::optional<std::int64_t> rate_wait_ms(const model::Rate& rate, std::optional<std::int64_t> nth_newest_ms, std::int64_t now_ms) {
    if (!nth_newest_ms) return std::nullopt;
    const std::int64_t wait_ms = *nth_newest_ms + rate.per_ms - now_ms;
    if (wait_ms <= 0) return std::nullopt;
    return std::min(wait_ms, rate.per_ms);  // A clock that was set back must not lock anybody out for longer.
}

Result<std::int64_t> largest_open(store::Reading& reading, course::PlanCache& plans, std::int64_t now_ms, std::int64_t fallback) {
    ASSAY_TRY(const auto courses, reading.courses());
    std::int64_t largest = 0;
    for (const store::Course& course : courses) {
        ASSAY_TRY(const auto modules, reading.modules(course.id));
        for (const store::Module& module : modules) {
            if (module.archived) continue;
            ASSAY_TRY(const auto plan, plans.get(reading, module.revision));
            ASSAY_TRY(const auto extended, reading.latest_extension(course.id, module.id));
            if (!queue::closed_at(grade::dates_of(*plan, extended), now_ms)) largest = std::max(largest, plan->upload.size_max);
        }
    }
    return largest > 0 ? largest : fallback;
}

Result<Acceptance> accept(store::Tx& tx, const store::Keys& keys, course::PlanCache& plans, const Entitled& who,
                          const Arrived& arrived, const std::string& server_url) {
    // Everything that can have changed since the upload began is read again here.
    ASSAY_TRY(const auto participant, tx.participant(who.course.id, who.participant.id));
    if (!participant || !participant->active) return Acceptance{{}, Refusal{.code = model::Refusal::bad_token}};
    ASSAY_TRY(const auto module, tx.module(who.course.id, who.module.id));
    if (!module || module->archived) return Acceptance{{}, Refusal{.code = model::Refusal::unknown_module}};
    ASSAY_TRY(const auto plan, plans.get(tx, module->revision));
    const store::UploadKey key{who.course.id, who.module.id, who.participant.id, arrived.upload_key, {}, arrived.last_byte_ms};
    if (!key.key.empty()) {
        ASSAY_CHECK(tx.forget_upload_keys(key.noted_ms - upload_keys_kept_ms));
        ASSAY_TRY(const auto known, tx.upload_key(key.course, key.module, key.participant, key.key, key.noted_ms - upload_keys_kept_ms));
        if (known) return asked_again(tx, *known, arrived.sha256);
    }
    ASSAY_TRY(const auto extended, tx.extension(who.course.id, who.module.id, who.participant.id));
    const grade::Dates dates = grade::dates_of(*plan, extended);
    const grade::Arrived times{arrived.first_byte_ms, arrived.last_byte_ms, arrived.declared};
    if (const auto closed = queue::closed_at(dates, grade::handed_in_ms(times, plan->upload_grace_ms))) return Acceptance{{}, Refusal{.code = *closed}};

    ASSAY_TRY(const auto earlier, tx.submissions(who.course.id, who.module.id, who.participant.id, earlier_read_max));
    ASSAY_TRY(const auto newest_verdict, verdict_of(tx, earlier));
    ASSAY_TRY(const std::int64_t counted, tx.submissions_counted(who.course.id, who.module.id, who.participant.id));
    const queue::Arrival arrival{arrived.sha256, module->revision, times};
    const queue::ArrivalDecision decision = queue::decide_arrival(arrival, earlier, newest_verdict, counted, *plan, dates);

    if (decision.kind == queue::ArrivalDecision::Kind::repeat) {
        ASSAY_CHECK(note(tx, key, *decision.repeated));
        return asked_again(tx, *decision.repeated, arrived.sha256);
    }
    ASSAY_TRY(auto often, over_the_rate(tx, *plan, who.course.id, who.module.id, who.participant.id, arrived.last_byte_ms));
    if (often) return Acceptance{{}, std::move(often)};

    store::Submission fresh;
    fresh.id = SubmissionId{sys::random_text(id_size, id_alphabet)};
    fresh.course = who.course.id;
    fresh.module = who.module.id;
    fresh.participant = who.participant.id;
    fresh.revision = module->revision;
    fresh.state = decision.held ? model::State::held : model::State::queued;
    fresh.sha256 = arrived.sha256;
    fresh.size = arrived.size;
    fresh.first_byte_ms = arrived.first_byte_ms;
    fresh.last_byte_ms = arrived.last_byte_ms;
    fresh.declared = arrived.declared;
    if (decision.held) fresh.held_reason = model::Reason::submissions_used;
    fresh.receipt = keys.sign(model::Receipt{
        .id = fresh.id,
        .course = fresh.course,
        .module = fresh.module,
        .participant = fresh.participant,
        .sha256 = fresh.sha256,
        .size = fresh.size,
        .received_first_byte = sys::rfc3339(sys::wall_from_ms(fresh.first_byte_ms), who.course.timezone),
        .received_last_byte = sys::rfc3339(sys::wall_from_ms(fresh.last_byte_ms), who.course.timezone),
        .server = server_url,
        .key_id = {},
    });
    ASSAY_CHECK(tx.add_submission(fresh));
    ASSAY_CHECK(note(tx, key, fresh.id));

    std::int64_t place = 0;
    if (decision.replaces) {
        ASSAY_TRY(const auto older, tx.submission(*decision.replaces));
        ASSAY_TRY(const auto older_job, tx.job_of(older->id, older->generation));
        if (older_job) place = older_job->place;
        ASSAY_CHECK(tx.supersede(older->id, fresh.id));
    }
    if (!decision.held) {
        store::Job job;
        job.submission = fresh.id;
        job.place = place;
        ASSAY_TRY([[maybe_unused]] const JobId id, tx.add_job(job));
    }
    return Acceptance{Accepted{fresh.id, fresh.receipt, fresh.last_byte_ms, false}, {}};
}

}  // namespace assay::intake
