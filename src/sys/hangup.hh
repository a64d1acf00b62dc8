// Noticing that the other end of a connection is gone while nobody reads from it.
#pragma once

#include <span>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

constexpr std::size_t watched_sockets_max = 128;

// Waits until one of `sockets` was closed or shut down by either side, or the deadline passed (false). Bytes that wait to be
// read are not looked at, so another thread may be using the socket meanwhile.
Result<bool> wait_closed(std::span<const int> sockets, TimePoint deadline);

// From here on this process dies by SIGKILL at the moment in which nobody holds the writing end of `pipe` any more, whatever it
// is doing then; at once, when that is so already. The reading end must stay open.
Result<> die_with_writer_of(const Fd& pipe);

}  // namespace assay::sys
