#include "loop/reactor.hh"

namespace assay::loop {

void Alarm::arm(sys::TimePoint at) {
    disarm();
    place_ = timers_.line_.emplace(at, this);
    armed_ = true;
}

void Alarm::disarm() {
    if (std::exchange(armed_, false)) timers_.line_.erase(place_);
}

void Timers::ring_due() {
    if (line_.empty()) return;
    const sys::TimePoint now = sys::system_clock().now();
    while (!line_.empty() && line_.begin()->first <= now) {
        Alarm& due = *line_.begin()->second;
        due.disarm();
        due.ring();
    }
}

Reactor::Reactor()
    : poller_{[] {
          auto poller = sys::Poller::create();
          ASSAY_ASSERT(poller.has_value());
          return std::move(poller).value();
      }()} {}

// Work that was never run may hold watches, and these look for the poller.
Reactor::~Reactor() { posted_.clear(); }

void Reactor::post(Work work) {
    {
        const std::scoped_lock lock{mutex_};
        posted_.push_back(std::move(work));
        if (any_posted_.exchange(true)) return;  // Whoever posted first has rung.
    }
    poller_.ring();
}

bool Reactor::run_posted() {
    if (!any_posted_) return false;
    std::vector<Work> batch;
    {
        const std::scoped_lock lock{mutex_};
        batch.swap(posted_);
        any_posted_ = false;
    }
    for (Work& work : batch) {
        if (ending_) break;
        work();
        work = nullptr;  // What it captured goes before the next begins.
    }
    return true;
}

void Reactor::run() {
    while (!ending_) {
        run_posted();
        if (ending_) break;
        fetched_ = poller_.wait(events_, any_posted_ ? sys::TimePoint::min() : timers_.next());
        for (std::size_t i = 0; i < fetched_.size() && !ending_; ++i) {
            const sys::Poller::Event event = fetched_[i];
            if (event.owner != nullptr) static_cast<Watcher*>(event.owner)->ready(event);
        }
        fetched_ = {};
        timers_.ring_due();
    }
    ended_ = true;
}

void Reactor::end() {
    ending_ = true;
    poller_.ring();
}

void Reactor::forget(const sys::Fd& fd, Watcher& watcher) {
    poller_.forget(fd);
    for (sys::Poller::Event& event : fetched_) {
        if (event.owner == &watcher) event.owner = nullptr;
    }
}

}  // namespace assay::loop
