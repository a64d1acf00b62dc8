#include "sys/unix_peers.hh"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstring>

#include "sys/error.hh"
#include "sys/fd.hh"

namespace assay::sys {
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr int rounds_max = 4096;  // answers read; a kernel that sends no end is no kernel, yet this ends

struct Asked {
    nlmsghdr head;
    unix_diag_req what;
};

void take(const nlmsghdr& message, std::map<std::uint64_t, std::uint64_t>& peers) {
    if (message.nlmsg_len < NLMSG_LENGTH(sizeof(unix_diag_msg))) return;
    const auto* const one = static_cast<const unix_diag_msg*>(NLMSG_DATA(&message));
    auto left = static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(sizeof(unix_diag_msg)));
    // The macros want it mutable and write nothing.
    auto* attribute = reinterpret_cast<rtattr*>(reinterpret_cast<char*>(const_cast<unix_diag_msg*>(one)) +
                                                NLMSG_ALIGN(sizeof(unix_diag_msg)));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type != UNIX_DIAG_PEER || RTA_PAYLOAD(attribute) < sizeof(std::uint32_t)) continue;
        std::uint32_t peer = 0;
        std::memcpy(&peer, RTA_DATA(attribute), sizeof peer);
        if (peers.size() < unix_peers_max) peers[one->udiag_ino] = peer;
    }
}

}  // namespace

Result<std::map<std::uint64_t, std::uint64_t>> unix_peers() {
    const Fd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
    if (!socket) return last_error("socket", "NETLINK_SOCK_DIAG");
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
        return last_error("setsockopt", "SO_RCVTIMEO");
    Asked asked{};
    asked.head.nlmsg_len = sizeof asked;
    asked.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    asked.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    asked.what.sdiag_family = AF_UNIX;
    asked.what.udiag_states = ~0U;
    asked.what.udiag_show = UDIAG_SHOW_PEER;
    if (::send(socket.get(), &asked, sizeof asked, 0) != static_cast<ssize_t>(sizeof asked))
        return last_error("send", "NETLINK_SOCK_DIAG");

    std::map<std::uint64_t, std::uint64_t> peers;
    alignas(nlmsghdr) std::array<char, answer_bytes_max> answer{};
    for (int round = 0; round < rounds_max; ++round) {
        const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
        if (got < 0) return last_error("recv", "NETLINK_SOCK_DIAG");
        auto left = static_cast<unsigned>(got);
        for (auto* message = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE) return peers;
            if (message->nlmsg_type == NLMSG_ERROR)
                return Error{Fault::unsupported, "the kernel does not say which Unix sockets are connected"};
            take(*message, peers);
        }
    }
    return peers;
}

}  // namespace assay::sys
