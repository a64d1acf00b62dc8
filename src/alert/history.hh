// History: one figure over a window of time, in at most `buckets_max` parts. Pure: time is given.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace assay::alert {

constexpr std::int64_t window_ms_max = 24 * 3600 * 1000;

class History {
public:
    static constexpr std::int64_t buckets_max = 120;
    explicit History(std::int64_t window_ms) : window_ms_{window_ms} {}  // 1 s .. window_ms_max

    // `now_ms` never goes back; where it does, the history begins anew.
    void add(double value, std::int64_t now_ms);

    // Over the window, or as much of it as is known. nullopt: nothing was added yet (rate: nor a second time).
    std::optional<double> average() const;
    std::optional<double> largest() const;
    std::optional<double> smallest() const;
    std::optional<double> change() const;    // of a gauge: the last value less the first
    std::optional<double> increase() const;  // of a counter, which may begin at 0 again
    std::optional<double> rate() const;      // the same a second

private:
    struct Bucket {
        std::int64_t begin_ms = 0;
        std::int64_t last_ms = 0;  // what came into it then still counts
        double first = 0;
        double largest = 0;
        double smallest = 0;
        double sum = 0;
        double increase = 0;  // of what came into this one, since the value before it
        std::int64_t count = 0;
    };
    std::int64_t window_ms_;
    std::deque<Bucket> buckets_;
    double last_ = 0;
    std::int64_t last_ms_ = 0;
};

}  // namespace assay::alert
