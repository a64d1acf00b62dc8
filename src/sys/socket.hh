// Unix sockets between our own processes: pairs, messages with descriptors, peer credentials.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

constexpr std::size_t passed_fds_max = 80;  // a runner of 64 slots, and some; the kernel's own bound is 253

enum class PairKind { stream, seqpacket };
Result<std::pair<Fd, Fd>> socket_pair(PairKind);

// One message of a seqpacket socket with up to `passed_fds_max` descriptors. Blocks; never raises SIGPIPE.
// Errors: unreachable (the other side is gone).
Result<> send_message(const Fd& socket, ByteView message, std::span<const int> descriptors = {});

struct Message {
    std::size_t size = 0;  // 0 = the other side closed
    std::vector<Fd> descriptors;
};
// Receives into `buffer`; a longer message or more descriptors than allowed is Fault::invalid. Without `waits`: busy when there is none.
Result<Message> receive_message(const Fd& socket, std::span<std::byte> buffer, bool waits = true);

struct Peer {
    int pid = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};
Result<Peer> peer_of(const Fd& unix_socket);

// Does not wait in accept. Replaces a stale file of that name.
Result<Fd> listen_unix(const std::string& path, std::uint32_t mode, PairKind kind = PairKind::stream);
Result<Fd> connect_unix(const std::string& path);

// Waits until readable (or closed by the peer). false = the deadline passed.
Result<bool> wait_readable(const Fd&, TimePoint deadline);

// Waits until at least one is readable or the deadline passed; one flag per descriptor (-1 is never readable).
Result<std::vector<bool>> wait_any(std::span<const int> descriptors, TimePoint deadline);

// Sending and receiving timeouts of a blocking socket.
Result<> set_timeouts(const Fd& socket, std::chrono::milliseconds timeout);

}  // namespace assay::sys
