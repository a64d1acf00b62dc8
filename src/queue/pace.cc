#include "queue/pace.hh"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace assay::queue {
namespace {

void keep(std::deque<std::int64_t>& values, std::int64_t value, std::size_t count_max) {
    values.push_back(value);
    if (values.size() > count_max) values.pop_front();
}

std::optional<std::int64_t> median(const std::deque<std::int64_t>& values) {
    if (values.empty()) return std::nullopt;
    std::vector<std::int64_t> sorted{values.begin(), values.end()};
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    return *middle;
}

}  // namespace

void Pace::ended(const CourseId& course, const ModuleId& module, std::int64_t length_ms) {
    const std::lock_guard lock{mutex_};
    keep(lengths_[{course, module}], std::max<std::int64_t>(length_ms, 0), lengths_kept);
    keep(all_, std::max<std::int64_t>(length_ms, 0), lengths_kept);
}

std::optional<std::int64_t> Pace::usual_ms(const CourseId& course, const ModuleId& module) const {
    const std::lock_guard lock{mutex_};
    const auto found = lengths_.find({course, module});
    return median(found == lengths_.end() ? all_ : found->second);
}

void Pace::promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < waiting.size() && i < expected_ms.size() && promises_.size() < promises_kept; ++i) {
        if (expected_ms[i]) promises_.try_emplace(waiting[i].job.id, *expected_ms[i]);
    }
}

void Pace::started(JobId job, std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    const auto found = promises_.find(job);
    if (found == promises_.end()) return;
    keep(errors_, std::abs(now_ms - found->second), errors_kept);
    promises_.erase(found);
}

std::optional<double> Pace::median_error_ms() const {
    const std::lock_guard lock{mutex_};
    const auto found = median(errors_);
    return found ? std::optional{static_cast<double>(*found)} : std::nullopt;
}

}  // namespace assay::queue
