#include "sys/hangup.hh"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

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

}  // namespace assay::sys
