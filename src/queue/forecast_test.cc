// What is foretold of starts: exactly what the policy does when lengths are known, and how far off it is when they are learned.
#include "queue/forecast.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "queue/pace.hh"
#include "queue/turns_fixture.hh"

namespace assay::queue {
namespace {

using Times = std::vector<std::optional<std::int64_t>>;

Tempo each_takes(std::int64_t length_ms) {
    return {.left = [length_ms](const CourseId&, const ModuleId&, std::int64_t ran_ms) {
        return std::optional{Left{.ms = std::max<std::int64_t>(length_ms - ran_ms, 0)}};
    }};
}

TEST(ExpectedStart, FollowsTheTurnsAndTheUsualLengths) {
    std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "a", 3), job_of(4, "c", 4)};
    std::vector<store::QueuedJob> running{job_of(9, "z", 1)};
    running[0].job.started_ms = 900;
    Situation situation{.running = running, .slots = 2, .now_ms = 1000};
    waiting = in_turn(std::move(waiting), situation);  // 1, 2, 4, 3
    situation.waiting = waiting;
    // One slot is free now, the other at 1400; nobody runs two at once.
    EXPECT_EQ(expected_starts(situation, each_takes(500)), (Times{1000, 1400, 1500, 1900}));
    Tempo with_gaps = each_takes(500);
    with_gaps.between_ms = 10;
    EXPECT_EQ(expected_starts(situation, with_gaps), (Times{1000, 1410, 1510, 1920}));
    const Tempo nothing_known{.left = [](const CourseId&, const ModuleId&, std::int64_t) { return std::optional<Left>{}; }};
    EXPECT_EQ(expected_starts(situation, nothing_known), Times(4));
    situation.slots = 0;
    EXPECT_EQ(expected_starts(situation, each_takes(500)), Times(4));
}

// Whoever waits for his own running job keeps no slot from others.
TEST(ExpectedStart, ABusyPersonHoldsNobodyUp) {
    std::vector<store::QueuedJob> running{job_of(9, "a", 1)};
    running[0].job.started_ms = 1000;
    std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "c", 3)};
    const Situation situation{.waiting = waiting, .running = running, .slots = 2, .now_ms = 1000};
    EXPECT_EQ(expected_starts(situation, each_takes(500)), (Times{1500, 1000, 1500}));
}

TEST(ExpectedStart, WhatIsPausedBacksOffOrRunsAloneIsToldSo) {
    std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "c", 3), job_of(4, "d", 4)};
    waiting[0].module = ModuleId{"P"};
    waiting[1].job.faults = 2;
    waiting[1].job.reason = model::Reason::retry;
    waiting[1].job.reason_since_ms = 1000;
    waiting[3].job.cuts_in_a_row = cuts_alone;
    std::vector<store::Standing> paused(1);
    paused[0].course = CourseId{"C"};
    paused[0].module = ModuleId{"P"};
    paused[0].paused = model::Reason::module_paused;
    const Situation situation{.waiting = waiting, .paused = paused, .slots = 2, .now_ms = 1000, .server_started_ms = -1'000'000};
    EXPECT_EQ(expected_starts(situation, each_takes(500)), (Times{std::nullopt, 1000 + fault_backoff_ms, 1000, 1500}));
}

TEST(LeftMs, IsTheMeanOfThoseThatTookLonger) {
    EXPECT_EQ(left_ms({}, 0), std::nullopt);
    EXPECT_EQ(left_ms({100, 200, 600}, 0), 300);
    EXPECT_EQ(left_ms({100, 200, 600}, 150), 250);  // (50 + 450) / 2
    EXPECT_EQ(left_ms({100, 200, 600}, 600), 600);  // It has outrun them all.
}

class Foretold : public ::testing::TestWithParam<unsigned> {};
class ForetoldInARush : public ::testing::TestWithParam<unsigned> {};

