// The order of turns: what it promises, held against seeded arrivals, lengths and numbers of slots.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "queue/turns_fixture.hh"

namespace assay::queue {
namespace {

std::vector<std::int64_t> order_of(std::vector<store::QueuedJob> by_place, std::span<const store::Standing> paused = {}) {
    std::vector<std::int64_t> ids;
    for (const auto& job : in_turn(std::move(by_place), {.paused = paused, .slots = 2, .now_ms = 1'000'000})) ids.push_back(job.job.id.value);
    return ids;
}

TEST(Turns, TheTableOfWhoComesFirst) {
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(order_of({job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "c", 3)}), (Ids{1, 2, 3})) << "one each: as they came";
    EXPECT_EQ(order_of({job_of(1, "a", 1), job_of(2, "a", 2), job_of(3, "b", 3)}), (Ids{1, 3, 2})) << "second ones after all first ones";
    EXPECT_EQ(order_of({job_of(1, "a", 1, 9), job_of(3, "b", 3)}), (Ids{3, 1})) << "who had a turn since comes after";
    EXPECT_EQ(order_of({job_of(1, "a", 1, 2), job_of(3, "b", 3)}), (Ids{1, 3})) << "a turn before the other came is no debt";
    EXPECT_EQ(order_of({job_of(1, "a", 1, 3), job_of(3, "b", 3)}), (Ids{3, 1})) << "of the same moment, who had none";
    auto rejudge = [](std::int64_t id, const char* who, std::int64_t turn_ms) {
        auto job = job_of(id, who, 1, turn_ms);
        job.job.generation = 2;
        return job;
    };
    EXPECT_EQ(order_of({rejudge(1, "a", 5), rejudge(2, "b", 5), job_of(3, "c", 4), job_of(4, "d", 4)}), (Ids{3, 4, 1, 2}))
        << "rejudges are one line of their own, whoever handed in";
    store::Standing paused;
    paused.course = CourseId{"C"};
    paused.module = ModuleId{"P"};
    paused.paused = model::Reason::module_paused;
    auto of_paused = job_of(1, "a", 1);
    of_paused.module = paused.module;
    EXPECT_EQ(order_of({of_paused, job_of(2, "a", 2), job_of(3, "b", 3)}, std::span{&paused, 1}), (Ids{2, 3, 1})) << "a paused one hinders none";
    auto backs_off = job_of(1, "a", 1);
    backs_off.job.faults = 2;
    backs_off.job.reason = model::Reason::retry;
    backs_off.job.reason_since_ms = 999'999;
    EXPECT_EQ(order_of({backs_off, job_of(2, "a", 2), job_of(3, "b", 3)}), (Ids{1, 2, 3})) << "nor does one that backs off";
}

class TurnsOverTime : public ::testing::TestWithParam<unsigned> {};

// The bound of policy.hh: while somebody's oldest job waits and none of his runs, every other participant starts at most one.
// So the flood adds at most one slot of delay to anybody, however long it is.
TEST_P(TurnsOverTime, AFloodOf4000AddsAtMostOneSlotOfDelayToAnyOther) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    Server server{pick(1, 4)};
    struct Arrival {
        std::int64_t at_ms;
        std::string who;
    };
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 4000; ++i) arrivals.push_back({pick(1, 5000), "flood"});
    for (int i = 0; i < 600; ++i) arrivals.push_back({pick(1, 2'000'000), "p" + std::to_string(pick(1, 40))});
    std::ranges::sort(arrivals, {}, &Arrival::at_ms);
    for (const Arrival& it : arrivals) server.arrive(it.who, it.at_ms, pick(1, 2000));
    server.run();
    for (const auto& job : server.jobs()) {
        ASSERT_TRUE(job.start);
        const std::string own = job.queued.participant.text();
        for (const auto& [who, count] : server.started_between(job.free_from, job.start->number)) {
            if (who != own) ASSERT_LE(count, 1) << who << " before job " << job.queued.job.id.value << " of " << own;
        }
    }
}

// Rejudging a whole course drowns no live work and is not starved by it.
TEST_P(TurnsOverTime, RejudgesComeBetweenLiveWorkOneAtATime) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    Server server{pick(1, 4)};
    for (int i = 0; i < 300; ++i) server.arrive("r" + std::to_string(i), 1, pick(500, 1000), true);
    std::vector<std::int64_t> moments;
    for (int i = 0; i < 400; ++i) moments.push_back(pick(2, 300'000));
    std::ranges::sort(moments);
    for (const std::int64_t at_ms : moments) server.arrive("p" + std::to_string(pick(1, 30)), at_ms, pick(500, 1000));
    server.run();
    for (const auto& job : server.jobs()) {
        ASSERT_TRUE(job.start);
        if (job.queued.job.generation > 1) continue;
        const auto before = server.started_between(job.free_from, job.start->number);
        if (before.contains("")) EXPECT_LE(before.at(""), 1) << job.queued.job.id.value;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TurnsOverTime, ::testing::Range(1u, 7u));

// What people are told is what happens: with a free slot for each, the whole line starts in the order of its positions.
TEST(Turns, PositionsAreTheOrderInWhichJobsStart) {
    std::vector<store::QueuedJob> by_place;
    for (int i = 1; i <= 30; ++i) by_place.push_back(job_of(i, i % 3 == 0 ? "a" : "p" + std::to_string(i % 7), i));
    Situation situation{.slots = 1, .now_ms = 1000};
    const auto told = in_turn(by_place, situation);
    std::map<std::string, std::int64_t> turns;
    for (const auto& expected : told) {
        for (auto& job : by_place) job.turn_ms = turns[job.participant.text()];
        auto line = in_turn(by_place, situation);
        situation.waiting = line;
        const auto chosen = choose(situation);
        ASSERT_EQ(chosen, expected.job.id);
        turns[expected.participant.text()] = ++situation.now_ms;
        std::erase_if(by_place, [&](const auto& job) { return job.job.id == *chosen; });
    }
}

}  // namespace
}  // namespace assay::queue
