#include "sys/reach.hh"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/text.hh"
#include "sys/error.hh"

namespace assay::sys {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const std::string& host, std::uint16_t port, int type, int flags) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = type;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) found = nullptr;
    return {found, &::freeaddrinfo};
}

Reach reach_of(int error_number) {
    switch (error_number) {
        case 0: return Reach::connected;
        case ECONNREFUSED: return Reach::refused;
        case EHOSTUNREACH:
        case EHOSTDOWN: return Reach::no_host;
        case ENETUNREACH:
        case ENETDOWN:
        case EADDRNOTAVAIL: return Reach::no_network;
        default: return Reach::silent;
    }
}

// Waits for a connect that is under way; its error, ETIMEDOUT at the deadline.
int finish_connect(const Fd& socket, TimePoint deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - system_clock().now()).count();
        if (left <= 0) return ETIMEDOUT;
        pollfd waiting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (ready < 0 && errno != EINTR) return errno;
        if (ready <= 0) continue;
        int failed = 0;
        socklen_t size = sizeof failed;
        if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failed, &size) != 0) return errno;
        return failed;
    }
}

}  // namespace

Reached reach_tcp(const std::string& host, std::uint16_t port, TimePoint deadline) {
    const Addresses addresses = resolve(host, port, SOCK_STREAM, 0);
    Reached reached{.how = Reach::no_name, .socket = {}};
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
        Fd socket{::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
        if (!socket) continue;
        int failed = ::connect(socket.get(), a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
        if (failed == EINPROGRESS) failed = finish_connect(socket, deadline);
        reached.how = reach_of(failed);
        if (reached.how != Reach::connected) continue;
        const int flags = ::fcntl(socket.get(), F_GETFL);
        if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) continue;
        reached.socket = std::move(socket);
        return reached;
    }
    return reached;
}

Result<Fd> connect_udp(const std::string& host, std::uint16_t port) {
    const Addresses addresses = resolve(host, port, SOCK_DGRAM, 0);
    Error last{Fault::invalid, "the address '" + escaped(host) + "' is not known"};
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
        Fd socket{::socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
        if (socket && ::connect(socket.get(), a->ai_addr, a->ai_addrlen) == 0) return socket;
        last = Error{Fault::unreachable, last_error("connect", host).text()};
    }
    return last;
}

Result<Fd> listen_udp(const std::string& host, std::uint16_t port) {
    const Addresses addresses = resolve(host, port, SOCK_DGRAM, AI_PASSIVE);
    Error last{Fault::invalid, "the address '" + escaped(host) + "' is not known"};
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
        Fd socket{::socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol)};
        if (socket && ::bind(socket.get(), a->ai_addr, a->ai_addrlen) == 0) return socket;
        last = last_error("bind", host);
    }
    return last;
}

}  // namespace assay::sys
