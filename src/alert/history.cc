#include "alert/history.hh"

#include <algorithm>

namespace assay::alert {

void History::add(double value, std::int64_t now_ms) {
    if (!buckets_.empty() && now_ms < last_ms_) buckets_.clear();
    // A counter that is smaller than before began at 0 in between.
    const double increase = buckets_.empty() ? 0 : value >= last_ ? value - last_ : value;
    const std::int64_t width_ms = std::max<std::int64_t>(1, window_ms_ / buckets_max);
    if (buckets_.empty() || now_ms - buckets_.back().begin_ms >= width_ms) {
        buckets_.push_back({.begin_ms = now_ms, .first = value, .largest = value, .smallest = value});
    }
    Bucket& bucket = buckets_.back();
    bucket.largest = std::max(bucket.largest, value);
    bucket.smallest = std::min(bucket.smallest, value);
    bucket.sum += value;
    bucket.increase += increase;
    ++bucket.count;
    bucket.last_ms = now_ms;
    last_ = value;
    last_ms_ = now_ms;
    while (buckets_.front().last_ms <= now_ms - window_ms_) buckets_.pop_front();
}

std::optional<double> History::average() const {
    if (buckets_.empty()) return std::nullopt;
    double sum = 0;
    std::int64_t count = 0;
    for (const Bucket& bucket : buckets_) {
        sum += bucket.sum;
        count += bucket.count;
    }
    return sum / static_cast<double>(count);
}

std::optional<double> History::largest() const {
    if (buckets_.empty()) return std::nullopt;
    return std::ranges::max_element(buckets_, {}, &Bucket::largest)->largest;
}

std::optional<double> History::smallest() const {
    if (buckets_.empty()) return std::nullopt;
    return std::ranges::min_element(buckets_, {}, &Bucket::smallest)->smallest;
}

std::optional<double> History::change() const {
    if (buckets_.empty()) return std::nullopt;
    return last_ - buckets_.front().first;
}

std::optional<double> History::increase() const {
    if (buckets_.empty()) return std::nullopt;
    double sum = 0;
    for (const Bucket& bucket : buckets_) sum += bucket.increase;
    return sum;
}

std::optional<double> History::rate() const {
    if (buckets_.empty() || last_ms_ == buckets_.front().begin_ms) return std::nullopt;
    return increase().value_or(0) * 1000 / static_cast<double>(last_ms_ - buckets_.front().begin_ms);
}

}  // namespace assay::alert
