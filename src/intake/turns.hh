// Turns: whose archive is judged next. Pure: no clock, no thread; what an archive took comes in when it is known.
//
// Nobody can tell beforehand how long an archive takes, and one participant may send thousands of the slowest. So what is shared
// out is the verifiers' time (start-time fair queueing): everybody has an account of the time his archives took, and whoever's is
// lowest comes next. Who had nothing in line begins no lower than the lowest of those who are there: to have been away earns
// nothing, and to have used what nobody else wanted costs nothing.
//
// Invariants
//   1. Nobody has two archives judged at once while somebody waits who has none.
//   2. Of one participant's archives the first to come is the first to be judged.
//   3. Somebody who comes anew sees at most one archive of a flood begin before his, of whatever size and slowness the flood is.
//   4. Of two who both have archives waiting, each is given as much time as the other, to within one archive of each.
//
// Threading: none of its own. Each step costs O(log n), a refusal for want of room O(n).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/ids.hh"
#include "sys/clock.hh"

namespace assay::intake {

struct Party {
    CourseId course;
    ParticipantId participant;
    auto operator<=>(const Party&) const = default;
};

struct TurnLimits {
    std::size_t seats = 1;         // archives judged at once
    // Waiting uploads that hold a file, which are as scarce as they are dear; more: whoever has most of them in line loses his newest.
    // Those that are small enough to wait in memory are bounded by it and by the connections.
    std::size_t files_max = 1024;
};
constexpr std::size_t accounts_kept = 4096;  // of those who are away; beyond it the lowest is forgotten

class Turns {
public:
    using Ticket = std::uint64_t;  // rises with each

    explicit Turns(const TurnLimits& limits) : limits_{limits} {}

    struct Joined {
        Ticket ticket = 0;
        std::optional<Ticket> out;  // has to leave for want of room, and has left: somebody's newest, perhaps this one
    };
    Joined join(const Party&, bool holds_file);
    // Whose turn it is; takes a seat. nullopt: no seat is free, or nobody waits.
    std::optional<Ticket> next();
    // Gives the seat back of somebody whose turn it was.
    void ended(const Party&, sys::Duration took);
    // Without a turn.
    void leave(const Party&, Ticket);

    std::size_t waiting() const { return waiting_; }
    std::size_t waiting_of(const Party&) const;

private:
    struct Key {                   // of who waits; the lowest is next
        std::size_t working = 0;
        sys::Duration used{};
        Ticket oldest = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Line {
        std::set<Ticket> waiting;
        std::set<Ticket> files;    // those of them that hold one
        std::size_t working = 0;
        sys::Duration used{};
        bool there() const { return !waiting.empty() || working > 0; }
        Key key() const { return {working, used, *waiting.begin()}; }
    };
    using Lines = std::map<Party, Line>;

    using Account = std::pair<sys::Duration, Party>;

    void file(Lines::iterator);
    void unfile(Lines::iterator);
    void forget();
    Ticket put_out();

    const TurnLimits limits_;
    Ticket tickets_ = 0;
    std::size_t waiting_ = 0;
    std::size_t files_ = 0;
    std::size_t working_ = 0;
    Lines lines_;                  // each of them is filed below by what it is, and taken out while it changes
    std::map<Key, Lines::iterator> ready_;
    std::set<Account> there_;      // of those who wait, or have one judged
    std::set<Account> away_;       // of those with nothing in line
};

}  // namespace assay::intake
