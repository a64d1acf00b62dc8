// Outbox: messages until each of their receivers took them. Pure: time is given.
//
// Invariants
//   1. A receiver gets its messages in the order in which they were said, each until it was taken once. What was taken but could
//      not be noted (a crash in between) is sent again with the same id.
//   2. At most messages_max are kept, each for at most keep_ms: when there are more the oldest of the least severe goes.
//   3. A receiver that fails is tried again after 2 s, doubling to at most ten minutes; others do not wait for it.
//   4. No receiver gets more than its number of messages a minute.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/message.hh"

namespace assay::alert {

struct Delivery {
    std::string receiver;
    int tries = 0;  // that failed
    std::int64_t next_ms = 0;  // not before
    std::string error;  // of the last try
};

struct Posted {
    Message message;
    std::vector<Delivery> to;  // who has not taken it yet
};

class Outbox {
public:
    static constexpr std::size_t messages_max = 100;
    static constexpr std::int64_t keep_ms = std::int64_t{3} * 24 * 3600 * 1000;
    static constexpr std::int64_t retry_first_ms = 2'000;
    static constexpr std::int64_t retry_max_ms = 600'000;

    // Receivers by name, with how many messages a minute each takes (1 …). Messages of others are dropped.
    explicit Outbox(std::map<std::string, int> per_minute) : per_minute_{std::move(per_minute)} {}

    void post(const Message&, const std::vector<std::string>& receivers, std::int64_t now_ms);

    // What this receiver is to be sent now; nullopt: nothing yet.
    std::optional<Message> due(const std::string& receiver, std::int64_t now_ms) const;
    // When due() may have something, later than now; nullopt: nothing waits.
    std::optional<std::int64_t> next_ms(const std::string& receiver, std::int64_t now_ms) const;
    // A try began, whatever comes of it: it counts to the rate.
    void began(const std::string& receiver, std::int64_t now_ms);
    void taken(const std::string& receiver, const std::string& message_id);
    void failed(const std::string& receiver, const std::string& message_id, const std::string& error,
                std::int64_t now_ms);

    const std::vector<Posted>& waiting() const { return posted_; }
    void remember(std::vector<Posted>, std::int64_t now_ms);
    std::int64_t dropped() const { return dropped_; }  // messages that were given up, since the start
    // How long the one that has waited longest does; 0: none waits.
    std::int64_t oldest_ms(std::int64_t now_ms) const;

private:
    void bound(std::int64_t now_ms);
    std::int64_t rate_ms(const std::string& receiver) const;  // not before, for the rate

    std::map<std::string, int> per_minute_;
    std::vector<Posted> posted_;  // as they were said
    std::map<std::string, std::deque<std::int64_t>> sent_;  // of the last minute
    std::int64_t dropped_ = 0;
};

}  // namespace assay::alert
