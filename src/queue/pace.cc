#include "queue/pace.hh"

#include <algorithm>
#include <cmath>
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

// Of lengths, since the few that take twenty times the usual would drown a change of them all in a mean.
double log_of(std::int64_t length_ms) { return std::log(static_cast<double>(std::max<std::int64_t>(length_ms, 1))); }
double log_mean(const std::deque<std::int64_t>& lengths_ms) {
    double sum = 0;
    for (const std::int64_t length_ms : lengths_ms) sum += log_of(length_ms);
    return sum / static_cast<double>(lengths_ms.size());
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
    length_ms = std::max<std::int64_t>(length_ms, 0);
    Lengths& own = lengths_[{course, module}];
    if (!steady_since_ms_) steady_since_ms_ = now_ms - length_ms;
    steady_since_ms_ = std::min(*steady_since_ms_, now_ms);  // The clock was set back.
    if (own.size() >= lengths_needed) keep(recent_, Recent{{course, module}, now_ms - length_ms, log_of(length_ms) - log_mean(own)}, window);
    keep(own, length_ms, lengths_kept);
    keep(all_, length_ms, lengths_kept);
    keep(freed_ms_, now_ms, slots_remembered);
    follow_change();
}

// What the window itself took is of the present pace already.
void Pace::follow_change() {
    if (recent_.size() < window) return;
    double log_sum = 0;
    std::map<Key, std::size_t> fresh;
    for (const Recent& it : recent_) {
        log_sum += it.log_times;
        ++fresh[it.module];
    }
    const double times = std::exp(log_sum / static_cast<double>(window));
    if (times < change_min && times > 1 / change_min) return;
    const auto scale = [times](Lengths& lengths, std::size_t newest) {
        for (std::size_t i = 0; i + newest < lengths.size(); ++i) lengths[i] = std::llround(static_cast<double>(lengths[i]) * times);
    };
    for (const auto& [module, newest] : fresh) scale(lengths_[module], newest);
    scale(all_, recent_.size());
    steady_since_ms_ = std::ranges::min(recent_, {}, &Recent::began_ms).began_ms;
    recent_.clear();
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

std::optional<Left> Pace::left(const CourseId& course, const ModuleId& module, std::int64_t ran_ms) const {
    const std::lock_guard lock{mutex_};
    const auto found = lengths_.find({course, module});
    const bool known = found != lengths_.end() && found->second.size() >= lengths_needed;
    const auto ms = queue::left_ms(known ? found->second : all_, ran_ms);
    return ms ? std::optional{Left{.ms = *ms, .guessed = !known}} : std::nullopt;
}

std::int64_t Pace::between_ms() const {
    const std::lock_guard lock{mutex_};
    return gaps_ms_.empty() ? 0 : median(std::vector<std::int64_t>{gaps_ms_.begin(), gaps_ms_.end()});
}

Tempo Pace::tempo(std::int64_t now_ms) const {
    const auto of = [this](const CourseId& course, const ModuleId& module, std::int64_t ran_ms) { return left(course, module, ran_ms); };
    const std::int64_t between = between_ms();
    const std::lock_guard lock{mutex_};
    const std::int64_t steady_ms = now_ms - steady_since_ms_.value_or(now_ms);
    return {.left = of, .between_ms = between, .reach_ms = reach_times * std::max<std::int64_t>(steady_ms, 0)};
}

void Pace::promised(std::span<const store::QueuedJob> waiting, std::span<const std::optional<std::int64_t>> expected_ms,
                    std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    if (promises_.size() >= promises_kept) {  // Some were replaced or held, and never start.
        std::set<JobId> there;
        for (const store::QueuedJob& job : waiting) there.insert(job.job.id);
        std::erase_if(promises_, [&there](const auto& promise) { return !there.contains(promise.first); });
    }
    for (std::size_t i = 0; i < waiting.size() && i < expected_ms.size(); ++i) {
        auto found = promises_.find(waiting[i].job.id);
        if (found == promises_.end()) {
            if (promises_.size() == promises_kept) return;
            found = promises_.emplace(waiting[i].job.id, Promise{.seen_ms = now_ms, .first = {}, .half_way = {}}).first;
        }
        if (!expected_ms[i]) continue;
        Promise& promise = found->second;
        const Told told{now_ms, *expected_ms[i]};
        if (!promise.first) promise.first = told;
        else if (!promise.half_way && now_ms - promise.first->at_ms >= told.start_ms - now_ms) promise.half_way = told;
    }
}

void Pace::started(JobId job, std::int64_t joined_ms, std::int64_t now_ms) {
    const std::lock_guard lock{mutex_};
    note_start(joined_ms, now_ms);
    const auto found = promises_.find(job);
    if (found == promises_.end()) return;
    const Promise& promise = found->second;
    Kept it{.silent_ms = (promise.first ? promise.first->at_ms : now_ms) - promise.seen_ms, .first = {}, .half_way = {}};
    if (promise.first) {
        it.first = missed(*promise.first, now_ms);
        it.half_way = missed(promise.half_way.value_or(*promise.first), now_ms);  // It came sooner than half of what was told.
    }
    keep(errors_, it, errors_kept);
    promises_.erase(found);
}

Pace::Missed Pace::missed(const Told& told, std::int64_t now_ms) {
    return {.error_ms = std::abs(now_ms - told.start_ms), .waited_ms = std::max<std::int64_t>(now_ms - told.at_ms, 1)};
}

Pace::Errors::Told Pace::medians(const std::deque<Kept>& kept, std::optional<Missed> Kept::* which) {
    std::vector<double> errors_ms;
    std::vector<double> shares;
    for (const Kept& it : kept) {
        if (!(it.*which)) continue;
        errors_ms.push_back(static_cast<double>((it.*which)->error_ms));
        shares.push_back(errors_ms.back() / static_cast<double>((it.*which)->waited_ms));
    }
    return {.median_ms = median(std::move(errors_ms)), .median_share = median(std::move(shares))};
}

std::optional<Pace::Errors> Pace::errors() const {
    std::deque<Kept> kept;
    {
        const std::lock_guard lock{mutex_};
        kept = errors_;
    }
    if (std::ranges::none_of(kept, [](const Kept& it) { return it.first.has_value(); })) return std::nullopt;
    std::vector<double> silent_ms;
    for (const Kept& it : kept) silent_ms.push_back(static_cast<double>(it.silent_ms));
    return Errors{.first = medians(kept, &Kept::first), .half_way = medians(kept, &Kept::half_way), .silent_ms = median(std::move(silent_ms))};
}

}  // namespace assay::queue
