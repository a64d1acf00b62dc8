#include "sys/net.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "sys/error.hh"

#ifdef ASSAY_STATIC
#include <nss.h>
#endif

namespace assay::sys {
namespace {

constexpr int backlog = 4096;  // The kernel lowers it to its own maximum: a rush waits there, not at the client.
constexpr std::size_t discard_bytes = 64u << 10;

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

constexpr std::chrono::seconds connect_max{10};

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> resolve(const std::string& host, std::uint16_t port, int flags) {
#ifdef ASSAY_STATIC
    // A static program must load no module of another C library, whatever the machine's nsswitch.conf names; these two are built in.
    static const int pinned = __nss_configure_lookup("hosts", "files dns");
    (void)pinned;
#endif
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found); rc != 0) {
        return Error{Fault::invalid, "the address '" + escaped(host) + "': " + ::gai_strerror(rc)};
    }
    return Addresses{found, &::freeaddrinfo};
}

void set_flag(const Fd& socket, int level, int option) {
    const int on = 1;
    (void)::setsockopt(socket.get(), level, option, &on, sizeof on);
}

std::string text_of_address(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
        else ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        return "unix";
    }
    return text.data();
}

}  // namespace

Result<Fd> listen_tcp(const std::string& host, std::uint16_t port) {
    const std::string subject = host + ":" + std::to_string(port);
    ASSAY_TRY(const Addresses addresses, resolve(host, port, AI_PASSIVE));
    Error last{Fault::invalid, "no address to listen on: " + subject};
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
        Fd socket{::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
        if (!socket) {
            last = last_error("socket", subject);
            continue;
        }
        set_flag(socket, SOL_SOCKET, SO_REUSEADDR);
        if (::bind(socket.get(), a->ai_addr, a->ai_addrlen) != 0 || ::listen(socket.get(), backlog) != 0) {
            const bool in_use = errno == EADDRINUSE;
            const bool no_address = errno == EADDRNOTAVAIL;
            last = last_error("bind", subject);
            if (in_use) last = Error{Fault::conflict, last.text()};
            if (no_address) last = Error{Fault::invalid, last.text()};
            continue;
        }
        return socket;
    }
    return last;
}

Result<std::uint16_t> bound_port(const Fd& listening) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return last_error("getsockname", "listening socket");
    }
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return Error{Fault::invalid, "a socket without a port"};
}

std::string address_text(const std::string& host, std::uint16_t port) {
    return (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::string> bound_address(const Fd& listening) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(listening.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return last_error("getsockopt", "listening socket");
    if (listens == 0) return Error{Fault::invalid, "a socket that does not listen"};
    ASSAY_TRY(const std::uint16_t port, bound_port(listening));
    sockaddr_storage address{};
    size = sizeof address;
    if (::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return last_error("getsockname", "listening socket");
    return address_text(text_of_address(address), port);
}

Result<Fd> connect_tcp(const std::string& host, std::uint16_t port) {
    const std::string subject = host + ":" + std::to_string(port);
    ASSAY_TRY(const Addresses addresses, resolve(host, port, 0));
    Error last{Fault::unreachable, "no address to connect to: " + subject};
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
        Fd socket{::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, a->ai_protocol)};
        // The sending timeout bounds connect() too; whoever uses the socket sets its own.
        if (socket && set_timeouts(socket, connect_max) && ::connect(socket.get(), a->ai_addr, a->ai_addrlen) == 0) {
            set_flag(socket, IPPROTO_TCP, TCP_NODELAY);
            return socket;
        }
        last = Error{Fault::unreachable, last_error("connect", subject).text()};
    }
    return last;
}

Result<std::optional<Accepted>> accept_one(const Fd& listening) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd socket{::accept4(listening.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!socket) {
        const int failed = errno;
        // A connection that was already gone again is nobody, like the errors accept(2) passes on from the network.
        if (would_block(failed) || failed == EINTR || failed == ECONNABORTED || failed == EPROTO)
            return std::optional<Accepted>{};
        const bool exhausted = failed == EMFILE || failed == ENFILE || failed == ENOBUFS || failed == ENOMEM;
        Error error = error_of(failed, "accept4", "listening socket");
        if (exhausted) return Error{Fault::busy, error.text()};
        return error;
    }
    ASSAY_TRY(Accepted accepted, accepted_of(std::move(socket)));
    return std::optional{std::move(accepted)};
}

Result<Accepted> accepted_of(Fd connected) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ASSAY_CHECK(set_nonblocking(connected));
    Accepted accepted;
    // A peer that is gone already has no address any more; the first read will say so.
    if (::getpeername(connected.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0)
        accepted.peer = text_of_address(address);
    if (accepted.peer == "unix") {
        ASSAY_TRY(accepted.credentials, peer_of(connected));
    } else {
        set_flag(connected, IPPROTO_TCP, TCP_NODELAY);
    }
    accepted.socket = std::move(connected);
    return accepted;
}

Result<> set_nonblocking(const Fd& fd) {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return last_error("fcntl(O_NONBLOCK)", "socket");
    return ok;
}

Result<std::optional<std::size_t>> receive_some(const Fd& socket, std::span<std::byte> buffer) {
    for (;;) {
        const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n >= 0) return std::optional{static_cast<std::size_t>(n)};
        if (would_block(errno)) return std::optional<std::size_t>{};
        if (errno != EINTR) return last_error("recv", "connection");
    }
}