// With lengths known and everybody there, each job starts at the very moment that was told, from any moment on: what is played
// through is the policy itself, rejudges, busy people and all.
TEST_P(Foretold, IsWhatHappensWhenLengthsAreKnownAndNobodyElseComes) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    const std::map<std::string, std::int64_t> length_ms{{"M0", 137}, {"M1", 1013}, {"M2", 4999}};
    Server server{pick(1, 4)};
    std::int64_t at_ms = 1;
    for (int i = 0; i < 400; ++i) {
        const auto module = "M" + std::to_string(pick(0, 2));
        const bool rejudge = pick(1, 10) == 1;
        at_ms += pick(0, 300);
        server.arrive(pick(1, 4) == 1 ? "flood" : "p" + std::to_string(pick(1, 60)), at_ms, length_ms.at(module), rejudge, module);
    }
    const Tempo tempo{.left = [&](const CourseId&, const ModuleId& module, std::int64_t ran_ms) {
        return std::optional{Left{.ms = length_ms.at(module.text()) - ran_ms}};
    }};
    std::map<std::int64_t, std::vector<std::int64_t>> told;  // by job
    int moments = 0;
    server.watch = [&](Server& it) {
        if (!it.all_arrived() || ++moments % 40 != 1) return;
        std::vector<store::QueuedJob> running, waiting;
        const Situation situation = it.situation(running, waiting);
        const auto expected = expected_starts(situation, tempo);
        for (std::size_t i = 0; i < waiting.size(); ++i) told[waiting[i].job.id.value].push_back(expected[i].value());
    };
    server.run();
    ASSERT_GT(told.size(), 50u);
    for (const auto& job : server.jobs()) {
        for (const std::int64_t start_ms : told[job.queued.job.id.value]) {
            EXPECT_EQ(start_ms, job.start->at_ms) << "job " << job.queued.job.id.value << " of " << job.queued.participant.text();
        }
    }
}

// A deadline's rush: 2,000 jobs of 300 people within ten minutes, 400 of them one man's; three modules, lengths of a heavy tail
// (a few take twenty times the usual) that nobody told beforehand, and slots that need a moment between two jobs.
// The bounds: whoever waits with his only job (so that nobody overtakes him) is told his start, at first sight, to within
// an eighth of his wait in the median; and once nobody else comes, so is everybody.
TEST_P(ForetoldInARush, IsOffByAnEighthWhenLengthsAreLearned) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    std::lognormal_distribution<double> tail{0, 0.8};
    constexpr std::int64_t rush_ms = 600'000;
    constexpr std::int64_t between_ms = 40;
    constexpr std::int64_t look_every_ms = 5000;
    const std::map<std::string, double> usual_ms{{"M0", 300}, {"M1", 1000}, {"M2", 2500}};
    Server server{pick(1, 4)};
    struct Coming {
        std::int64_t at_ms;
        std::string who;
    };
    std::vector<Coming> coming;
    for (int i = 0; i < 2000; ++i) coming.push_back({pick(1, rush_ms), i < 400 ? "flood" : "p" + std::to_string(pick(1, 300))});
    std::ranges::sort(coming, {}, &Coming::at_ms);
    for (const auto& it : coming) {
        const std::string module = "M" + std::to_string(pick(0, 2));
        const auto length_ms = static_cast<std::int64_t>(usual_ms.at(module) * tail(random)) + 1;
        server.arrive(it.who, it.at_ms, length_ms + between_ms, false, module);
    }
    Pace pace;
    server.on_end = [&](const Server::Job& job, std::int64_t now_ms) {
        pace.ended(job.queued.course, job.queued.module, job.length_ms - between_ms, now_ms - between_ms);
    };
    server.on_start = [&](const Server::Job& job, std::int64_t now_ms) { pace.started(job.queued.job.id, job.queued.received_ms, now_ms); };

    struct Promise {
        std::int64_t told_ms;
        std::int64_t start_ms;
    };
    std::map<std::int64_t, Promise> first, last;  // of those with nothing else of theirs before them; once all are there
    std::int64_t looked_ms = 0;
    server.watch = [&](Server& it) {
        std::vector<store::QueuedJob> running, waiting;
        const Situation situation = it.situation(running, waiting);
        if (situation.now_ms < looked_ms + look_every_ms) return;
        looked_ms = situation.now_ms;
        const auto expected = expected_starts(situation, pace.tempo(situation.now_ms));
        std::map<std::string, int> own;
        for (const auto& job : running) ++own[job.participant.text()];
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (!expected[i]) continue;
            const bool only_one = own[waiting[i].participant.text()]++ == 0;
            if (only_one) first.try_emplace(waiting[i].job.id.value, Promise{situation.now_ms, *expected[i]});
            if (it.all_arrived()) last.try_emplace(waiting[i].job.id.value, Promise{situation.now_ms, *expected[i]});
        }
    };
    server.run();
    const auto median_share = [&](const std::map<std::int64_t, Promise>& told) {
        std::vector<double> shares;
        for (const auto& job : server.jobs()) {
            const auto found = told.find(job.queued.job.id.value);
            if (found == told.end()) continue;
            const auto waited_ms = static_cast<double>(std::max<std::int64_t>(job.start->at_ms - found->second.told_ms, 1));
            shares.push_back(std::abs(static_cast<double>(job.start->at_ms - found->second.start_ms)) / waited_ms);
        }
        EXPECT_GT(shares.size(), 250u);
        std::ranges::sort(shares);
        return shares[shares.size() / 2];
    };
    EXPECT_LE(median_share(first), 0.125);
    EXPECT_LE(median_share(last), 0.125);
    EXPECT_EQ(pace.between_ms(), between_ms);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Foretold, ::testing::Range(1u, 7u));
