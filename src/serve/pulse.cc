#include "serve/pulse.hh"

#include <algorithm>

namespace assay::serve {
namespace {

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(sys::system_clock().now().time_since_epoch()).count();
}
std::int64_t ns(auto duration) { return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count(); }

}  // namespace

Pulse::Pulse(loop::Loops& loops, std::function<void(std::size_t, std::uint64_t)> on_beat) : on_beat_{std::move(on_beat)} {
    for (std::size_t i = 0; i < loops.size(); ++i) {
        beats_.push_back(std::make_unique<Beats>());
        beats_.back()->at_ns = now_ns();  // One that never turns is late from now on.
    }
    for (std::size_t i = 0; i < beats_.size(); ++i) {
        loops.next().post([this, i] { loop::start<Unit>(beat(i), [this](Unit) { stopped_.release(); }); });
    }
}

Pulse::~Pulse() {
    stopping_ = true;
    for (std::size_t i = 0; i < beats_.size(); ++i) stopped_.acquire();
}

loop::Task<Unit> Pulse::beat(std::size_t number) {
    Beats& beats = *beats_[number];
    while (!stopping_) {
        const sys::TimePoint due = sys::system_clock().now() + beat_every;
        co_await loop::sleep_until(due);
        const std::int64_t now = now_ns();
        const std::int64_t late = std::max<std::int64_t>(0, now - ns(due.time_since_epoch()));
        beats.at_ns = now;
        if (late >= beats.worst_ns || now - beats.worst_at_ns > ns(lag_window)) {
            beats.worst_ns = late;
            beats.worst_at_ns = now;
        }
        if (on_beat_) on_beat_(number, static_cast<std::uint64_t>(late / 1'000'000));
    }
    co_return ok;
}

double Pulse::lag_ms() const {
    const std::int64_t now = now_ns();
    std::int64_t worst = 0;
    for (const auto& it : beats_) {
        worst = std::max(worst, now - it->at_ns - ns(beat_every));
        if (now - it->worst_at_ns <= ns(lag_window)) worst = std::max<std::int64_t>(worst, it->worst_ns);
    }
    return static_cast<double>(worst) / 1e6;
}

sys::Duration Pulse::oldest_beat() const {
    std::int64_t oldest = now_ns();
    for (const auto& it : beats_) oldest = std::min<std::int64_t>(oldest, it->at_ns);
    return std::chrono::duration_cast<sys::Duration>(std::chrono::nanoseconds{now_ns() - oldest});
}

}  // namespace assay::serve
