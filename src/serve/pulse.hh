// Pulse: whether the loops still turn. Each second every loop is given a closure to run; how late it runs is the lag.
// Threading: safe from every thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "loop/loop.hh"
#include "sys/clock.hh"

namespace assay::serve {

constexpr std::chrono::seconds beat_every{1};

class Pulse {
public:
    explicit Pulse(loop::Loops& loops);  // outlives this
    ~Pulse();
    Pulse(const Pulse&) = delete;
    Pulse& operator=(const Pulse&) = delete;

    // How late the slowest loop is: of its last closure, or of the one that still waits for it.
    double lag_ms() const;
    // How long ago the loop that has been silent for longest ran something.
    sys::Duration oldest_beat() const;

private:
    struct Beats {
        std::mutex mutex;
        std::uint64_t round = 0;                        // guarded, as all below
        sys::TimePoint round_begin;
        std::size_t answered = 0;                       // of this round
        double lag_ms = 0;                              // the largest of this round so far
        std::map<const loop::Loop*, sys::TimePoint> last;
    };
    void beat();

    loop::Loops& loops_;
    const sys::TimePoint start_;
    std::shared_ptr<Beats> beats_ = std::make_shared<Beats>();  // closures may outlive this
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;     // last
};

}  // namespace assay::serve
