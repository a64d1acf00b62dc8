#include "queue/policy.hh"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "base/text.hh"
#include "queue/rules.hh"

namespace assay::queue {
bool faulted(std::optional<model::Verdict> verdict) {
    return verdict == model::Verdict::system_fault || verdict == model::Verdict::grader_fault;
}

bool over(const store::Job& job) { return job.state == model::State::graded || job.state == model::State::cancelled; }

namespace {

bool is_repeat(const Arrival& arrival, const store::Submission& newest, std::optional<model::Verdict> verdict) {
    if (newest.sha256 != arrival.sha256 || newest.revision != arrival.revision) return false;
    // Either way round: of two uploads at once the later one may be the first to be committed.
    if (std::abs(arrival.arrived.last_byte_ms - newest.last_byte_ms) > repeat_within_ms) return false;
    switch (newest.state) {
        case model::State::queued: case model::State::running: return true;
        case model::State::graded: return verdict.has_value() && !faulted(verdict);
        case model::State::held: case model::State::cancelled: case model::State::superseded: return false;
    }
    return false;
}

std::set<Flow> people_of(std::span<const store::QueuedJob> jobs) {
    std::set<Flow> people;
    for (const auto& job : jobs) people.insert(person_of(job));
    return people;
}

// A technical text may name files of this machine, which are nobody's business.
std::string without_paths(std::string_view text) {
    std::string kept;
    for (const std::string_view word : split(text, ' ')) {
        if (!kept.empty()) kept += ' ';
        kept += word.contains('/') ? std::string_view{"…"} : word;
    }
    return escaped(kept);
}

// What was noted when the job went back into the line.
std::optional<model::WaitDetail> noted(const store::Job& job) {
    if (job.reason_details.empty()) return std::nullopt;
    if (job.reason == model::Reason::retry) return model::WaitDetail{.kind = model::WaitDetailKind::fault, .text = job.reason_details};
    if (job.reason == model::Reason::pressure) return model::WaitDetail{.kind = model::WaitDetailKind::ended_for_memory, .text = job.reason_details};
    const auto kind = model::parse<model::WaitDetailKind>(job.reason_details);
    return kind ? std::optional{model::WaitDetail{.kind = *kind}} : std::nullopt;
}

}  // namespace

ArrivalDecision decide_arrival(const Arrival& arrival, std::span<const store::Submission> earlier,
                               std::optional<model::Verdict> newest_verdict, std::int64_t counted, const model::Plan& plan,
                               const grade::Dates& dates) {
    ArrivalDecision decision;
    if (!earlier.empty() && is_repeat(arrival, earlier.front(), newest_verdict)) {
        decision.kind = ArrivalDecision::Kind::repeat;
        decision.repeated = earlier.front().id;
        return decision;
    }
    if (plan.supersede && plan.counts != model::Counts::best) {
        const grade::Lateness now = lateness_of(arrival.arrived, plan, dates);
        const auto replaced = std::ranges::find_if(earlier, [&](const store::Submission& s) {
            return s.state == model::State::queued && lateness_of(arrived(s), plan, dates) == now;
        });
        if (replaced != earlier.end()) decision.replaces = replaced->id;
    }
    // A replaced one no longer counts; but one that will be held stands in no line and must not push another out of it.
    const std::int64_t others = counted - (decision.replaces ? 1 : 0);
    decision.held = plan.submissions_max && others >= *plan.submissions_max;
    if (decision.held) decision.replaces.reset();
    return decision;
}

grade::Lateness lateness_of(const grade::Arrived& arrived, const model::Plan& plan, const grade::Dates& dates) {
    return grade::lateness(dates, plan.late, grade::handed_in_ms(arrived, plan.upload_grace_ms));
}

grade::Arrived arrived(const store::Submission& s) {
    return {.first_byte_ms = s.first_byte_ms, .last_byte_ms = s.last_byte_ms, .declared = s.declared, .committed_ms = s.committed_ms};
}

std::optional<model::Refusal> closed_at(const grade::Dates& dates, std::int64_t at_ms) {
    if (dates.opens_ms && at_ms < *dates.opens_ms) return model::Refusal::not_open;
    if (dates.closes_ms && at_ms > *dates.closes_ms) return model::Refusal::closed;
    return std::nullopt;
}

std::optional<model::Refusal> closed_at(const model::Plan& plan, std::int64_t at_ms) { return closed_at(grade::dates_of(plan, {}), at_ms); }

std::optional<model::Refusal> closed_to_bytes(const grade::Dates& dates, std::span<const store::Commitment> made, std::int64_t at_ms) {
    const auto closed = closed_at(dates, at_ms);
    if (closed != model::Refusal::closed) return closed;
    const bool awaited = std::ranges::any_of(made, [&](const store::Commitment& one) {
        return one.committed_ms <= at_ms && at_ms <= one.until_ms && !closed_at(dates, one.committed_ms);
    });
    return awaited ? std::nullopt : closed;
}

std::int64_t cut_backoff_ms(std::int64_t cuts_in_a_row) {
    if (cuts_in_a_row < cuts_backoff_from) return 0;
    std::int64_t wait = 1000;
    for (std::int64_t cuts = cuts_backoff_from; cuts < cuts_in_a_row && wait < cuts_backoff_max_ms; ++cuts) wait *= 2;
    return std::min(wait, cuts_backoff_max_ms);
}

std::vector<store::QueuedJob> in_turn(std::vector<store::QueuedJob> by_place, const Situation& s) {
    // The turn of a job: how many of the same flow start before it, since when that flow has waited, its place.
    struct Turn {
        bool paused;
        std::int64_t round;
        std::int64_t since_ms;
        bool had_one;  // of two since the same moment, who has had a turn comes second
        std::int64_t first_place;
        std::size_t index;
        auto operator<=>(const Turn&) const = default;
    };
    struct Seen {
        std::int64_t jobs = 0;
        Turn first{};
    };
    std::map<Flow, Seen> flows;
    std::vector<Turn> turns;
    for (std::size_t i = 0; i < by_place.size(); ++i) {
        const store::QueuedJob& job = by_place[i];
        const bool had_one = job.turn_ms >= job.received_ms;
        const Turn own{pause_of(s, job) != nullptr, 0, std::max(job.turn_ms, job.received_ms), had_one, job.job.place, i};
        if (own.paused) {
            turns.push_back(own);
            continue;
        }
        Seen& seen = flows[flow_of(job)];
        if (seen.jobs == 0) seen.first = own;
        Turn turn = seen.first;
        turn.round = seen.jobs;
        turn.index = i;
        turns.push_back(turn);
        if (!backing_off(s, job)) ++seen.jobs;
    }
    std::ranges::sort(turns);
    std::vector<store::QueuedJob> sorted;
    sorted.reserve(by_place.size());
    for (const Turn& turn : turns) sorted.push_back(std::move(by_place[turn.index]));
    return sorted;
}

std::optional<JobId> choose(const Situation& s) {
    if (s.draining || s.disk_reserve || s.pressure) return std::nullopt;
    if (std::cmp_greater_equal(s.running.size(), std::max(s.slots, 0))) return std::nullopt;
    if (std::ranges::any_of(s.running, alone)) return std::nullopt;
    const std::set<Flow> busy = people_of(s.running);
    bool room_awaited = false;  // on the disk, by one whose turn has come, from those that run
    for (const store::QueuedJob& job : s.waiting) {
        if (backing_off(s, job) || pause_of(s, job) != nullptr) continue;
        if (busy.contains(person_of(job)) || kept_free(s.slots, s.running.size(), job)) continue;
        // A full disk is for staff to mend, and may take days: it holds up nobody who does not need it.
        if (!fits_disk(s, job) || (room_awaited && needs(s, job).scratch_bytes > 0)) {
            room_awaited = promised(s).scratch_bytes > 0;
            continue;
        }
        // Its turn has come: nobody overtakes it any more, or it would wait for ever.
        if (alone(job) && !s.running.empty()) return std::nullopt;
        if (!fits_memory(s, job)) return std::nullopt;
        return job.job.id;
    }
    return std::nullopt;
}

std::optional<std::int64_t> next_wake_ms(const Situation& s) {
    std::optional<std::int64_t> first;
    for (const store::QueuedJob& job : s.waiting) {
        if (backing_off(s, job) && pause_of(s, job) == nullptr) first = std::min(first.value_or(wakes_ms(s, job)), wakes_ms(s, job));
    }
    return first;
}

std::optional<Waiting> explain(const Situation& s, JobId id) {
    const auto found = std::ranges::find(s.waiting, id, [](const store::QueuedJob& job) { return job.job.id; });
    if (found == s.waiting.end()) return std::nullopt;
    return explain_at(s, static_cast<std::size_t>(found - s.waiting.begin()));
}

Waiting explain_at(const Situation& s, std::size_t index) {
    const store::QueuedJob& job = s.waiting[index];
    Waiting waiting;
    waiting.position = static_cast<std::int64_t>(index) + 1;
    if (index < s.expected_ms.size()) waiting.expected_start_ms = s.expected_ms[index];
    waiting.since_ms = job.job.reason_since_ms != 0 ? job.job.reason_since_ms : job.received_ms;
    const auto because = [&](model::Reason reason, std::optional<model::WaitDetail> detail) {
        waiting.reason = reason;
        waiting.detail = std::move(detail);
        if (waiting.detail) waiting.detail->text = without_paths(waiting.detail->text);
        return waiting;
    };

    using model::Reason;
    using model::WaitDetail;
    using enum model::WaitDetailKind;
    const auto running = static_cast<std::int64_t>(s.running.size());
    if (s.draining) return because(Reason::drain, {});
    if (const store::Standing* const pause = pause_of(s, job)) {
        waiting.since_ms = std::max(waiting.since_ms, pause->paused_since_ms);
        return because(pause->paused.value_or(Reason::module_paused), {});
    }
    if (s.slots <= 0) return because(Reason::no_runner, s.no_runner);
    if (s.disk_reserve) return because(Reason::disk_reserve, s.disk_reserve);
    if (s.pressure) return because(Reason::pressure, s.pressure);
    if (cut_often(s, job)) return because(Reason::retry, WaitDetail{.kind = cut_backoff, .number = may_start_ms(s, job) - s.now_ms});
    if (people_of(s.running).contains(person_of(job))) return because(Reason::fair_share, WaitDetail{.kind = own_running});
    if (!fits_disk(s, job)) {
        const WaitDetail room{.kind = scratch_short, .number = *s.scratch_room_bytes, .of = promised(s).scratch_bytes + needs(s, job).scratch_bytes};
        return because(Reason::disk_reserve, room);
    }
    if (job.job.reason) return because(*job.job.reason, noted(job.job));
    if (alone(job)) return because(Reason::retry, WaitDetail{.kind = cut_alone});
    const auto before = s.waiting.first(index);
    const auto own = std::ranges::count_if(before, [&](const store::QueuedJob& it) {
        return it.participant == job.participant && it.course == job.course && pause_of(s, it) == nullptr;
    });
    if (own > 0) return because(Reason::fair_share, WaitDetail{.kind = own_first, .number = own});
    if (std::ranges::any_of(s.running, alone)) return because(Reason::slot, WaitDetail{.kind = lone_job});
    if (running >= s.slots) return because(Reason::slot, WaitDetail{.kind = slots_busy, .number = running, .of = s.slots});
    if (kept_free(s.slots, s.running.size(), job)) return because(Reason::fair_share, WaitDetail{.kind = live_first});
    if (waiting.position == 1 && !fits_memory(s, job)) {
        return because(Reason::pressure, WaitDetail{.kind = memory_promised, .number = promised(s).memory_bytes, .of = s.memory_bytes_max});
    }
    return because(Reason::slot, WaitDetail{.kind = waiting.position == 1 ? about_to_start : others_first});
}

store::Standing standing_after(store::Standing standing, const Judged& judged, RevisionId current, std::int64_t now_ms) {
    if (judged.revision != current) return standing;
    if (standing.revision != current) {
        standing.revision = current;
        standing.faults_in_a_row = 0;
        if (standing.paused == model::Reason::grader_broken) standing.paused.reset();
    }
    if (!faulted(judged.verdict)) {
        standing.faults_in_a_row = 0;
    } else if (++standing.faults_in_a_row > 1) {
        standing.faults_of_several |= standing.faults_of != judged.participant;
    }
    if (standing.faults_in_a_row <= 1) {
        standing.faults_of_several = false;
        standing.faults_of = standing.faults_in_a_row == 1 ? std::optional{judged.participant} : std::nullopt;
    }
    if (standing.faults_in_a_row >= broken_faults && standing.faults_of_several && !standing.paused) {
        standing.paused = model::Reason::grader_broken;
        standing.paused_since_ms = now_ms;
    }
    return standing;
}

bool takes_the_place(model::Verdict fresh, std::optional<model::Verdict> before) {
    return !faulted(fresh) || !before || faulted(before);
}

}  // namespace assay::queue
