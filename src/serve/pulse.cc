#include "serve/pulse.hh"

#include <algorithm>

namespace assay::serve {

Pulse::Pulse(loop::Loops& loops) : loops_{loops}, start_{sys::system_clock().now()} {
    thread_ = std::thread{[this] {
        std::unique_lock lock{mutex_};
        do {
            lock.unlock();
            beat();
            lock.lock();
        } while (!wake_.wait_for(lock, beat_every, [this] { return stopping_; }));
    }};
}

Pulse::~Pulse() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

// A loop that is stuck gets no second closure, so that nothing piles up; the round it owes stays the one that is measured.
void Pulse::beat() {
    const sys::TimePoint now = sys::system_clock().now();
    {
        const std::lock_guard lock{beats_->mutex};
        if (beats_->round > 0 && beats_->answered < loops_.size()) return;
        ++beats_->round;
        beats_->round_begin = now;
        beats_->answered = 0;
        beats_->lag_ms = 0;
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        loops_.next().post([beats = beats_, now] {
            const sys::TimePoint ran = sys::system_clock().now();
            const std::lock_guard lock{beats->mutex};
            beats->last[loop::Loop::current()] = ran;
            beats->lag_ms = std::max(beats->lag_ms, sys::ms_of(ran - now));
            ++beats->answered;
        });
    }
}

double Pulse::lag_ms() const {
    const std::lock_guard lock{beats_->mutex};
    if (beats_->round == 0 || beats_->answered >= loops_.size()) return beats_->lag_ms;
    return std::max(beats_->lag_ms, sys::ms_of(sys::system_clock().now() - beats_->round_begin));
}

sys::Duration Pulse::oldest_beat() const {
    const std::lock_guard lock{beats_->mutex};
    sys::TimePoint oldest = beats_->round == 0 ? start_ : beats_->round_begin;
    if (beats_->round > 0 && beats_->answered >= loops_.size()) {
        oldest = std::ranges::max_element(beats_->last, {}, [](const auto& it) { return it.second; })->second;
    }
    return sys::system_clock().now() - oldest;
}

}  // namespace assay::serve
