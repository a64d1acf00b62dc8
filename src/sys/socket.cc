#include "sys/socket.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.hh"
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

}  // namespace

Result<std::pair<Fd, Fd>> socket_pair(PairKind kind) {
    int raw[2];
    const int type = kind == PairKind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, raw) != 0) return last_error("socketpair", "");
    return std::pair{Fd{raw[0]}, Fd{raw[1]}};
}

Result<> send_message(const Fd& socket, ByteView message, std::span<const int> descriptors) {
    ASSAY_ASSERT(descriptors.size() <= passed_fds_max);
    iovec part{const_cast<std::byte*>(message.data()), message.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * passed_fds_max)] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    for (;;) {
        const ssize_t n = ::sendmsg(socket.get(), &header, MSG_NOSIGNAL);
        if (n >= 0) return ok;
        if (errno != EINTR) return last_error("sendmsg", "inner socket");
    }
}

Result<Message> receive_message(const Fd& socket, std::span<std::byte> buffer) {
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * passed_fds_max)];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t n = 0;
    do n = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == ECONNRESET) return Message{};
    if (n < 0) return last_error("recvmsg", "inner socket");

    Message message{.size = static_cast<std::size_t>(n), .descriptors = {}};
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int raw = -1;
            std::memcpy(&raw, CMSG_DATA(c) + i * sizeof(int), sizeof raw);
            message.descriptors.emplace_back(raw);
        }
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return Error{Fault::invalid, "a message on an inner socket is larger than its format allows"};
    }
    return message;
}

Result<Peer> peer_of(const Fd& socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return last_error("getsockopt(SO_PEERCRED)", "unix socket");
    }
    return Peer{credentials.pid, credentials.uid, credentials.gid};
}

Result<Fd> listen_unix(const std::string& path, std::uint32_t mode) {
    constexpr int backlog = 64;
    ASSAY_TRY(const sockaddr_un address, address_of(path));
    Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
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
