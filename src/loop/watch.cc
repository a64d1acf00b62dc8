#include "loop/watch.hh"

#include "loop/reactor.hh"

namespace assay::loop {

// The kernel goes on being asked for what was waited for last, so that a connection which only ever waits to read costs no
// call but the wait itself. An event that nobody waits for narrows the question.
struct Watch::Inner final : Reactor::Watcher, Alarm {
    Inner(Loop& loop, sys::Fd socket)
        : Alarm{Reactor::of(loop).timers()}, home{loop}, reactor{Reactor::of(loop)}, fd{std::move(socket)} {}
    ~Inner() { close(); }

    void close() {
        if (!fd) return;
        disarm();
        if (asked) reactor.forget(fd, *this);
        fd.reset();
    }

    // false: the kernel would not.
    bool ask(sys::Interest interest) {
        if (asked == interest) return true;
        const auto done =
            asked ? reactor.poller().change(fd, interest, owner()) : reactor.poller().watch(fd, interest, owner());
        if (done) asked = interest;
        return done.has_value();
    }
    void* owner() { return static_cast<Reactor::Watcher*>(this); }

    void begin(std::coroutine_handle<> handle, bool to_read, sys::TimePoint until) {
        waiting = handle;
        reading = to_read;
        deadline = until;
        // A deadline is mostly put off before it comes. So an alarm that would ring too early is left, and looks again then.
        const bool asking = ask({.reading = to_read, .writing = !to_read});
        const sys::TimePoint look = asking ? until : sys::TimePoint::min();
        if (look != never && (!armed() || at() > look)) arm(look);
    }

    void ready(const sys::Poller::Event& event) override {
        if (waiting && (event.broken || (reading ? event.readable : event.writable))) return finish(Ready::yes);
        // A broken descriptor is told of whatever one asks.
        if (event.broken) {
            reactor.forget(fd, *this);
            asked.reset();
        } else {
            (void)ask({.reading = waiting && reading, .writing = waiting && !reading});
        }
    }

    void ring() override {
        if (!waiting) return;
        // Whatever made the kernel refuse shows itself, with its name, in the read or write that follows.
        if (!asked) return finish(Ready::yes);
        if (deadline <= sys::system_clock().now()) finish(Ready::deadline);
        else if (deadline != never) arm(deadline);
    }

    void finish(Ready result) {
        outcome = result;
        std::exchange(waiting, nullptr).resume();
    }

    Loop& home;
    Reactor& reactor;
    sys::Fd fd;
    std::optional<sys::Interest> asked;  // nullopt: not watched
    std::coroutine_handle<> waiting;
    bool reading = false;
    sys::TimePoint deadline = never;
    Ready outcome = Ready::yes;
};

Watch::Watch(std::shared_ptr<Inner> inner) : inner_{std::move(inner)} {}
Watch::Watch(Watch&&) noexcept = default;
Watch::~Watch() {
    if (!inner_) return;
    Loop& home = inner_->home;
    if (Loop::current() == &home || home.stopped())
        inner_->close();  // Waits that have ended may hold the rest for a moment.
    else home.post([inner = std::move(inner_)] { inner->close(); });
}

Result<Watch> Watch::of(Loop& home, sys::Fd socket) {
    auto inner = std::make_shared<Inner>(home, std::move(socket));
    if (!inner->ask({})) return Error{Fault::busy, "the kernel watches as many descriptors as it may"};
    return Watch{std::move(inner)};
}

const sys::Fd& Watch::fd() const { return inner_->fd; }
Loop& Watch::home() const { return inner_->home; }

Watch::Wait Watch::readable(sys::TimePoint deadline) { return Wait{inner_.get(), true, deadline}; }
Watch::Wait Watch::writable(sys::TimePoint deadline) { return Wait{inner_.get(), false, deadline}; }

void Watch::Wait::await_suspend(std::coroutine_handle<> handle) {
    Inner& inner = *static_cast<Inner*>(inner_);
    ASSAY_ASSERT(Loop::current() == &inner.home);
    ASSAY_ASSERT(!inner.waiting);
    inner.begin(handle, reading_, deadline_);
}

Ready Watch::Wait::await_resume() const noexcept { return static_cast<Inner*>(inner_)->outcome; }

void Watch::interrupt() {
    if (inner_->waiting) inner_->finish(Ready::interrupted);
}

}  // namespace assay::loop
