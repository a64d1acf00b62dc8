// Watch: a socket of one loop whose readiness can be awaited, each wait with a deadline.
//
//   if (co_await watch.readable(deadline) != Ready::yes) …
//
// Reading and writing themselves are sys's non-blocking calls. Threading: everything on the home loop, construction and
// destruction excepted while nobody waits. At most one wait at a time.
#pragma once

#include <coroutine>
#include <memory>

#include "base/result.hh"
#include "loop/loop.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::loop {

enum class Ready { yes, deadline, interrupted };

class Watch {
public:
    static constexpr sys::TimePoint never = sys::TimePoint::max();

    // Errors: busy, system (the kernel would not watch it).
    static Result<Watch> of(Loop& home, sys::Fd socket);
    Watch(Watch&&) noexcept;
    ~Watch();

    const sys::Fd& fd() const;
    Loop& home() const;

    class Wait {
    public:
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<>);
        Ready await_resume() const noexcept;

    private:
        friend class Watch;
        Wait(void* inner, bool reading, sys::TimePoint deadline)
            : inner_{inner}, reading_{reading}, deadline_{deadline} {}
        void* inner_;  // the watch's, which outlives the wait
        bool reading_;
        sys::TimePoint deadline_;
    };
    Wait readable(sys::TimePoint deadline);  // also when the peer has closed
    Wait writable(sys::TimePoint deadline);

    // Ends the wait under way, if there is one; its coroutine resumes inside this call. On the home loop.
    void interrupt();

private:
    struct Inner;
    explicit Watch(std::shared_ptr<Inner> inner);
    std::shared_ptr<Inner> inner_;
};

}  // namespace assay::loop
