// ManualClock: time that moves only when a test says so. Threading: safe from every thread.
#pragma once

#include <atomic>

#include "sys/clock.hh"

namespace assay::testing {

class ManualClock final : public sys::Clock {
public:
    explicit ManualClock(std::int64_t wall_ms = 1'760'000'000'000) : wall_ms_{wall_ms} {}

    sys::TimePoint now() const override { return sys::TimePoint{sys::Duration{ticks_.load()}}; }
    sys::WallTime wall() const override { return sys::wall_from_ms(wall_ms_.load()); }

    void advance(std::chrono::milliseconds by) {
        ticks_ += sys::Duration{by}.count();
        wall_ms_ += by.count();
    }

private:
    std::atomic<std::int64_t> ticks_{sys::Duration{std::chrono::hours{1}}.count()};
    std::atomic<std::int64_t> wall_ms_;
};

}  // namespace assay::testing
