#include "admission/controller.hh"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace assay::admission {
namespace {

struct Wish {
    int enter = 0;  // the highest level that begins by these samples
    int keep = 0;   // the highest that goes on by them
};

bool below(const Samples& s, double share) { return s.memory && s.memory->available_share() < share; }

bool thrashes(const Samples& s, const Thresholds& t, double share_of_bound = 1) {
    return s.io && s.io->full >= t.thrash_io_full * share_of_bound && s.refaults_per_s &&
           *s.refaults_per_s >= t.kill_refaults_per_s * share_of_bound;
}

Wish of_memory(const Samples& s, const Thresholds& t) {
    const double low = s.blind ? t.low_available_blind : t.low_available;
    const double scarce = s.blind ? t.scarce_available_blind : t.scarce_available;
    const Stall stall = s.memory_stall.value_or(Stall{});
    const double margin = t.calm_margin;
    Wish wish;
    if (below(s, low) || (stall.some >= t.stall_some && below(s, t.stall_available))) wish.enter = 1;
    if (below(s, scarce) || ((stall.full >= t.stall_full || thrashes(s, t)) && below(s, t.full_available))) wish.enter = 2;
    if (below(s, low * margin) || (stall.some >= t.calm_stall_some && below(s, t.stall_available * margin))) wish.keep = 1;
    if (below(s, scarce * margin) ||
        ((stall.full >= t.calm_stall_some || thrashes(s, t, 0.5)) && below(s, t.full_available * margin))) {
        wish.keep = 2;
    }
    return wish;
}

Wish of_disk(const Samples& s, const Thresholds& t) {
    if (!s.sync_ms) return {};
    const auto level = [&](double margin) {
        const auto took = static_cast<double>(*s.sync_ms) * margin;
        return took >= static_cast<double>(t.sync_stuck_ms) ? 2 : took >= static_cast<double>(t.sync_slow_ms) ? 1 : 0;
    };
    return {.enter = level(1), .keep = level(t.calm_margin)};
}

void settle(State::Channel& channel, const Wish& wish, sys::TimePoint now, const Thresholds& t) {
    const auto go = [&](int level) {
        if (level != channel.level) channel.since = now;
        channel.level = level;
        channel.calm_since.reset();
    };
    if (wish.enter >= channel.level) return go(wish.enter);
    if (wish.keep >= channel.level) {
        channel.calm_since.reset();
        return;
    }
    if (!channel.calm_since) channel.calm_since = now;
    if (now - *channel.calm_since >= t.calm_for) go(std::max(wish.enter, wish.keep));
}

bool confirms(const Samples& s, const Thresholds& t) {
    return below(s, t.kill_available) && s.refaults_per_s && *s.refaults_per_s >= t.kill_refaults_per_s;
}

std::optional<int> grown_most(const Samples& s, const Thresholds& t) {
    const auto most = std::ranges::max_element(s.jobs, {}, &JobMemory::grown_bytes);
    if (most == s.jobs.end() || most->grown_bytes < t.kill_grown_bytes_min) return std::nullopt;
    return most->slot;
}

std::vector<Figure> evidence_of(const Samples& s) {
    std::vector<Figure> all;
    const auto stalls = [&](const std::optional<Stall>& stall, std::string_view some, std::string_view full) {
        if (!stall) return;
        all.push_back({some, stall->some});
        all.push_back({full, stall->full});
    };
    const auto number = [&](std::string_view name, const auto& value) {
        if (value) all.push_back({name, static_cast<double>(*value)});
    };
    if (s.memory) all.push_back({"memory_available_ratio", s.memory->available_share()});
    stalls(s.memory_stall, "memory_some_ratio", "memory_full_ratio");
    stalls(s.io, "io_some_ratio", "io_full_ratio");
    stalls(s.cpu, "cpu_some_ratio", "cpu_full_ratio");
    number("refaults_per_s", s.refaults_per_s);
    number("sync_ms", s.sync_ms);
    number("disk_free_bytes", s.disk_free_bytes);
    number("disk_free_files", s.disk_free_files);
    number("loop_lag_ms", s.loop_lag_ms);
    std::int64_t most = 0;
    for (const JobMemory& job : s.jobs) most = std::max(most, job.grown_bytes);
    all.push_back({"job_grown_bytes", static_cast<double>(most)});
    return all;
}

}  // namespace

std::string_view to_string(Resource resource) { return resource == Resource::memory ? "memory" : "disk"; }

Step decide(const Samples& s, sys::TimePoint now, State state, const Thresholds& t) {
    const auto level_of = [](const State& it) {
        const auto worst = std::ranges::max_element(it.channels, {}, &State::Channel::level);  // of two alike, memory
        return std::pair{worst->level, static_cast<Resource>(worst - it.channels.begin())};
    };
    const auto before = level_of(state);
    settle(state.channels[0], of_memory(s, t), now, t);
    settle(state.channels[1], of_disk(s, t), now, t);

    Decision decision;
    std::tie(decision.level, decision.resource) = level_of(state);
    decision.changed = decision.level != before.first || (decision.level > 0 && decision.resource != before.second);
    decision.since = state.channels[static_cast<std::size_t>(decision.resource)].since;
    decision.blind = s.blind;
    decision.evidence = evidence_of(s);

    if (state.channels[0].level < uploads_stop_level || !confirms(s, t)) {
        state.confirming_since.reset();
        return {state, std::move(decision)};
    }
    if (!state.confirming_since) state.confirming_since = now;
    const bool held_off = state.ended_at && now - *state.ended_at < t.kill_again_after;
    if (now - *state.confirming_since < t.confirm_for || held_off) return {state, std::move(decision)};
    decision.level = ending_level;
    decision.resource = Resource::memory;
    decision.end_slot = grown_most(s, t);
    decision.nobody_to_end = !decision.end_slot;
    if (decision.end_slot) state.ended_at = now;
    return {state, std::move(decision)};
}

std::string evidence_text(const Decision& decision) {
    std::string text;
    for (const Figure& it : decision.evidence) text += fmt::format("{}{} {:.5g}", text.empty() ? "" : ", ", it.name, it.value);
    return text;
}

}  // namespace assay::admission
