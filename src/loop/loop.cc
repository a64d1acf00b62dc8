#include "loop/loop.hh"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

namespace assay::loop {
namespace {

namespace asio = boost::asio;

thread_local Loop* current_loop = nullptr;

asio::io_context& context_of(Loop& loop) { return *static_cast<asio::io_context*>(loop.native()); }

// One wait on a Bell. Touched on its home loop only; the bell's list merely holds it.
struct Waiter {
    explicit Waiter(Loop& loop) : home{loop}, timer{context_of(loop)} {}
    Loop& home;
    asio::steady_timer timer;
    std::coroutine_handle<> handle;
    bool done = false;
    bool rung = false;

    void finish(bool by_ring) {
        if (std::exchange(done, true)) return;  // Ring and deadline may both have been under way.
        rung = by_ring;
        timer.cancel();
        handle.resume();
    }
};

}  // namespace

struct Loop::Inner {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> busy{context.get_executor()};
    std::thread thread;
};

Loop::Loop() : inner_{std::make_unique<Inner>()} {
    inner_->thread = std::thread{[this] {
        current_loop = this;
        inner_->context.run();
        current_loop = nullptr;
    }};
}

Loop::~Loop() { stop(); }

void Loop::post(Work work) { asio::post(inner_->context, std::move(work)); }

void Loop::stop() {
    ASSAY_ASSERT(current_loop != this);  // It would wait for itself.
    inner_->context.stop();
    if (inner_->thread.joinable()) inner_->thread.join();
}

void* Loop::native() { return &inner_->context; }

Loop* Loop::current() { return current_loop; }

Loops::Loops(std::size_t count) {
    ASSAY_ASSERT(count >= 1);
    for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

Loop& Loops::next() { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }

void Loops::stop() {
    for (const auto& loop : loops_) loop->stop();
}

void SleepUntil::await_suspend(std::coroutine_handle<> handle) {
    Loop* const home = Loop::current();
    ASSAY_ASSERT(home != nullptr);
    const auto timer = std::make_shared<asio::steady_timer>(context_of(*home), deadline_);
    timer->async_wait([timer, handle](const boost::system::error_code&) { handle.resume(); });
}

struct Bell::Inner {
    std::mutex mutex;
    std::uint64_t rings = 0;
    std::vector<std::shared_ptr<Waiter>> waiters;
};

Bell::Bell() : inner_{std::make_shared<Inner>()} {}
Bell::~Bell() = default;

void Bell::ring() {
    std::vector<std::shared_ptr<Waiter>> woken;
    {
        const std::scoped_lock lock{inner_->mutex};
        ++inner_->rings;
        woken.swap(inner_->waiters);
    }
    for (auto& waiter : woken) {
        Loop& home = waiter->home;
        home.post([waiter = std::move(waiter)] { waiter->finish(true); });
    }
}

std::uint64_t Bell::rings() const {
    const std::scoped_lock lock{inner_->mutex};
    return inner_->rings;
}

Task<bool> Bell::wait(std::uint64_t seen, sys::TimePoint deadline) {
    struct Wait {
        std::shared_ptr<Inner> inner;
        std::shared_ptr<Waiter> waiter;
        std::uint64_t seen;
        sys::TimePoint deadline;

        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> handle) {
            waiter->handle = handle;
            {
                const std::scoped_lock lock{inner->mutex};
                if (inner->rings != seen) {
                    waiter->rung = true;
                    return false;
                }
                inner->waiters.push_back(waiter);
            }
            waiter->timer.expires_at(deadline);
            waiter->timer.async_wait([shared = inner, self = waiter](const boost::system::error_code& error) {
                if (error) return;
                {
                    const std::scoped_lock lock{shared->mutex};
                    std::erase(shared->waiters, self);
                }
                self->finish(false);
            });
            return true;
        }
        bool await_resume() const noexcept { return waiter->rung; }
    };
    Loop* const home = Loop::current();
    ASSAY_ASSERT(home != nullptr);
    // The wait holds what it needs: the bell may be gone before it ends.
    Wait wait{inner_, std::make_shared<Waiter>(*home), seen, deadline};
    co_return co_await wait;
}

}  // namespace assay::loop
