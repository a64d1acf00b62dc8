// Who has to go when the house is full. The choice is pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "sys/clock.hh"

namespace assay::http {

constexpr std::int64_t shed_age_min_ns = 1'000'000'000;  // younger ones have had no chance to show their rate

// What is known of a connection; times on the monotonic clock in nanoseconds, 0 = not so.
struct Sender {
    std::int64_t body_began_ns = 0;  // it owes us body bytes
    std::int64_t body_bytes = 0;     // received since then
    std::int64_t idle_since_ns = 0;  // kept open between requests
};

// The index of the slowest sender of a body that is old enough; without one, of the connection that has been idle longest and
// as long; nullopt when neither is there.
std::optional<std::size_t> whom_to_shed(std::span<const Sender> senders, sys::TimePoint now);

class Reader;
// Ends the request whose body this reads with 408, as if its connection were chosen above; from any thread, also when it has
// long gone. Empty for what reads from no connection.
std::function<void()> shedder_of(Reader& body);

}  // namespace assay::http
