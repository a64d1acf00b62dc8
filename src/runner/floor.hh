// Floor: which commands run at the same time. All do, each in its slot, but for one that runs alone: it waits until the others have
// ended, and none begins until it has.
//
// Whoever comes is let in in the order of coming: nobody waits for more than what came before him, which of each other slot is one
// command, alone or not. So neither those that run alone nor all others are starved.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "base/result.hh"
#include "runner/bounds.hh"
#include "sys/clock.hh"

namespace assay::runner {

// The order by itself. Pure; not thread-safe.
class Turns {
public:
    using Ticket = std::uint64_t;  // later ones are larger
    Ticket ask(bool alone);
    bool let_in(Ticket ticket) const { return entries_.at(ticket).inside; }
    void leave(Ticket);  // it has ended, or waits no longer
    std::size_t count() const { return entries_.size(); }
    bool last(Ticket ticket) const { return entries_.rbegin()->first == ticket; }  // nobody came later

private:
    struct Entry {
        bool alone = false;
        bool inside = false;
    };
    void settle();
    std::map<Ticket, Entry> entries_;
    Ticket next_ = 0;
};

// For how long those that run alone may keep others waiting: what was saved up, and a share of the time that goes by. Pure.
class Credit {
public:
    sys::Duration at(sys::TimePoint now) const {
        return std::min<sys::Duration>(lone_credit_max, left_ + (now - since_) / lone_share);
    }
    void spend(sys::Duration, sys::TimePoint now);  // may leave a debt

private:
    sys::Duration left_ = lone_credit_max;
    sys::TimePoint since_{};
};

// Threading: safe from every thread. One command of each slot at a time.
class Floor {
public:
    explicit Floor(const sys::Clock& clock = sys::system_clock())
        : clock_{clock} {}  // outlives it; deadlines are of this clock

    // One command's leave to run; given back by the destructor. Must not outlive the floor.
    class Place {
    public:
        Place(Place&& other) noexcept : floor_{std::exchange(other.floor_, nullptr)}, asked_{other.asked_} {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (floor_ != nullptr) floor_->leave(asked_);
        }

    private:
        friend class Floor;
        struct Asked {
            Turns::Ticket ticket = 0;
            bool alone = false;
            sys::TimePoint at{};
        };
        Place(Floor& floor, const Asked& asked) : floor_{&floor}, asked_{asked} {}
        Floor* floor_;
        Asked asked_;
    };

    // Both block until it may run, and call `waits` once if that is not at once. Errors: timed_out, interrupted (`stop` was set).
    Result<Place> enter(sys::TimePoint deadline, const std::atomic<bool>& stop, const std::function<void()>& waits);
    // `longest`: how long it may run. Errors also: busy, since others would be kept waiting beyond the credit.
    Result<Place> enter_alone(sys::Duration longest, sys::TimePoint deadline, const std::atomic<bool>& stop,
                              const std::function<void()>& waits);

private:
    Result<Place> wait(std::unique_lock<std::mutex>, bool alone, sys::TimePoint deadline, const std::atomic<bool>& stop,
                       const std::function<void()>& waits);
    void leave(const Place::Asked&);
    void leave_locked(const Place::Asked&);
    const sys::Clock& clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Turns turns_;  // guarded
    Credit credit_;  // guarded
};

}  // namespace assay::runner
