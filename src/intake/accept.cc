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

Result<std::optional<model::Verdict>> verdict_of(store::Tx& tx, const std::vector<store::Submission>& earlier) {
    if (earlier.empty() || earlier.front().state != model::State::graded) return std::optional<model::Verdict>{};
    ASSAY_TRY(const auto row, tx.verdict(earlier.front().id, earlier.front().generation));
    if (!row) return std::optional<model::Verdict>{};
    return std::optional{row->verdict};
}

}  // namespace

Result<Entitlement> entitle(store::Reading& reading, const store::Keys& keys, course::PlanCache& plans, const std::string& token,
                            const std::string& course, const std::string& module, std::int64_t now_ms) {
    ASSAY_TRY(auto people, course::who(reading, keys, token));
    std::erase_if(people, [](const store::Participant& p) { return !p.active; });
    if (people.empty()) return refused(model::Refusal::bad_token);

    ASSAY_TRY(const auto found_course, reading.course(CourseId{course}));
    if (!found_course) return refused(model::Refusal::unknown_course);
    const auto person = std::ranges::find(people, found_course->id, &store::Participant::course);
    if (person == people.end()) return refused(model::Refusal::wrong_course);

    ASSAY_TRY(const auto found_module, reading.module(found_course->id, ModuleId{module}));
    if (!found_module || found_module->archived) return refused(model::Refusal::unknown_module);
    ASSAY_TRY(auto plan, plans.get(reading, found_module->revision));
    if (const auto closed = queue::closed_at(*plan, now_ms)) return refused(*closed);
    return Entitlement{
        .entitled = Entitled{*person, *found_course, *found_module, std::move(plan)},
        .refusal = {},
        .timezone = found_course->timezone,
    };
}

Result<std::int64_t> largest_open(store::Reading& reading, course::PlanCache& plans, std::int64_t now_ms, std::int64_t fallback) {
    ASSAY_TRY(const auto courses, reading.courses());
    std::int64_t largest = 0;
    for (const store::Course& course : courses) {
        ASSAY_TRY(const auto modules, reading.modules(course.id));
        for (const store::Module& module : modules) {
            if (module.archived) continue;
            ASSAY_TRY(const auto plan, plans.get(reading, module.revision));
            if (!queue::closed_at(*plan, now_ms)) largest = std::max(largest, plan->upload.size_max);
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
    if (const auto closed = queue::closed_at(*plan, arrived.last_byte_ms)) return Acceptance{{}, Refusal{.code = *closed}};

    ASSAY_TRY(const auto earlier, tx.submissions(who.course.id, who.module.id, who.participant.id, earlier_read_max));
    ASSAY_TRY(const auto newest_verdict, verdict_of(tx, earlier));
    ASSAY_TRY(const std::int64_t counted, tx.submissions_counted(who.course.id, who.module.id, who.participant.id));
    const queue::Arrival arrival{arrived.sha256, module->revision, arrived.last_byte_ms};
    const queue::ArrivalDecision decision = queue::decide_arrival(arrival, earlier, newest_verdict, counted, *plan);

    if (decision.kind == queue::ArrivalDecision::Kind::repeat) {
        ASSAY_TRY(const auto first, tx.submission(*decision.repeated));
        return Acceptance{Accepted{first->id, first->receipt, first->last_byte_ms, true}, {}};
    }

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
