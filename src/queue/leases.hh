// LeaseTable: until when each running lease holds, and which slots exist. In memory only; a restart voids all.
//
// Invariants
//   1. A job has at most one live lease.
//   2. A lease whose deadline passed, or whose session ended, is handed out by `lapsed`/`end_session` once and then forgotten.
// Threading: not thread-safe; the dispatcher guards it. Time comes only from its caller.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "queue/line.hh"
#include "sys/clock.hh"

namespace assay::queue {

constexpr std::chrono::seconds lease_term{30};       // renewed by every heartbeat that names it
constexpr std::chrono::seconds heartbeat_every{5};

class LeaseTable {
public:
    void begin_session(std::int64_t epoch, int slots);
    std::vector<Token> end_session(std::int64_t epoch);
    std::vector<Token> end_all_sessions();
    bool live(std::int64_t epoch) const;

    void add(const Token&, sys::TimePoint now);
    // false: no such lease. One that its holder never names was never received: it lapses.
    bool renew(const Token&, sys::TimePoint now);
    void remove(const Token&);
    bool holds(const Token&) const;
    std::vector<Token> lapsed(sys::TimePoint now);   // and forgets them
    std::optional<sys::TimePoint> next_deadline() const;
    int slots() const;                               // of all live sessions
    std::size_t count() const { return leases_.size(); }

private:
    struct Held {
        Token token;
        sys::TimePoint deadline;
    };
    std::map<std::int64_t, int> sessions_;           // epoch → slots
    std::map<std::int64_t, Held> leases_;            // by job
};

}  // namespace assay::queue
