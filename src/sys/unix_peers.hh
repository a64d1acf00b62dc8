// Which Unix sockets are connected to each other: /proc/net/unix does not say, the kernel's socket diagnosis does (sock_diag(7)).
#pragma once

#include <cstdint>
#include <map>

#include "base/result.hh"

namespace assay::sys {

constexpr std::size_t unix_peers_max = 65'536;

// inode -> inode of the other end, of this process's network namespace. Needs no rights. At most `unix_peers_max`; waits at most 1 s.
// Errors: as the socket's; unsupported where the kernel lacks it.
Result<std::map<std::uint64_t, std::uint64_t>> unix_peers();

}  // namespace assay::sys
