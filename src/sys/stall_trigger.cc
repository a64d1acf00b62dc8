#include "sys/stall_trigger.hh"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "sys/error.hh"

namespace assay::sys {

Result<Fd> open_stall_trigger(const std::string& path, StallKind kind, std::chrono::microseconds stalled, std::chrono::microseconds window) {
    Fd fd{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (!fd) return last_error("open", path);
    const std::string order = (kind == StallKind::some ? "some " : "full ") + std::to_string(stalled.count()) + " " + std::to_string(window.count());
    // With its end mark, which the kernel overwrites.
    if (::write(fd.get(), order.c_str(), order.size() + 1) < 0) return last_error("write", path);
    return fd;
}

Woken wait_stall(std::span<const int> triggers, int bell, TimePoint deadline) {
    std::vector<pollfd> fds{{bell, POLLIN, 0}};
    for (const int fd : triggers) fds.push_back({fd, POLLPRI, 0});
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - system_clock().now()).count();
        const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
        if (ready < 0 && errno == EINTR) continue;
        if (fds[0].revents != 0) return Woken::bell;
        if (ready > 0 && std::ranges::any_of(fds, [](const pollfd& it) { return (it.revents & POLLPRI) != 0; })) return Woken::trigger;
        return Woken::deadline;
    }
}

}  // namespace assay::sys
