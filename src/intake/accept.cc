#include "intake/accept.hh"

#include <algorithm>

#include "course/identity.hh"
#include "intake/commitment.hh"
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

// As many of them, newest first, as the decision looks at. As a rule the newest is the one that is replaced, so that the hundredth
// hand-in costs no more than the second.
Result<std::vector<store::Submission>> earlier_ones(store::Tx& tx, const Entitled& who, const Terms& now, const grade::Arrived& arrived) {
    ASSAY_TRY(auto newest, tx.submissions(who.course.id, who.module.id, who.participant.id, 1));
    const auto lateness_of = [&](const grade::Arrived& when) { return queue::lateness_of(when, *now.plan, now.dates); };
    if (newest.empty() || !now.plan->supersede || now.plan->counts == model::Counts::best) return std::move(newest);
    if (newest.front().state == model::State::queued && lateness_of(queue::arrived(newest.front())) == lateness_of(arrived)) return std::move(newest);
    return tx.submissions(who.course.id, who.module.id, who.participant.id, earlier_read_max);
}

// The receipt once more, when the bytes are the same.
Result<Acceptance> asked_again(store::Tx& tx, const SubmissionId& id, const std::string& sha256) {
    ASSAY_TRY(const auto first, tx.submission(id));
    if (!first) return Error{Fault::internal, "a key stands for no submission"};
    if (first->sha256 != sha256) {
        return Acceptance{{}, Refusal{.code = model::Refusal::digest_mismatch, .form = FormProblem{wording::FormFault::key_reused, id.text()}}};
    }
    return Acceptance{Accepted{first->id, first->receipt, first->last_byte_ms, true, first->names_converted}, {}};
}

Result<> note(store::Tx& tx, store::UploadKey key, const SubmissionId& id) {
    if (key.key.empty()) return ok;
    key.submission = id;
    return tx.note_upload_key(key);
}

// What becomes of it, but for the commitments to it.
Result<Acceptance> judged(store::Tx& tx, const store::Keys& keys, course::PlanCache& plans, const Entitled& who,
                          const Arrived& arrived, const std::string& server_url) {
    // Everything that can have changed since the upload began is read again here.
    ASSAY_TRY(auto now, terms_now(tx, plans, who));
    if (!now) return Acceptance{{}, std::move(now.error())};
    const auto& [module, plan, dates] = *now;
    const store::UploadKey key{who.course.id, who.module.id, who.participant.id, arrived.upload_key, {}, arrived.last_byte_ms};
    if (!key.key.empty()) {
        ASSAY_CHECK(tx.forget_upload_keys(key.noted_ms - upload_keys_kept_ms));
        ASSAY_TRY(const auto known, tx.upload_key(key.course, key.module, key.participant, key.key, key.noted_ms - upload_keys_kept_ms));
        if (known) return asked_again(tx, *known, arrived.sha256);
    }
    ASSAY_TRY(const auto made, tx.commitments(who.course.id, who.module.id, who.participant.id, arrived.last_byte_ms));
    const grade::Arrived times{arrived.first_byte_ms, arrived.last_byte_ms, arrived.declared,
                               committed_ms(made, arrived.sha256, arrived.size, arrived.last_byte_ms)};
    if (const auto closed = queue::closed_at(dates, grade::handed_in_ms(times, plan->upload_grace_ms))) return Acceptance{{}, Refusal{.code = *closed}};

    ASSAY_TRY(const auto earlier, earlier_ones(tx, who, *now, times));
    ASSAY_TRY(const auto newest_verdict, verdict_of(tx, earlier));
    std::int64_t counted = 0;  // Nobody asks where there is no bound.
    if (plan->submissions_max) {
        ASSAY_TRY(counted, tx.submissions_counted(who.course.id, who.module.id, who.participant.id));
    }
    const queue::Arrival arrival{arrived.sha256, module.revision, times};
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
    fresh.revision = module.revision;
    fresh.state = decision.held ? model::State::held : model::State::queued;
    fresh.sha256 = arrived.sha256;
    fresh.size = arrived.size;
    fresh.first_byte_ms = arrived.first_byte_ms;
    fresh.last_byte_ms = arrived.last_byte_ms;
    fresh.declared = arrived.declared;
    fresh.committed_ms = times.committed_ms;
    fresh.names_converted = arrived.names_converted;
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
        const auto older = std::ranges::find(earlier, *decision.replaces, &store::Submission::id);
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
    return Acceptance{Accepted{fresh.id, fresh.receipt, fresh.last_byte_ms, false, fresh.names_converted}, {}};
}

}  // namespace

