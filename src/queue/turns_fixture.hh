// A server of the policy alone, for the tests of turns and of what is foretold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "queue/policy.hh"

namespace assay::queue {

inline store::QueuedJob job_of(std::int64_t id, const std::string& who, std::int64_t received_ms, std::int64_t turn_ms = 0) {
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

// A server in a few lines: jobs arrive, start by the policy, run for a while.
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

    void arrive(const std::string& who, std::int64_t at_ms, std::int64_t length_ms, bool rejudge = false, const std::string& module = "M") {
        auto job = job_of(static_cast<std::int64_t>(jobs_.size()) + 1, who, at_ms);
        job.module = ModuleId{module};
        if (rejudge) job.job.generation = 2;
        jobs_.push_back({job, length_ms, {}, 0});
    }

    void run() {
        while (!all_arrived() || !running_.empty()) {
            std::int64_t next_ms = !all_arrived() ? jobs_[arrived_].queued.received_ms : INT64_MAX;
            for (const auto& [end_ms, index] : running_) next_ms = std::min(next_ms, end_ms);
            now_ms_ = std::max(now_ms_, next_ms);
            for (; !all_arrived() && jobs_[arrived_].queued.received_ms <= now_ms_; ++arrived_) join(arrived_);
            std::erase_if(running_, [&](const auto& entry) {
                if (entry.first > now_ms_) return false;
                ended_.push_back(entry.second);
                return true;
            });
            for (const std::size_t index : std::exchange(ended_, {})) {
                free_oldest(flow_of(index));
                if (on_end) on_end(jobs_[index], now_ms_);
            }
            while (start_one()) {}
            if (watch) watch(*this);
        }
    }

    std::function<void(const Job&, std::int64_t now_ms)> on_start;
    std::function<void(const Job&, std::int64_t now_ms)> on_end;
    // Called at each moment at which something has happened, after whatever may start then has.
    std::function<void(Server&)> watch;
    // The line as it stands: `running` and `waiting` are filled, and must outlive what is returned.
    Situation situation(std::vector<store::QueuedJob>& running, std::vector<store::QueuedJob>& waiting) const {
        running.clear();
        waiting.clear();
        for (const auto& [end_ms, index] : running_) {
            running.push_back(jobs_[index].queued);
            running.back().job.started_ms = jobs_[index].start->at_ms;
        }
        for (const auto& [flow, line] : flows_) {
            for (const std::size_t index : line) {
                waiting.push_back(jobs_[index].queued);
                waiting.back().turn_ms = turns_.contains(flow) ? turns_.at(flow) : 0;
            }
        }
        std::ranges::sort(waiting, {}, [](const auto& it) { return it.job.place; });
        Situation now{.running = running, .slots = slots_, .now_ms = now_ms_};
        waiting = in_turn(std::move(waiting), now);
        now.waiting = waiting;
        return now;
    }
    bool all_arrived() const { return arrived_ == jobs_.size(); }

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
        if (on_start) on_start(jobs_[index], now_ms_);
        if (flow_of(index).empty()) free_oldest("");  // The rejudges are many people's: the next may start beside it.
        return true;
    }

    const int slots_;
    std::int64_t now_ms_ = 1;
    std::size_t arrived_ = 0;
    std::deque<Job> jobs_;                             // by arrival
    std::map<std::string, std::deque<std::size_t>> flows_;
    std::map<std::string, std::int64_t> turns_;
    std::vector<std::pair<std::int64_t, std::size_t>> running_;
    std::vector<std::size_t> ended_;
    std::vector<std::size_t> order_;
};

}  // namespace assay::queue
