#include "runner/floor.hh"

#include <algorithm>

#include "base/assert.hh"

namespace assay::runner {

Turns::Ticket Turns::ask(bool alone) {
    const Ticket ticket = next_++;
    entries_.emplace(ticket, Entry{.alone = alone});
    settle();
    return ticket;
}

void Turns::leave(Ticket ticket) {
    const std::size_t erased = entries_.erase(ticket);
    ASSAY_ASSERT(erased == 1);
    settle();
}

// The first that may not come in keeps all after it waiting.
void Turns::settle() {
    bool anybody = false;
    for (auto& [ticket, entry] : entries_) {
        entry.inside = entry.inside || !entry.alone || !anybody;
        if (!entry.inside || entry.alone) return;
        anybody = true;
    }
}

void Credit::spend(sys::Duration spent, sys::TimePoint now) {
    left_ = at(now) - spent;
    since_ = now;
}

Result<Floor::Place> Floor::enter(sys::TimePoint deadline, const std::atomic<bool>& stop,
                                  const std::function<void()>& waits) {
    return wait(std::unique_lock{mutex_}, false, deadline, stop, waits);
}

Result<Floor::Place> Floor::enter_alone(sys::Duration longest, sys::TimePoint deadline, const std::atomic<bool>& stop,
                                        const std::function<void()>& waits) {
    std::unique_lock lock{mutex_};
    if (credit_.at(clock_.now()) < longest) {
        return Error{Fault::busy, "it would keep other commands waiting for longer than what runs alone may"};
    }
    return wait(std::move(lock), true, deadline, stop, waits);
}

Result<Floor::Place> Floor::wait(std::unique_lock<std::mutex> lock, bool alone, sys::TimePoint deadline,
                                 const std::atomic<bool>& stop, const std::function<void()>& waits) {
    const Place::Asked asked{.ticket = turns_.ask(alone), .alone = alone, .at = clock_.now()};
    if (!turns_.let_in(asked.ticket)) {
        lock.unlock();
        waits();
        lock.lock();
    }
    while (!turns_.let_in(asked.ticket)) {
        const sys::TimePoint now = clock_.now();
        if (stop || now >= deadline) {
            leave_locked(asked);
            if (stop) return Error{Fault::interrupted, "told to stop while it waited for its turn to run"};
            return Error{Fault::timed_out, "the other commands did not end in time"};
        }
        changed_.wait_for(lock, std::min<sys::Duration>(deadline - now, stop_look_every));
    }
    return Place{*this, asked};
}

void Floor::leave(const Place::Asked& asked) {
    const std::lock_guard lock{mutex_};
    leave_locked(asked);
}

void Floor::leave_locked(const Place::Asked& asked) {
    const sys::TimePoint now = clock_.now();
    if (asked.alone && !turns_.last(asked.ticket)) credit_.spend(now - asked.at, now);  // Somebody waited for it.
    turns_.leave(asked.ticket);
    changed_.notify_all();
}

}  // namespace assay::runner
