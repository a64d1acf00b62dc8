// Reaching other machines, with a name for each way in which that fails; and datagrams.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

enum class Reach {
    connected,
    refused,      // the host answers that nothing listens there
    silent,       // no answer until the deadline
    no_host,      // a router, or the kernel for a neighbour, says that it is not there
    no_network,   // this machine has no way out
    no_name,      // its name is not known
};
struct Reached {
    Reach how = Reach::silent;
    Fd socket;    // of connected: blocking
};
// Connects, at most until the deadline, the look-up of a name aside (an address needs none).
Reached reach_tcp(const std::string& host, std::uint16_t port, TimePoint deadline);

// A socket whose datagrams go to, and only come from, one place. Non-blocking. Errors: invalid (the name), unreachable.
Result<Fd> connect_udp(const std::string& host, std::uint16_t port);
// Takes datagrams from anybody. Port 0 picks a free one. Non-blocking. Errors: conflict, invalid, denied.
Result<Fd> listen_udp(const std::string& host, std::uint16_t port);

}  // namespace assay::sys
