#include "queue/pace.hh"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace assay::queue {
namespace {

constexpr std::size_t slots_remembered = 1024;  // empty ones

template <class T>
void keep(std::deque<T>& values, T value, std::size_t count_max) {
    values.push_back(value);
    if (values.size() > count_max) values.pop_front();
}

template <class T>
T median(std::vector<T> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

std::optional<std::int64_t> left_ms(const std::deque<std::int64_t>& lengths_ms, std::int64_t ran_ms) {
    if (lengths_ms.empty()) return std::nullopt;
    std::int64_t sum_ms = 0;
    std::int64_t count = 0;
    for (const std::int64_t length_ms : lengths_ms) {
        if (length_ms < ran_ms || (length_ms == ran_ms && ran_ms > 0)) continue;
        sum_ms += length_ms - ran_ms;
        ++count;
    }
    return count > 0 ? sum_ms / count : ran_ms;
}

void Pace::ended(const CourseId& course, const ModuleId& module, std::int64_t length_ms, std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    note_end(course, module, length_ms, now_ms);
}

void Pace::note_end(const CourseId& course, const ModuleId& module, std::int64_t length_ms, std::int64_t now_ms) {
    keep(lengths_[{course, module}], std::max<std::int64_t>(length_ms, 0), lengths_kept);
    keep(all_, std::max<std::int64_t>(length_ms, 0), lengths_kept);
    keep(freed_ms_, now_ms, slots_remembered);
}

void Pace::note_start(std::int64_t joined_ms, std::int64_t now_ms) {
    if (freed_ms_.empty()) return;
    const std::int64_t freed_ms = freed_ms_.back();
    freed_ms_.pop_back();
    // A slot that stood empty because nothing waited says nothing.
    if (joined_ms <= freed_ms && freed_ms <= now_ms) keep(gaps_ms_, now_ms - freed_ms, gaps_kept);
}

void Pace::recall(std::vector<store::PastRun> runs) {
    struct Moment {
        std::int64_t at_ms;
        bool start;                              // of two at the same moment the end comes first: it frees the slot
        std::size_t index;
        auto operator<=>(const Moment&) const = default;
    };
    std::vector<Moment> moments;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        moments.push_back({runs[i].started_ms, true, i});
        moments.push_back({runs[i].ended_ms, false, i});
    }
    std::ranges::sort(moments);
    const std::lock_guard lock{mutex_};
    for (const Moment& moment : moments) {
        const store::PastRun& run = runs[moment.index];
        if (moment.start) note_start(run.joined_ms, moment.at_ms);
        else note_end(run.course, run.module, run.ended_ms - run.started_ms, moment.at_ms);
    }
    freed_ms_.clear();  // They were other slots.
}

std::optional<std::int64_t> Pace::left_ms(const CourseId& course, const ModuleId& module, std::int64_t ran_ms) const {
    const std::lock_guard lock{mutex_};
    const auto found = lengths_.find({course, module});
    return queue::left_ms(found == lengths_.end() ? all_ : found->second, ran_ms);
}

std::int64_t Pace::between_ms() const {
    const std::lock_guard lock{mutex_};
    return gaps_ms_.empty() ? 0 : median(std::vector<std::int64_t>{gaps_ms_.begin(), gaps_ms_.end()});
}

Tempo Pace::tempo() const {
    const auto left = [this](const CourseId& course, const ModuleId& module, std::int64_t ran_ms) { return left_ms(course, module, ran_ms); };
    return {.left_ms = left, .between_ms = between_ms()};
}

void Pace::promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms,
                    std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    if (promises_.size() >= promises_kept) {  // Some were replaced or held, and never start.
        std::set<JobId> there;
        for (const store::QueuedJob& job : waiting) there.insert(job.job.id);
        std::erase_if(promises_, [&there](const auto& promise) { return !there.contains(promise.first); });
    }
    for (std::size_t i = 0; i < waiting.size() && i < expected_ms.size() && promises_.size() < promises_kept; ++i) {
        if (expected_ms[i]) promises_.try_emplace(waiting[i].job.id, Promise{now_ms, *expected_ms[i]});
    }
}

void Pace::started(JobId job, std::int64_t joined_ms, std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    note_start(joined_ms, now_ms);
    const auto found = promises_.find(job);
    if (found == promises_.end()) return;
    const Promise& promise = found->second;
    keep(errors_, Missed{std::abs(now_ms - promise.start_ms), std::max<std::int64_t>(now_ms - promise.told_ms, 1)}, errors_kept);
    promises_.erase(found);
}

std::optional<Pace::Errors> Pace::errors() const {
    std::vector<double> errors_ms;
    std::vector<double> shares;
    {
        const std::lock_guard lock{mutex_};
        for (const Missed& missed : errors_) {
            errors_ms.push_back(static_cast<double>(missed.error_ms));
            shares.push_back(static_cast<double>(missed.error_ms) / static_cast<double>(missed.waited_ms));
        }
    }
    if (errors_ms.empty()) return std::nullopt;
    return Errors{median(std::move(errors_ms)), median(std::move(shares))};
}

}  // namespace assay::queue
