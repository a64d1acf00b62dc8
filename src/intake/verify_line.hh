// VerifyLine: uploads wait here for a verifier, each until it is its turn (turns.hh) or its deadline.
//
// One that waits holds its spool and its coroutine, no thread. Threading: safe from every thread; turn() on a loop. What it gives out
// must be gone before it goes.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "intake/turns.hh"
#include "loop/loop.hh"
#include "sys/clock.hh"

namespace assay::intake {

// Why an upload had no turn, and how many more of the same participant waited then.
struct NoTurn {
    enum class Why { no_room, too_late, stopping } why = Why::stopping;
    std::size_t own = 0;
};

class VerifyLine {
public:
    explicit VerifyLine(const TurnLimits&);
    VerifyLine(const VerifyLine&) = delete;
    VerifyLine& operator=(const VerifyLine&) = delete;

    // The right to have one archive judged. Its time runs until it goes, which may be on any thread.
    class Seat {
    public:
        Seat(Seat&& other) noexcept : line_{std::exchange(other.line_, nullptr)}, party_{std::move(other.party_)}, began_{other.began_} {}
        Seat& operator=(Seat&&) = delete;
        ~Seat();

    private:
        friend class VerifyLine;
        Seat(VerifyLine& line, Party party) : line_{&line}, party_{std::move(party)}, began_{sys::system_clock().now()} {}
        VerifyLine* line_;
        Party party_;
        sys::TimePoint began_;
    };

    loop::Task<std::expected<Seat, NoTurn>> turn(Party party, bool holds_file, sys::TimePoint start_by);

    // Whoever waits, or comes later, is told that it stops.
    void stop();

    // How long the one that has waited longest does; 0: none waits.
    std::int64_t oldest_ms() const;

private:
    struct Waiter {
        Party party;
        sys::TimePoint since;
        loop::Bell bell;                                  // rings once it is settled
        std::optional<NoTurn> refused;                    // guarded by the line's mutex
    };
    using Waiters = std::map<Turns::Ticket, std::shared_ptr<Waiter>>;
    // All with the mutex held.
    void call_next();
    void refuse(Waiters::iterator, NoTurn::Why);
    void settle(Waiters::iterator);

    mutable std::mutex mutex_;
    Turns turns_;                                         // guarded, as below
    Waiters waiters_;                                     // by age
    bool stopping_ = false;
};

}  // namespace assay::intake
