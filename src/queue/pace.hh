// Pace: how long jobs take, and how well that tells when one starts. In memory: a start of the server begins without.
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

#include "queue/policy.hh"

namespace assay::queue {

constexpr std::size_t lengths_kept = 32;       // of each module: the median of few and recent ones follows a change, and one outlier not
constexpr std::size_t errors_kept = 256;
constexpr std::size_t promises_kept = 20'000;  // jobs that wait; beyond it the error is not measured

class Pace {
public:
    void ended(const CourseId&, const ModuleId&, std::int64_t length_ms);
    // The median of the module's last jobs; of a module without any, of the last of all. nullopt: none has ended yet.
    std::optional<std::int64_t> usual_ms(const CourseId&, const ModuleId&) const;

    // Keeps the first estimate of each job that waits.
    void promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms);
    // How far that estimate was from the truth.
    void started(JobId, std::int64_t now_ms);
    std::optional<double> median_error_ms() const;  // of the last `errors_kept`; nullopt: none yet

private:
    using Lengths = std::deque<std::int64_t>;
    mutable std::mutex mutex_;
    std::map<std::pair<CourseId, ModuleId>, Lengths> lengths_;  // guarded, as all below
    Lengths all_;
    std::map<JobId, std::int64_t> promises_;
    Lengths errors_;
};

}  // namespace assay::queue