Result<std::optional<std::size_t>> send_some(const Fd& socket, ByteView first, ByteView second) {
    iovec parts[2] = {{const_cast<std::byte*>(first.data()), first.size()},
                      {const_cast<std::byte*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    for (;;) {
        const ssize_t n = ::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) return std::optional{static_cast<std::size_t>(n)};
        if (would_block(errno)) return std::optional<std::size_t>{};
        if (errno != EINTR) return last_error("sendmsg", "connection");
    }
}

void wake_at(const Fd& socket, int bytes) { (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes); }

Unconfirmed unconfirmed_of(const Fd& socket) {
    int bytes = 0, unsent = 0;
    if (::ioctl(socket.get(), SIOCOUTQNSD, &unsent) != 0 || ::ioctl(socket.get(), SIOCOUTQ, &bytes) != 0) return {};
    return {.bytes = bytes, .on_the_way = bytes - std::min(bytes, unsent)};
}

Result<std::optional<std::size_t>> discard_some(const Fd& socket) {
    // With MSG_TRUNC a TCP socket copies nothing; a Unix socket still needs somewhere to copy to.
    // On the stack and not thread_local: where a program's thread-local data need no alignment, mold 1.10 begins the range made
    // read-only after relocation at their odd address, and a page too early in seven of 4,096 layouts; such a program does not
    // start ("cannot apply additional memory protection after relocation").
    std::array<std::byte, discard_bytes> scratch;
    for (;;) {
        const ssize_t n = ::recv(socket.get(), scratch.data(), scratch.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (n >= 0) return std::optional{static_cast<std::size_t>(n)};
        if (would_block(errno)) return std::optional<std::size_t>{};
        if (errno != EINTR) return last_error("recv", "connection");
    }
}

void shut_sending(const Fd& socket) { (void)::shutdown(socket.get(), SHUT_WR); }
void shut_both(const Fd& socket) { (void)::shutdown(socket.get(), SHUT_RDWR); }

Result<> send_all(const Fd& socket, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && would_block(errno))
            return Error{Fault::timed_out, "send: the other side took nothing for too long"};
        if (n < 0) return last_error("send", "connection");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return ok;
}

Result<std::size_t> receive(const Fd& socket, std::span<std::byte> buffer) {
    for (;;) {
        const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (would_block(errno)) return Error{Fault::timed_out, "recv: the other side was silent for too long"};
        if (errno != EINTR) return last_error("recv", "connection");
    }
}

}  // namespace assay::sys
