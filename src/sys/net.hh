// Stream sockets without blocking: listening, accepting, and reads and writes that say "not now" instead of waiting.
// None of them raises SIGPIPE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/fd.hh"
#include "sys/socket.hh"

namespace assay::sys {

// Port 0 picks a free one. Non-blocking. Errors: conflict (in use), denied, invalid (no such address).
Result<Fd> listen_tcp(const std::string& host, std::uint16_t port);
Result<std::uint16_t> bound_port(const Fd& listening);
// "127.0.0.1:8080", "[::1]:8080", as address_text makes them of a numeric address. Errors: invalid (it does not listen, or not there).
Result<std::string> bound_address(const Fd& listening);
std::string address_text(const std::string& host, std::uint16_t port);
// Blocking connect, at most 10 s an address; the socket blocks. Errors: unreachable, invalid.
Result<Fd> connect_tcp(const std::string& host, std::uint16_t port);

struct Accepted {
    Fd socket;                        // non-blocking, close-on-exec; TCP with TCP_NODELAY
    std::string peer;                 // address text, or "unix"
    std::optional<Peer> credentials;  // of a Unix socket
};
// nullopt: nobody waits. Errors: busy (out of descriptors or memory: try later), system.
Result<std::optional<Accepted>> accept_one(const Fd& listening);
// The same about a connection that already exists: makes it non-blocking and says who is at the other end.
Result<Accepted> accepted_of(Fd connected);

Result<> set_nonblocking(const Fd&);

// nullopt: it would block. 0 bytes received: the peer has closed its side.
Result<std::optional<std::size_t>> receive_some(const Fd&, std::span<std::byte> buffer);
Result<std::optional<std::size_t>> send_some(const Fd&, ByteView first, ByteView second = {});
// Receives and throws away, inside the kernel where it can. As receive_some.
Result<std::optional<std::size_t>> discard_some(const Fd&);

// From now on the socket counts as readable when so many bytes wait, or the peer has closed. Best effort: where it fails, one does.
void wake_at(const Fd&, int bytes);

// Of what was given to a TCP socket, the bytes that the other machine has not confirmed yet; zeros where that is not known.
struct Unconfirmed {
    std::int64_t bytes = 0;      // all of them
    std::int64_t on_the_way = 0; // sent, but nothing has come back; the others wait until the other machine has room
    bool operator==(const Unconfirmed&) const = default;
};
Unconfirmed unconfirmed_of(const Fd&);

// Best effort: an error means that the connection is gone already.
void shut_sending(const Fd&);
void shut_both(const Fd&);

// Sends everything on a blocking socket. Errors: unreachable, timed_out (set_timeouts).
Result<> send_all(const Fd&, ByteView);
// Receives at least one byte on a blocking socket, or 0 at the end. Errors: unreachable, timed_out (set_timeouts).
Result<std::size_t> receive(const Fd&, std::span<std::byte> buffer);

}  // namespace assay::sys
