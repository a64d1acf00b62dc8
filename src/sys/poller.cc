#include "sys/poller.hh"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.hh"
#include "sys/error.hh"

namespace assay::sys {
namespace {

Error refused_by_kernel(std::string_view call) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOSPC) {
        return Error{Fault::busy, last_error(call, "").text()};
    }
    return last_error(call, "");
}

// The bell is the one descriptor whose owner is this.
char bell_owner;

}  // namespace

Result<Poller> Poller::create() {
    Fd set{::epoll_create1(EPOLL_CLOEXEC)};
    if (!set) return refused_by_kernel("epoll_create1");
    Fd bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!bell) return refused_by_kernel("eventfd");
    Poller poller{std::move(set), std::move(bell)};
    ASSAY_CHECK(poller.watch(poller.bell_, {.reading = true}, &bell_owner));
    return poller;
}

Result<> Poller::control(int what, const Fd& fd, Interest interest, void* owner) {
    epoll_event event{};
    event.events = (interest.reading ? EPOLLIN : 0U) | (interest.writing ? EPOLLOUT : 0U);
    event.data.ptr = owner;
    if (::epoll_ctl(set_.get(), what, fd.get(), &event) != 0) return refused_by_kernel("epoll_ctl");
    return ok;
}

Result<> Poller::watch(const Fd& fd, Interest interest, void* owner) {
    return control(EPOLL_CTL_ADD, fd, interest, owner);
}
Result<> Poller::change(const Fd& fd, Interest interest, void* owner) {
    return control(EPOLL_CTL_MOD, fd, interest, owner);
}
void Poller::forget(const Fd& fd) { (void)::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd.get(), nullptr); }

std::span<Poller::Event> Poller::wait(std::span<Event> events, TimePoint until) {
    ASSAY_ASSERT(events.size() <= events_max);
    std::array<epoll_event, events_max> ready;
    timespec timeout{};
    const bool bounded = until != TimePoint::max();
    if (bounded && until != TimePoint::min()) {
        const Duration left = std::max(until - system_clock().now(), Duration::zero());
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        timeout = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    }
    const int count = ::epoll_pwait2(set_.get(), ready.data(), static_cast<int>(events.size()),
                                     bounded ? &timeout : nullptr, nullptr);
    if (count < 0) {
        ASSAY_ASSERT(errno == EINTR);
        return {};
    }
    std::size_t filled = 0;
    for (const epoll_event& event : std::span{ready}.first(static_cast<std::size_t>(count))) {
        if (event.data.ptr == &bell_owner) {
            std::uint64_t rings = 0;
            (void)!::read(bell_.get(), &rings, sizeof rings);
            continue;
        }
        const std::uint32_t bits = event.events;
        events[filled++] = {.owner = event.data.ptr,
                            .readable = (bits & EPOLLIN) != 0,
                            .writable = (bits & EPOLLOUT) != 0,
                            .broken = (bits & (EPOLLERR | EPOLLHUP)) != 0};
    }
    return events.first(filled);
}

void Poller::ring() {
    const std::uint64_t one = 1;
    (void)!::write(bell_.get(), &one, sizeof one);  // Full is rung already.
}

}  // namespace assay::sys
