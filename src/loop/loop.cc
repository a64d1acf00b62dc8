#include "loop/loop.hh"

#include <pthread.h>

#include <thread>

#include "loop/reactor.hh"

namespace assay::loop {
namespace {

thread_local Loop* current_loop = nullptr;

}  // namespace

struct Loop::Inner {
    Reactor reactor;
    std::thread thread;
};

Loop::Loop() : inner_{std::make_unique<Inner>()} {
    inner_->thread = std::thread{[this] {
        ::pthread_setname_np(::pthread_self(), "loop");  // as those who look from outside will see it
        current_loop = this;
        inner_->reactor.run();
        current_loop = nullptr;
    }};
}

Loop::~Loop() { stop(); }

void Loop::post(Work work) { inner_->reactor.post(std::move(work)); }

void Loop::stop() {
    ASSAY_ASSERT(current_loop != this);  // It would wait for itself.
    inner_->reactor.end();
    if (inner_->thread.joinable()) inner_->thread.join();
}

bool Loop::stopped() const { return inner_->reactor.ended(); }

Loop* Loop::current() { return current_loop; }

Reactor& Reactor::of(Loop& loop) { return loop.inner_->reactor; }

Loops::Loops(std::size_t count) {
    ASSAY_ASSERT(count >= 1);
    for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

Loop& Loops::next() { return *loops_[turn_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }

void Loops::stop() {
    for (const auto& loop : loops_) loop->stop();
}

void SleepUntil::await_suspend(std::coroutine_handle<> handle) {
    struct Sleep final : Alarm {
        Sleep(Timers& timers, std::coroutine_handle<> sleeper) : Alarm{timers}, handle{sleeper} {}
        void ring() override {
            const auto sleeper = handle;  // It ends this.
            sleeper.resume();
        }
        std::coroutine_handle<> handle;
    };
    Loop* const home = Loop::current();
    ASSAY_ASSERT(home != nullptr);
    const auto sleep = std::make_shared<Sleep>(Reactor::of(*home).timers(), handle);
    sleep_ = sleep;
    sleep->arm(deadline_);
}

struct Bell::Inner {
    std::mutex mutex;
    std::uint64_t rings = 0;
    std::vector<std::shared_ptr<Waiter>> waiters;
};

// One wait. Touched on its home loop only; the bell's list merely holds it. It holds what it needs: the bell may be gone before
// it ends.
struct Bell::Waiter final : Alarm, std::enable_shared_from_this<Waiter> {
    Waiter(Loop& loop, std::shared_ptr<Inner> bell)
        : Alarm{Reactor::of(loop).timers()}, home{loop}, inner{std::move(bell)} {}

    void finish(bool by_ring) {
        if (std::exchange(done, true)) return;  // Ring and deadline may both have been under way.
        rung = by_ring;
        disarm();
        handle.resume();
    }
    void ring() override {
        const auto self = shared_from_this();  // The resumed coroutine lets go of it.
        {
            const std::scoped_lock lock{inner->mutex};
            std::erase(inner->waiters, self);
        }
        finish(false);
    }

    Loop& home;
    const std::shared_ptr<Inner> inner;
    std::coroutine_handle<> handle;
    bool done = false;
    bool rung = false;
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
        std::shared_ptr<Waiter> waiter;
        std::uint64_t seen;
        sys::TimePoint deadline;

        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> handle) {
            waiter->handle = handle;
            {
                const std::scoped_lock lock{waiter->inner->mutex};
                if (waiter->inner->rings != seen) {
                    waiter->rung = true;
                    return false;
                }
                waiter->inner->waiters.push_back(waiter);
            }
            waiter->arm(deadline);
            return true;
        }
        bool await_resume() const noexcept { return waiter->rung; }
    };
    Loop* const home = Loop::current();
    ASSAY_ASSERT(home != nullptr);
    Wait wait{std::make_shared<Waiter>(*home, inner_), seen, deadline};
    co_return co_await wait;
}

}  // namespace assay::loop
