// Reactor: what turns a Loop: work from other threads, timers, and descriptors that are ready, in turn. For the .cc files of
// this room.
//
// Threading: post(), end() and ended() from any thread; all else on the loop's own.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <vector>

#include "loop/loop.hh"
#include "sys/clock.hh"
#include "sys/poller.hh"

namespace assay::loop {

class Timers;

// Something that is rung once, not before its time. Arming again replaces the time; destruction disarms.
class Alarm {
public:
    explicit Alarm(Timers& timers) : timers_{timers} {}
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    void arm(sys::TimePoint at);
    void disarm();
    bool armed() const { return armed_; }
    sys::TimePoint at() const { return place_->first; }  // while armed

protected:
    ~Alarm() { disarm(); }

private:
    friend class Timers;
    virtual void ring() = 0;  // disarmed already; may end the alarm
    Timers& timers_;
    std::multimap<sys::TimePoint, Alarm*>::iterator place_;
    bool armed_ = false;
};

class Timers {
public:
    sys::TimePoint next() const { return line_.empty() ? sys::TimePoint::max() : line_.begin()->first; }
    void ring_due();

private:
    friend class Alarm;
    std::multimap<sys::TimePoint, Alarm*> line_;
};

class Reactor {
public:
    // Ends the process when the kernel has no descriptor for it: nothing can be served then.
    Reactor();
    ~Reactor();

    void post(Work);
    void run();  // until end()
    void end();
    bool ended() const { return ended_; }  // run() has returned

    // Of a descriptor that the poller watches.
    class Watcher {
    public:
        virtual void ready(const sys::Poller::Event&) = 0;

    protected:
        ~Watcher() = default;
    };
    sys::Poller& poller() { return poller_; }
    void forget(const sys::Fd&, Watcher&);  // no event of it is told any more, not even one that has been fetched
    Timers& timers() { return timers_; }

    static Reactor& of(Loop&);

private:
    bool run_posted();

    sys::Poller poller_;
    Timers timers_;
    std::array<sys::Poller::Event, sys::Poller::events_max> events_;
    std::span<sys::Poller::Event> fetched_;
    std::mutex mutex_;
    std::vector<Work> posted_;  // bounded by who posts: one continuation per wait under way
    std::atomic<bool> any_posted_ = false;
    std::atomic<bool> ending_ = false;
    std::atomic<bool> ended_ = false;
};

}  // namespace assay::loop