INSTANTIATE_TEST_SUITE_P(Seeds, ForetoldInARush, ::testing::Range(1u, 4u));

TEST(Pace, RecallsWhatAPredecessorKnew) {
    const CourseId course{"C"};
    const ModuleId module{"M"};
    Pace before;
    std::vector<store::PastRun> stored;
    for (std::int64_t i = 0; i < 100; ++i) {
        const std::int64_t start_ms = 1000 + i * 520;  // One slot, 20 ms between two jobs.
        before.started(JobId{i}, 1, start_ms);
        before.ended(course, module, 500 + i % 3, start_ms + 500 + i % 3);
        stored.push_back({course, module, 1, start_ms, start_ms + 500 + i % 3});
    }
    Pace after;
    EXPECT_EQ(after.left(course, module, 0), std::nullopt);
    after.recall(stored);
    EXPECT_EQ(after.left(course, module, 0), before.left(course, module, 0));
    EXPECT_EQ(after.left(course, module, 0), (Left{.ms = 500}));
    EXPECT_EQ(after.between_ms(), before.between_ms());
    EXPECT_NEAR(static_cast<double>(after.between_ms()), 19, 1);
    EXPECT_EQ(after.left(course, ModuleId{"new"}, 0), (Left{.ms = 500, .guessed = true})) << "of any module, when this one has none";
}

// A slot that was empty because nothing waited tells nothing of what lies between two jobs.
TEST(Pace, AnIdleHourIsNoGap) {
    Pace pace;
    pace.ended(CourseId{"C"}, ModuleId{"M"}, 10, 1000);
    pace.started(JobId{1}, 3'600'000, 3'600'001);
    EXPECT_EQ(pace.between_ms(), 0);
}

TEST(Pace, TellsHowFarWhatWasToldWasOff) {
    Pace pace;
    EXPECT_FALSE(pace.errors());
    const std::vector<store::QueuedJob> waiting{job_of(1, "a", 1)};
    pace.promised(waiting, Times{std::nullopt}, 500);
    pace.promised(waiting, Times{5000}, 1000);  // The first that is told.
    pace.promised(waiting, Times{8000}, 2000);
    pace.promised(waiting, Times{5800}, 4000);  // As long has gone by as it says is left.
    pace.promised(waiting, Times{6000}, 5000);
    pace.started(JobId{1}, 1, 6000);
    ASSERT_TRUE(pace.errors());
    EXPECT_EQ(pace.errors()->first.median_ms, 1000);
    EXPECT_EQ(pace.errors()->first.median_share, 0.2);
    EXPECT_EQ(pace.errors()->half_way.median_ms, 200);
    EXPECT_EQ(pace.errors()->half_way.median_share, 0.1);
    EXPECT_EQ(pace.errors()->silent_ms, 500);
}

