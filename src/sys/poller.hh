// Poller: which of many descriptors are ready. Level-triggered epoll, and a bell that other threads can ring.
//
// Threading: one thread owns it and calls everything but ring(), which may come from any thread.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

struct Interest {
    bool reading = false;
    bool writing = false;
    bool operator==(const Interest&) const = default;
};

class Poller {
public:
    // Errors: busy (out of descriptors or memory), system.
    static Result<Poller> create();

    struct Event {
        void* owner = nullptr;  // as given to watch()
        bool readable = false;  // also when the peer has closed
        bool writable = false;
        bool broken =
            false;    // an error or a hang-up, told whatever the interest: forget() the descriptor, or hear it again
    };

    // Begins to watch, or changes what is wanted. Errors: busy (the kernel watches as many as it may), system.
    Result<> watch(const Fd&, Interest, void* owner);
    Result<> change(const Fd&, Interest, void* owner);
    void forget(const Fd&);  // before the descriptor is closed

    static constexpr std::size_t events_max = 64;
    // Waits until something is ready, the bell rings or the time has come; `events` (at most events_max) gets what is ready and
    // the part that was filled is returned.
    std::span<Event> wait(std::span<Event> events, TimePoint until);
    void ring();  // ends the wait under way, or the next one

private:
    Poller(Fd set, Fd bell) : set_{std::move(set)}, bell_{std::move(bell)} {}
    Result<> control(int what, const Fd&, Interest, void* owner);
    Fd set_;
    Fd bell_;  // an eventfd
};

}  // namespace assay::sys