Result<Entitlement> identify(store::Reading& reading, const store::Keys& keys, course::PlanCache& plans, const Claim& claim) {
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
    return Entitlement{
        .entitled = Entitled{*person, *found_course, *found_module, std::move(plan)},
        .refusal = {},
        .timezone = found_course->timezone,
    };
}

Result<Entitlement> entitle(store::Reading& reading, const store::Keys& keys, course::PlanCache& plans, const Claim& claim,
                            std::int64_t now_ms) {
    ASSAY_TRY(auto found, identify(reading, keys, plans, claim));
    if (found.refusal) return found;
    const auto& [person, course, module, plan] = *found.entitled;
    if (!claim.upload_key.empty()) {
        ASSAY_TRY(const auto known, reading.upload_key(course.id, module.id, person.id, claim.upload_key, now_ms - upload_keys_kept_ms));
        if (known) return found;
    }
    ASSAY_TRY(const auto extended, reading.extension(course.id, module.id, person.id));
    ASSAY_TRY(const auto made, reading.commitments(course.id, module.id, person.id, now_ms));
    if (const auto closed = queue::closed_to_bytes(grade::dates_of(*plan, extended), made, now_ms)) return refused(*closed);
    ASSAY_TRY(auto often, over_the_rate(reading, *plan, course.id, module.id, person.id, now_ms));
    if (often) return Entitlement{.entitled = {}, .refusal = std::move(often), .timezone = course.timezone};
    return found;
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
            const auto closed = queue::closed_at(grade::dates_of(*plan, extended), now_ms);
            std::optional<std::int64_t> awaited_ms;
            if (closed == model::Refusal::closed) {
                ASSAY_TRY(awaited_ms, reading.latest_commitment(course.id, module.id));
            }
            if (!closed || (awaited_ms && now_ms <= *awaited_ms)) largest = std::max(largest, plan->upload.size_max);
        }
    }
    return largest > 0 ? largest : fallback;
}

Result<std::expected<Terms, Refusal>> terms_now(store::Reading& reading, course::PlanCache& plans, const Entitled& who) {
    using Now = std::expected<Terms, Refusal>;
    ASSAY_TRY(const auto participant, reading.participant(who.course.id, who.participant.id));
    if (!participant || !participant->active) return Now{std::unexpected{Refusal{.code = model::Refusal::bad_token}}};
    ASSAY_TRY(const auto module, reading.module(who.course.id, who.module.id));
    if (!module || module->archived) return Now{std::unexpected{Refusal{.code = model::Refusal::unknown_module}}};
    ASSAY_TRY(const auto plan, plans.get(reading, module->revision));
    ASSAY_TRY(const auto extended, reading.extension(who.course.id, who.module.id, who.participant.id));
    return Now{Terms{*module, plan, grade::dates_of(*plan, extended)}};
}

Result<Acceptance> accept(store::Tx& tx, const store::Keys& keys, course::PlanCache& plans, const Entitled& who,
                          const Arrived& arrived, const std::string& server_url) {
    ASSAY_TRY(auto acceptance, judged(tx, keys, plans, who, arrived, server_url));
    if (acceptance.accepted) ASSAY_CHECK(tx.keep_promise(acceptance.accepted->id));
    return acceptance;
}

}  // namespace assay::intake