// Of a module nothing of which has ended nobody knows how long it takes; what stands mostly behind it is not foretold either.
TEST(ExpectedStart, IsNotToldFromAGuess) {
    Tempo tempo = each_takes(500);
    tempo.left = [](const CourseId&, const ModuleId& module, std::int64_t) {
        return std::optional{Left{.ms = 500, .guessed = module.text() == "New"}};
    };
    std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "c", 3),
                                          job_of(4, "d", 4), job_of(5, "e", 5), job_of(6, "f", 6)};
    waiting[1].module = ModuleId{"New"};
    const Situation situation{.waiting = waiting, .slots = 1, .now_ms = 1000};
    EXPECT_EQ(expected_starts(situation, tempo), (Times{1000, 1500, std::nullopt, std::nullopt, 3000, 3500}));
}

TEST(ExpectedStart, ReachesNoFurtherThanTheTempoTells) {
    Tempo tempo = each_takes(500);
    tempo.reach_ms = 600;
    const std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "c", 3)};
    const Situation situation{.waiting = waiting, .slots = 1, .now_ms = 1000};
    EXPECT_EQ(expected_starts(situation, tempo), (Times{1000, 1500, std::nullopt}));
}

// A wave of uploads, say, under which each job takes six times as long, and then is over.
TEST(Pace, FollowsAChangeOfAllJobsWithinAFewWindows) {
    const CourseId course{"C"};
    const ModuleId quick{"Quick"};
    const ModuleId slow{"Slow"};
    Pace pace;
    std::int64_t now_ms = 0;
    const auto run = [&](std::size_t jobs, std::int64_t times) {
        for (std::size_t i = 0; i < jobs; ++i) {
            const std::int64_t length_ms = times * (i % 2 == 0 ? 10 : 100);
            now_ms += length_ms;
            pace.ended(course, i % 2 == 0 ? quick : slow, length_ms, now_ms);
        }
    };
    const auto tells = [&](const ModuleId& module) { return static_cast<double>(pace.left(course, module, 0)->ms); };
    run(2 * window, 6);
    EXPECT_EQ(tells(quick), 60);
    EXPECT_EQ(tells(slow), 600);
    EXPECT_EQ(pace.tempo(now_ms).reach_ms, reach_times * now_ms);
    const std::int64_t over_ms = now_ms;
    run(3 * window, 1);
    EXPECT_NEAR(tells(quick), 10, 2);
    EXPECT_NEAR(tells(slow), 100, 20);
    EXPECT_LE(pace.tempo(now_ms).reach_ms, reach_times * (now_ms - over_ms)) << "nobody knows how long that lasts";
    const std::int64_t steady_ms = pace.tempo(now_ms).reach_ms / reach_times;
    const std::int64_t then_ms = now_ms;
    run(10'000, 1);
    EXPECT_EQ(tells(quick), 10);
    EXPECT_EQ(pace.tempo(now_ms).reach_ms, reach_times * (steady_ms + now_ms - then_ms));
}

// A few that take far longer than the others are no change.
TEST(Pace, TakesAFewLongOnesForNoChange) {
    Pace pace;
    std::int64_t now_ms = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::int64_t length_ms = i % 10 == 0 ? 5000 : 100;
        pace.ended(CourseId{"C"}, ModuleId{"M"}, length_ms, now_ms += length_ms);
    }
    EXPECT_EQ(pace.tempo(now_ms).reach_ms, reach_times * now_ms);
}

}  // namespace
}  // namespace assay::queue
