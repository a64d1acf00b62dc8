#include "sys/hangup.hh"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/assert.hh"
#include "sys/error.hh"

namespace assay::sys {

Result<bool> wait_closed(std::span<const int> sockets, TimePoint deadline) {
    constexpr std::int64_t poll_ms_max = 60'000;
    ASSAY_ASSERT(sockets.size() <= watched_sockets_max);
    std::array<pollfd, watched_sockets_max> watched{};
    for (std::size_t i = 0; i < sockets.size(); ++i) watched[i] = {sockets[i], POLLRDHUP, 0};
    for (;;) {
        const Duration left = std::max(Duration::zero(), deadline - system_clock().now());
        const auto ms = std::min(std::chrono::ceil<std::chrono::milliseconds>(left).count(), poll_ms_max);
        const int ready = ::poll(watched.data(), sockets.size(), static_cast<int>(ms));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return last_error("poll", "connections");
        if (system_clock().now() >= deadline) return false;
    }
}

Result<> die_with_writer_of(const Fd& pipe) {
    if (::fcntl(pipe.get(), F_SETOWN, ::getpid()) != 0) return last_error("fcntl(F_SETOWN)", "pipe");
    if (::fcntl(pipe.get(), F_SETSIG, SIGKILL) != 0) return last_error("fcntl(F_SETSIG)", "pipe");
    if (::fcntl(pipe.get(), F_SETFL, O_ASYNC) != 0) return last_error("fcntl(O_ASYNC)", "pipe");
    pollfd watched{pipe.get(), POLLIN, 0};  // The signal comes with the change, and that may lie behind us.
    if (::poll(&watched, 1, 0) > 0) ::raise(SIGKILL);
    return ok;
}

}  // namespace assay::sys
