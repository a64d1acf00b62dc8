// Pulse: whether the loops still turn. Each loop wakes itself ten times a second; how late it wakes is the lag. It is the one thing that
// does so: alarms, the sign of life and the flight recorder all go by it.
//
// Threading: safe from every thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

#include "loop/loop.hh"
#include "sys/clock.hh"

namespace assay::serve {

constexpr std::chrono::milliseconds beat_every{100};
constexpr std::chrono::seconds lag_window{1};  // what lag_ms() looks back on

class Pulse {
public:
    // `on_beat`: told of each beat of each loop, on that loop, and by how much it was late; may be empty. All outlive this.
    explicit Pulse(loop::Loops& loops, std::function<void(std::size_t loop, std::uint64_t late_ms)> on_beat = {});
    ~Pulse();  // before the loops are stopped
    Pulse(const Pulse&) = delete;
    Pulse& operator=(const Pulse&) = delete;

    // How late the slowest loop is: at its worst in the last second, or now.
    double lag_ms() const;
    // How long ago the loop that has been silent for longest ran something.
    sys::Duration oldest_beat() const;

private:
    struct Beats {
        std::atomic<std::int64_t> at_ns;  // of the monotonic clock
        std::atomic<std::int64_t> worst_ns{0};
        std::atomic<std::int64_t> worst_at_ns{0};
    };
    loop::Task<Unit> beat(std::size_t number);

    const std::function<void(std::size_t, std::uint64_t)> on_beat_;
    std::vector<std::unique_ptr<Beats>> beats_;  // by loop
    std::atomic<bool> stopping_{false};
    std::counting_semaphore<> stopped_{0};
};

}  // namespace assay::serve
