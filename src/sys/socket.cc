#include "sys/socket.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sys {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return Error{Fault::invalid, "the socket path is longer than 107 bytes: " + escaped(path)};
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

int type_of(PairKind kind) { return kind == PairKind::stream ? SOCK_STREAM : SOCK_SEQPACKET; }

}  // namespace

Result<std::pair<Fd, Fd>> socket_pair(PairKind kind) {
    int raw[2];
    if (::socketpair(AF_UNIX, type_of(kind) | SOCK_CLOEXEC, 0, raw) != 0) return last_error("socketpair", "");
    return std::pair{Fd{raw[0]}, Fd{raw[1]}};
}

Result<Peer> peer_of(const Fd& socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return last_error("getsockopt(SO_PEERCRED)", "unix socket");
    }
    return Peer{credentials.pid, credentials.uid, credentials.gid};
}

Result<Fd> listen_unix(const std::string& path, std::uint32_t mode, PairKind kind) {
    constexpr int backlog = 64;
    ASSAY_TRY(const sockaddr_un address, address_of(path));
    Fd socket{::socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return last_error("socket", path);
    ASSAY_CHECK(remove_file(path));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return last_error("bind", path);
    ASSAY_CHECK(change_mode(path, mode));
    if (::listen(socket.get(), backlog) != 0) return last_error("listen", path);
    return socket;
}

Result<Fd> connect_unix(const std::string& path) {
    ASSAY_TRY(const sockaddr_un address, address_of(path));
    Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) return last_error("socket", path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return last_error("connect", path);
    }
    return socket;
}

Result<bool> wait_readable(const Fd& fd, TimePoint deadline) {
    for (;;) {
        const Duration left = std::max(Duration::zero(), deadline - system_clock().now());
        const auto ms = std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 60'000);
        pollfd watched{fd.get(), POLLIN, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(ms));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return last_error("poll", "descriptor");
        if (system_clock().now() >= deadline) return false;
    }
}

Result<std::vector<bool>> wait_any(std::span<const int> descriptors, TimePoint deadline) {
    std::vector<pollfd> watched;
    for (const int fd : descriptors) watched.push_back({fd, POLLIN, 0});
    for (;;) {
        const Duration left = std::max(Duration::zero(), deadline - system_clock().now());
        const auto ms = std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 60'000);
        const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(ms));
        if (ready < 0 && errno != EINTR) return last_error("poll", "descriptors");
        if (ready > 0 || system_clock().now() >= deadline) break;
    }
    std::vector<bool> flags;
    for (const pollfd& fd : watched) flags.push_back(fd.revents != 0);
    return flags;
}

Result<> set_timeouts(const Fd& socket, std::chrono::milliseconds timeout) {
    const timeval value{timeout.count() / 1000, timeout.count() % 1000 * 1000};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
        if (::setsockopt(socket.get(), SOL_SOCKET, option, &value, sizeof value) != 0) {
            return last_error("setsockopt(timeouts)", "socket");
        }
    }
    return ok;
}

}  // namespace assay::sys
