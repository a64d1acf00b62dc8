// Pace: how long jobs take, and how well that tells when one starts. In memory; a start of the server recalls it from what is stored.
//
// Threading: safe from every thread. Memory is bounded by the constants.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "queue/forecast.hh"
#include "queue/policy.hh"
#include "store/store.hh"

namespace assay::queue {

constexpr std::size_t lengths_kept = 128;        // of each module: enough for a mean, few enough to follow a change
constexpr std::size_t gaps_kept = 64;
constexpr int lengths_recalled = 2048;           // jobs looked back to at a start
constexpr std::size_t errors_kept = 4096;        // a whole rush: the last to start of it waited longest
constexpr std::size_t promises_kept = 20'000;    // jobs that wait; beyond it the error is not measured

// How much longer something takes that has run for `ran_ms`, when its like took this long: the mean of what those took longer
// that had not ended by then; of one that has outrun them all, as long again. nullopt: there are none.
std::optional<std::int64_t> left_ms(const std::deque<std::int64_t>& lengths_ms, std::int64_t ran_ms);

class Pace {
public:
    // A job has brought a verdict after so long, preparation included.
    void ended(const CourseId&, const ModuleId&, std::int64_t length_ms, std::int64_t now_ms);
    // A job that came into line then has got a slot. How far its first estimate was from that.
    void started(JobId, std::int64_t joined_ms, std::int64_t now_ms);
    // What a predecessor knew, oldest first.
    void recall(std::vector<store::PastRun> runs);

    // Of the module's last jobs; of a module without any, of the last of all.
    std::optional<std::int64_t> left_ms(const CourseId&, const ModuleId&, std::int64_t ran_ms) const;
    // The median of how long slots were empty between two jobs while work waited.
    std::int64_t between_ms() const;
    Tempo tempo() const;                         // of this; this outlives it

    // Keeps the first estimate of each job that waits.
    void promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms, std::int64_t now_ms);
    struct Errors {
        double median_ms = 0;
        double median_share = 0;                 // of how long the job waited from the estimate on
    };
    std::optional<Errors> errors() const;        // of the last `errors_kept`; nullopt: none yet

private:
    using Lengths = std::deque<std::int64_t>;
    struct Promise {
        std::int64_t told_ms = 0;
        std::int64_t start_ms = 0;
    };
    struct Missed {
        std::int64_t error_ms = 0;
        std::int64_t waited_ms = 0;
    };
    void note_end(const CourseId&, const ModuleId&, std::int64_t length_ms, std::int64_t now_ms);
    void note_start(std::int64_t joined_ms, std::int64_t now_ms);

    mutable std::mutex mutex_;
    std::map<std::pair<CourseId, ModuleId>, Lengths> lengths_;  // guarded, as all below
    Lengths all_;
    Lengths freed_ms_;                           // when slots became empty; the newest is filled first
    Lengths gaps_ms_;
    std::map<JobId, Promise> promises_;
    std::deque<Missed> errors_;
};

}  // namespace assay::queue
