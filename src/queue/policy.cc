#include "queue/policy.hh"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/text.hh"

namespace assay::queue {
namespace {

bool after_due(const model::Plan& plan, std::int64_t at_ms) { return plan.due_ms && at_ms > *plan.due_ms; }

bool faulted(std::optional<model::Verdict> verdict) {
    return verdict == model::Verdict::system_fault || verdict == model::Verdict::grader_fault;
}

bool is_repeat(const Arrival& arrival, const store::Submission& newest, std::optional<model::Verdict> verdict) {
    if (newest.sha256 != arrival.sha256 || newest.revision != arrival.revision) return false;
    // Either way round: of two uploads at once the later one may be the first to be committed.
    if (std::abs(arrival.last_byte_ms - newest.last_byte_ms) > repeat_within_ms) return false;
    switch (newest.state) {
        case model::State::queued: case model::State::running: return true;
        case model::State::graded: return verdict.has_value() && !faulted(verdict);
        case model::State::held: case model::State::cancelled: case model::State::superseded: return false;
    }
    return false;
}

using Person = std::pair<const CourseId&, const ParticipantId&>;

std::set<Person> people_of(std::span<const store::QueuedJob> jobs) {
    std::set<Person> people;
    for (const auto& job : jobs) people.emplace(job.course, job.participant);
    return people;
}

bool alone(const store::QueuedJob& job) { return job.job.cuts_in_a_row >= cuts_alone; }

std::int64_t may_start_ms(const Situation& s, const store::QueuedJob& job) {
    return s.server_started_ms + cut_backoff_ms(job.job.cuts_in_a_row);
}
bool backing_off(const Situation& s, const store::QueuedJob& job) {
    return job.job.cuts_in_a_row >= cuts_backoff_from && s.now_ms < may_start_ms(s, job);
}

// A fault's text may name files of this machine, which are nobody's business.
std::string without_paths(std::string_view text) {
    std::string kept;
    for (const std::string_view word : split(text, ' ')) {
        if (!kept.empty()) kept += ' ';
        kept += word.contains('/') ? std::string_view{"…"} : word;
    }
    return escaped(kept);
}

}  // namespace

ArrivalDecision decide_arrival(const Arrival& arrival, std::span<const store::Submission> earlier,
                               std::optional<model::Verdict> newest_verdict, std::int64_t counted, const model::Plan& plan) {
    ArrivalDecision decision;
    if (!earlier.empty() && is_repeat(arrival, earlier.front(), newest_verdict)) {
        decision.kind = ArrivalDecision::Kind::repeat;
        decision.repeated = earlier.front().id;
        return decision;
    }
    if (plan.supersede && plan.counts != model::Counts::best) {
        const auto replaced = std::ranges::find_if(earlier, [&](const store::Submission& s) {
            return s.state == model::State::queued && after_due(plan, s.last_byte_ms) == after_due(plan, arrival.last_byte_ms);
        });
        if (replaced != earlier.end()) decision.replaces = replaced->id;
    }
    // A replaced one no longer counts; but one that will be held stands in no line and must not push another out of it.
    const std::int64_t others = counted - (decision.replaces ? 1 : 0);
    decision.held = plan.submissions_max && others >= *plan.submissions_max;
    if (decision.held) decision.replaces.reset();
    return decision;
}

std::optional<model::Refusal> closed_at(const model::Plan& plan, std::int64_t at_ms) {
    if (plan.opens_ms && at_ms < *plan.opens_ms) return model::Refusal::not_open;
    const auto closes = plan.closes_ms ? plan.closes_ms : plan.due_ms;
    if (closes && at_ms > *closes) return model::Refusal::closed;
    return std::nullopt;
}

std::int64_t cut_backoff_ms(std::int64_t cuts_in_a_row) {
    if (cuts_in_a_row < cuts_backoff_from) return 0;
    std::int64_t wait = 1000;
    for (std::int64_t cuts = cuts_backoff_from; cuts < cuts_in_a_row && wait < cuts_backoff_max_ms; ++cuts) wait *= 2;
    return std::min(wait, cuts_backoff_max_ms);
}

std::optional<JobId> choose(const Situation& s) {
    if (s.draining) return std::nullopt;
    if (std::cmp_greater_equal(s.running.size(), std::max(s.slots, 0))) return std::nullopt;
    if (std::ranges::any_of(s.running, alone)) return std::nullopt;
    const auto busy = people_of(s.running);
    for (const store::QueuedJob& job : s.waiting) {
        if (backing_off(s, job)) continue;
        if (busy.contains(Person{job.course, job.participant})) continue;
        // Its turn has come: nobody overtakes it any more, or it would wait for ever.
        if (alone(job) && !s.running.empty()) return std::nullopt;
        return job.job.id;
    }
    return std::nullopt;
}

std::optional<std::int64_t> next_wake_ms(const Situation& s) {
    std::optional<std::int64_t> first;
    for (const store::QueuedJob& job : s.waiting) {
        if (backing_off(s, job)) first = std::min(first.value_or(may_start_ms(s, job)), may_start_ms(s, job));
    }
    return first;
}

std::optional<Waiting> explain(const Situation& s, JobId id) {
    const auto found = std::ranges::find(s.waiting, id, [](const store::QueuedJob& job) { return job.job.id; });
    if (found == s.waiting.end()) return std::nullopt;
    const store::QueuedJob& job = *found;
    Waiting waiting;
    waiting.position = found - s.waiting.begin() + 1;
    waiting.since_ms = job.job.reason_since_ms != 0 ? job.job.reason_since_ms : job.received_ms;
    const auto because = [&](model::Reason reason, std::string details) {
        waiting.reason = reason;
        waiting.details = std::move(details);
        return waiting;
    };

    if (s.draining) return because(model::Reason::drain, "the server is stopping; everything in line is kept");
    if (s.slots <= 0) return because(model::Reason::no_runner, s.no_runner_details);
    if (backing_off(s, job)) {
        return because(model::Reason::retry, "cut by server stops; starts again in " +
                                                 duration_text(static_cast<double>(may_start_ms(s, job) - s.now_ms)));
    }
    if (people_of(s.running).contains(Person{job.course, job.participant})) {
        return because(model::Reason::fair_share, "another submission of the same participant is running");
    }
    if (job.job.reason) return because(*job.job.reason, without_paths(job.job.reason_details));
    if (alone(job)) return because(model::Reason::retry, "cut by many server stops; waits until it can run alone");
    if (std::ranges::any_of(s.running, alone)) return because(model::Reason::slot, "a job that has to run alone is running");
    if (std::cmp_greater_equal(s.running.size(), s.slots)) {
        return because(model::Reason::slot, std::to_string(s.running.size()) + " of " + std::to_string(s.slots) + " slots are busy");
    }
    return because(model::Reason::slot, waiting.position == 1 ? "a slot is free and about to take it" : "those before it start first");
}

}  // namespace assay::queue
