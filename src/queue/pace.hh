// Pace: how long jobs take, and how well that tells when one starts. In memory; a start of the server recalls it from what is stored.
//
// A module's jobs take as long as its last ones took. How fast the machine is at all changes as well, and within seconds: a wave of
// uploads, or what else runs on it, makes every job slower. So when the last `window` jobs, of whatever modules, took much longer or
// shorter than is usual, all that is remembered of those modules is scaled by as much; and since nobody can know how long that lasts,
// what is told reaches only a few times as far ahead as the pace has been steady before. Beyond that nothing is told.
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
constexpr std::size_t lengths_needed = 3;        // of a module, before its own are what is told
constexpr std::size_t window = 48;               // jobs whose pace is the present one
constexpr double change_min = 1.5;               // times longer or shorter: the pace has changed
constexpr std::int64_t reach_times = 3;          // as far ahead as it was steady before
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
    // A job that came into line then has got a slot. How far what was told of it was from that.
    void started(JobId, std::int64_t joined_ms, std::int64_t now_ms);
    // What a predecessor knew, oldest first.
    void recall(std::vector<store::PastRun> runs);

    // Of the module's last jobs; of one that has not enough of them, guessed from the last of all.
    std::optional<Left> left(const CourseId&, const ModuleId&, std::int64_t ran_ms) const;
    // The median of how long slots were empty between two jobs while work waited.
    std::int64_t between_ms() const;
    Tempo tempo(std::int64_t now_ms) const;      // of this; this outlives it

    // What is told of each job that waits, whenever somebody looks at the line.
    void promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms, std::int64_t now_ms);
    struct Errors {                              // medians
        struct Told {
            double median_ms = 0;
            double median_share = 0;             // of how long the job waited from then on
        };
        Told first;                              // what was told first
        Told half_way;                           // and what was, once it had been waiting for as long again as that said was left
        double silent_ms = 0;                    // how long it was in line, and looked at, before anything was told
    };
    std::optional<Errors> errors() const;        // of the last `errors_kept` that were looked at; nullopt: none was told anything

private:
    using Lengths = std::deque<std::int64_t>;
    using Key = std::pair<CourseId, ModuleId>;
    struct Recent {
        Key module;
        std::int64_t began_ms = 0;
        double log_times = 0;                    // of its module's usual length, as a logarithm
    };
    struct Told {
        std::int64_t at_ms = 0;
        std::int64_t start_ms = 0;
    };
    struct Promise {
        std::int64_t seen_ms = 0;
        std::optional<Told> first;
        std::optional<Told> half_way;
    };
    struct Missed {
        std::int64_t error_ms = 0;
        std::int64_t waited_ms = 0;
    };
    struct Kept {
        std::int64_t silent_ms = 0;
        std::optional<Missed> first;
        std::optional<Missed> half_way;
    };
    static Missed missed(const Told&, std::int64_t now_ms);
    static Errors::Told medians(const std::deque<Kept>&, std::optional<Missed> Kept::*);
    void note_end(const CourseId&, const ModuleId&, std::int64_t length_ms, std::int64_t now_ms);
    void note_start(std::int64_t joined_ms, std::int64_t now_ms);
    void follow_change();

    mutable std::mutex mutex_;
    std::map<Key, Lengths> lengths_;             // guarded, as all below
    Lengths all_;
    std::deque<Recent> recent_;                  // since the last change
    std::optional<std::int64_t> steady_since_ms_;
    Lengths freed_ms_;                           // when slots became empty; the newest is filled first
    Lengths gaps_ms_;
    std::map<JobId, Promise> promises_;
    std::deque<Kept> errors_;
};

}  // namespace assay::queue
