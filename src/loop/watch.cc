#include "loop/watch.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace assay::loop {

namespace asio = boost::asio;

struct Watch::Inner {
    Inner(Loop& loop, sys::Fd socket)
        : home{loop},
          context{*static_cast<asio::io_context*>(loop.native())},
          fd{std::move(socket)},
          descriptor{context},
          timer{context} {}
    ~Inner() { close(); }
    void close() {
        if (descriptor.is_open()) descriptor.release();  // `fd` owns it.
        fd.reset();
    }

    Loop& home;
    asio::io_context& context;
    sys::Fd fd;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
    std::coroutine_handle<> waiting;
    std::uint64_t turn = 0;  // A late callback of an earlier wait must not end the present one.
    Ready outcome = Ready::yes;

    void finish(std::uint64_t of_turn, Ready result) {
        if (of_turn != turn || !waiting) return;
        outcome = result;
        boost::system::error_code ignored;
        timer.cancel();
        if (result != Ready::yes) descriptor.cancel(ignored);
        std::exchange(waiting, nullptr).resume();
    }
};

Watch::Watch(std::shared_ptr<Inner> inner) : inner_{std::move(inner)} {}
Watch::Watch(Watch&&) noexcept = default;
Watch::~Watch() {
    if (inner_) inner_->close();  // Callbacks of ended waits may hold the rest for a moment.
}

Result<Watch> Watch::of(Loop& home, sys::Fd socket) {
    auto inner = std::make_shared<Inner>(home, std::move(socket));
    boost::system::error_code error;
    inner->descriptor.assign(inner->fd.get(), error);
    if (error) return Error{Fault::system, "watch a socket: " + error.message()};
    return Watch{std::move(inner)};
}

const sys::Fd& Watch::fd() const { return inner_->fd; }
Loop& Watch::home() const { return inner_->home; }

Watch::Wait Watch::readable(sys::TimePoint deadline) { return Wait{inner_, true, deadline}; }
Watch::Wait Watch::writable(sys::TimePoint deadline) { return Wait{inner_, false, deadline}; }

void Watch::Wait::await_suspend(std::coroutine_handle<> handle) {
    const auto inner = std::static_pointer_cast<Inner>(inner_);
    ASSAY_ASSERT(Loop::current() == &inner->home);
    ASSAY_ASSERT(!inner->waiting);
    inner->waiting = handle;
    const std::uint64_t turn = ++inner->turn;
    using Descriptor = asio::posix::stream_descriptor;
    inner->descriptor.async_wait(reading_ ? Descriptor::wait_read : Descriptor::wait_write,
                                 [inner, turn](const boost::system::error_code& error) {
                                     // Any other error shows itself, with its name, in the read or write that follows.
                                     if (error != asio::error::operation_aborted) inner->finish(turn, Ready::yes);
                                 });
    if (deadline_ != never) {
        inner->timer.expires_at(deadline_);
        inner->timer.async_wait([inner, turn](const boost::system::error_code& error) {
            if (!error) inner->finish(turn, Ready::deadline);
        });
    }
}

Ready Watch::Wait::await_resume() const noexcept { return std::static_pointer_cast<Inner>(inner_)->outcome; }

void Watch::interrupt() {
    const auto inner = inner_;  // The resumed coroutine may end this watch.
    inner->finish(inner->turn, Ready::interrupted);
}

}  // namespace assay::loop
