// Apart from socket.cc, so that a program which only talks needs nothing else of this room.
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/assert.hh"
#include "sys/error.hh"
#include "sys/socket.hh"

namespace assay::sys {

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

Result<Message> receive_message(const Fd& socket, std::span<std::byte> buffer, bool waits) {
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * passed_fds_max)];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t n = 0;
    do n = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC | (waits ? 0 : MSG_DONTWAIT));
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

}  // namespace assay::sys
