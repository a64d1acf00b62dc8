// The order of turns: what it promises, held against seeded arrivals, lengths and numbers of slots.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "queue/policy.hh"

namespace assay::queue {
namespace {

store::QueuedJob job_of(std::int64_t id, const std::string& who, std::int64_t received_ms, std::int64_t turn_ms = 0) {
    store::QueuedJob job;
    job.job.id = JobId{id};
    job.job.place = id;
    job.course = CourseId{"C"};
    job.module = ModuleId{"M"};
    job.participant = ParticipantId{who};
    job.received_ms = received_ms;
    job.turn_ms = turn_ms;
    return job;
}

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

// A server in a few lines: jobs arrive, start by the policy, run for a while. `heads`: it looks at each one's oldest job alone.
class Server {
public:
    struct Start {
        std::int64_t at_ms = 0;
        std::int64_t number = 0;  // how many had started before
    };
    struct Job {
        store::QueuedJob queued;
        std::int64_t length_ms = 0;
        std::optional<Start> start;
        std::int64_t free_from = 0;  // number of starts when it became its flow's oldest with none running
    };

    explicit Server(int slots) : slots_{slots} {}

    void arrive(const std::string& who, std::int64_t at_ms, std::int64_t length_ms, bool rejudge = false) {
        auto job = job_of(static_cast<std::int64_t>(jobs_.size()) + 1, who, at_ms);
        if (rejudge) job.job.generation = 2;
        jobs_.push_back({job, length_ms, {}, 0});
    }

    void run() {
        std::size_t arrived = 0;
        while (arrived < jobs_.size() || !running_.empty()) {
            std::int64_t next_ms = arrived < jobs_.size() ? jobs_[arrived].queued.received_ms : INT64_MAX;
            for (const auto& [end_ms, index] : running_) next_ms = std::min(next_ms, end_ms);
            now_ms_ = std::max(now_ms_, next_ms);
            for (; arrived < jobs_.size() && jobs_[arrived].queued.received_ms <= now_ms_; ++arrived) join(arrived);
            std::erase_if(running_, [&](const auto& entry) {
                if (entry.first > now_ms_) return false;
                ended_.push_back(entry.second);
                return true;
            });
            for (const std::size_t index : std::exchange(ended_, {})) free_oldest(flow_of(index));
            while (start_one()) {}
        }
    }

    const std::deque<Job>& jobs() const { return jobs_; }
    // Who started between two numbers of starts.
    std::map<std::string, int> started_between(std::int64_t from, std::int64_t to) const {
        std::map<std::string, int> count;
        for (std::int64_t i = from; i < to; ++i) ++count[flow_of(order_[static_cast<std::size_t>(i)])];
        return count;
    }
    std::string flow_of(std::size_t index) const {
        const auto& queued = jobs_[index].queued;
        return queued.job.generation > 1 ? "" : queued.participant.text();
    }

private:
    void join(std::size_t index) {
        auto& line = flows_[flow_of(index)];
        line.push_back(index);
        if (line.size() == 1) free_oldest(flow_of(index));
    }
    void free_oldest(const std::string& flow) {
        const auto runs = [&](const auto& entry) { return flow_of(entry.second) == flow; };
        auto& line = flows_[flow];
        if (!line.empty() && std::ranges::none_of(running_, runs)) jobs_[line.front()].free_from = static_cast<std::int64_t>(order_.size());
    }
    bool start_one() {
        std::vector<store::QueuedJob> heads;
        for (const auto& [flow, line] : flows_) {
            if (line.empty()) continue;
            heads.push_back(jobs_[line.front()].queued);
            heads.back().turn_ms = turns_.contains(flow) ? turns_.at(flow) : 0;
        }
        std::ranges::sort(heads, {}, [](const auto& it) { return it.job.place; });
        std::vector<store::QueuedJob> running;
        for (const auto& [end_ms, index] : running_) running.push_back(jobs_[index].queued);
        Situation situation{.running = running, .slots = slots_, .now_ms = now_ms_};
        heads = in_turn(std::move(heads), situation);
        situation.waiting = heads;
        const auto chosen = choose(situation);
        if (!chosen) return false;
        const auto index = static_cast<std::size_t>(chosen->value - 1);
        flows_.at(flow_of(index)).pop_front();
        jobs_[index].start = Start{now_ms_, static_cast<std::int64_t>(order_.size())};
        order_.push_back(index);
        turns_[flow_of(index)] = now_ms_;
        running_.emplace_back(now_ms_ + jobs_[index].length_ms, index);
        if (flow_of(index).empty()) free_oldest("");  // The rejudges are many people's: the next may start beside it.
        return true;
    }

    const int slots_;
    std::int64_t now_ms_ = 1;
    std::deque<Job> jobs_;                             // by arrival
    std::map<std::string, std::deque<std::size_t>> flows_;
    std::map<std::string, std::int64_t> turns_;
    std::vector<std::pair<std::int64_t, std::size_t>> running_;
    std::vector<std::size_t> ended_;
    std::vector<std::size_t> order_;
};

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

TEST(ExpectedStart, FollowsTheTurnsAndTheUsualLengths) {
    std::vector<store::QueuedJob> waiting{job_of(1, "a", 1), job_of(2, "b", 2), job_of(3, "a", 3), job_of(4, "c", 4)};
    std::vector<store::QueuedJob> running{job_of(9, "z", 1)};
    running[0].job.started_ms = 900;
    Situation situation{.waiting = waiting, .running = running, .slots = 2, .now_ms = 1000};
    const auto usual = [](const CourseId&, const ModuleId&) { return std::optional<std::int64_t>{500}; };
    using Times = std::vector<std::optional<std::int64_t>>;
    // One slot is free now, the other at 1400; nobody runs two at once.
    EXPECT_EQ(expected_starts(situation, usual), (Times{1000, 1400, 1500, 1900}));
    EXPECT_EQ(expected_starts(situation, [](const CourseId&, const ModuleId&) { return std::optional<std::int64_t>{}; }), Times(4));
    situation.slots = 0;
    EXPECT_EQ(expected_starts(situation, usual), Times(4));
}

}  // namespace
}  // namespace assay::queue
