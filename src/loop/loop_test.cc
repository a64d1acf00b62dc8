#include "loop/loop.hh"

#include <gtest/gtest.h>
#include <time.h>

#include <array>
#include <future>
#include <latch>
#include <thread>

#include "loop/watch.hh"
#include "sys/file.hh"
#include "sys/net.hh"
#include "sys/socket.hh"

namespace assay::loop {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;  // Far beyond what any of this takes; only a hang reaches it.

sys::TimePoint after(sys::Duration wait) { return sys::system_clock().now() + wait; }

// Runs a task on `loop` and blocks for its value.
template <class T>
T run_on(Loop& loop, std::move_only_function<Task<T>()> begin) {
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    loop.post([&] { start<T>(begin(), [&](T value) { promise.set_value(std::move(value)); }); });
    if (future.wait_for(patience) != std::future_status::ready) std::abort();
    return future.get();
}

Task<int> twice(int value) { co_return value * 2; }
Task<int> sum(int a, int b) {
    const int left = co_await twice(a);
    const int right = co_await twice(b);
    co_return left + right;
}

Task<bool> sleeps(sys::TimePoint until) {
    co_await sleep_until(until);
    co_return sys::system_clock().now() >= until;
}

Task<Result<int>> on_pool(Pool& pool, Loop& home) {
    const std::thread::id loop_thread = std::this_thread::get_id();
    const auto work = [&]() -> Result<int> { return std::this_thread::get_id() == loop_thread ? 0 : 7; };
    Result<int> result = co_await pool.run(work);
    if (Loop::current() != &home) co_return Error{Fault::internal, "came back elsewhere"};
    co_return result;
}

Task<int> asks(Loop& home, std::jthread& other) {
    std::move_only_function<void(FromCallback<int>::Done)> begin = [&](FromCallback<int>::Done done) {
        other = std::jthread{[done = std::move(done)]() mutable { done(5); }};
    };
    auto answer = from_callback<int>(std::move(begin));
    const int value = co_await answer;
    co_return Loop::current() == &home ? value : -1;
}

Task<bool> waits(Bell& bell, std::uint64_t seen, sys::TimePoint deadline, std::latch* begun) {
    if (begun != nullptr) begun->count_down();
    co_return co_await bell.wait(seen, deadline);
}

Task<Ready> watches(Watch& watch, sys::TimePoint deadline, bool reading) {
    auto wait = reading ? watch.readable(deadline) : watch.writable(deadline);
    co_return co_await wait;
}

}  // namespace

TEST(Loop, TasksNestAndRunOnTheirLoop) {
    Loop loop;
    EXPECT_EQ(Loop::current(), nullptr);
    EXPECT_EQ(run_on<int>(loop, [] { return sum(1, 2); }), 6);
    std::promise<Loop*> where;
    loop.post([&] { where.set_value(Loop::current()); });
    EXPECT_EQ(where.get_future().get(), &loop);
    loop.stop();
    loop.stop();  // Once is enough, twice is fine.
}

TEST(Loop, SleepEndsNotBeforeItsTime) {
    Loop loop;
    const sys::TimePoint past = after(-1s);
    const sys::TimePoint soon = after(20ms);
    EXPECT_TRUE(run_on<bool>(loop, [&] { return sleeps(past); }));
    EXPECT_TRUE(run_on<bool>(loop, [&] { return sleeps(soon); }));
}

TEST(Loops, AreDealtInTurn) {
    Loops loops{2};
    Loop* const a = &loops.next();
    Loop* const b = &loops.next();
    EXPECT_NE(a, b);
    EXPECT_EQ(&loops.next(), a);
    loops.stop();
}

TEST(Pool, RunsElsewhereAndComesBack) {
    Loop loop;
    Pool pool{"a-name-longer-than-the-kernel-takes", 2, 8};
    EXPECT_EQ(run_on<Result<int>>(loop, [&] { return on_pool(pool, loop); }).value(), 7);
}

// A full queue must answer at once instead of growing: that is what keeps a rush from becoming a freeze.
TEST(Pool, FullQueueIsBusyAndLeavesTheWorkUntouched) {
    Loop loop;
    std::promise<void> release;
    std::shared_future<void> released = release.get_future().share();
    std::latch running{1};
    {
        Pool pool{"small", 1, 1};
        Work blocking = [&] {
            running.count_down();
            released.wait();
        };
        ASSERT_TRUE(pool.try_post(blocking));
        running.wait();  // Now the queue is empty again and the only thread is taken.
        Work queued = [] {};
        ASSERT_TRUE(pool.try_post(queued));
        EXPECT_EQ(pool.waiting(), 1U);

        bool ran = false;
        Work refused = [&] { ran = true; };
        EXPECT_FALSE(pool.try_post(refused));
        refused();
        EXPECT_TRUE(ran);
        EXPECT_EQ(run_on<Result<int>>(loop, [&] { return on_pool(pool, loop); }).error().fault(), Fault::busy);
        release.set_value();
    }
}

TEST(Pool, FinishesWhatIsQueuedBeforeItEnds) {
    std::atomic<int> done = 0;
    {
        Pool pool{"ending", 2, 100};
        for (int i = 0; i < 100; ++i) {
            Work work = [&] { ++done; };
            ASSERT_TRUE(pool.try_post(work));
        }
    }
    EXPECT_EQ(done, 100);
}

TEST(FromCallback, ResumesOnTheLoopThatAwaited) {
    Loop loop;
    std::jthread other;
    EXPECT_EQ(run_on<int>(loop, [&] { return asks(loop, other); }), 5);
}

TEST(Bell, WakesEveryWaiterOnItsOwnLoop) {
    Loops loops{2};
    Bell bell;
    const std::uint64_t seen = bell.rings();
    std::latch begun{4};
    std::latch ended{4};
    std::atomic<int> rung = 0;
    for (int i = 0; i < 4; ++i) {
        Loop& loop = loops.next();
        loop.post([&, seen] {
            start<bool>(waits(bell, seen, after(patience), &begun), [&](bool by_ring) {
                if (by_ring) ++rung;
                ended.count_down();
            });
        });
    }
    begun.wait();
    bell.ring();
    ended.wait();
    EXPECT_EQ(rung, 4);
    loops.stop();
}

// Read the count, look at the state, wait: a ring in between must not be lost.
TEST(Bell, ARingBeforeTheWaitIsNotMissed) {
    Loop loop;
    Bell bell;
    const std::uint64_t seen = bell.rings();
    bell.ring();
    EXPECT_TRUE(run_on<bool>(loop, [&] { return waits(bell, seen, after(patience), nullptr); }));
    EXPECT_FALSE(run_on<bool>(loop, [&] { return waits(bell, bell.rings(), after(5ms), nullptr); }));
}

// Deadline and ring may fall together; the waiter must resume exactly once.
TEST(Bell, RingAndDeadlineTogetherResumeOnce) {
    Loop loop;
    Bell bell;
    for (int round = 0; round < 200; ++round) {
        std::jthread ringer{[&] { bell.ring(); }};
        (void)run_on<bool>(loop, [&] { return waits(bell, bell.rings(), after(100us), nullptr); });
    }
}

// Each end of a wait, one after another on the same socket: none may leak into the next.
TEST(Watch, SaysWhyItsWaitEnded) {
    Loop loop;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    Watch watch = Watch::of(loop, std::move(ours)).value();
    const auto wait = [&](sys::TimePoint deadline, bool reading) {
        return run_on<Ready>(loop, [&] { return watches(watch, deadline, reading); });
    };
    EXPECT_EQ(wait(after(2ms), true), Ready::deadline);
    EXPECT_EQ(wait(after(patience), false), Ready::yes);
    ASSERT_TRUE(sys::write_all(theirs, "x"));
    EXPECT_EQ(wait(Watch::never, true), Ready::yes);
    EXPECT_EQ(wait(Watch::never, true), Ready::yes);  // Still unread.
    loop.post([&] { watch.interrupt(); });  // Nobody waits: nothing happens, now or later.
    EXPECT_EQ(wait(Watch::never, true), Ready::yes);
    loop.stop();
}

TEST(Watch, InterruptEndsAWaitUnderWay) {
    Loop loop;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    Watch watch = Watch::of(loop, std::move(ours)).value();
    std::promise<Ready> ended;
    loop.post([&] {
        start<Ready>(watches(watch, Watch::never, true), [&](Ready ready) { ended.set_value(ready); });
        watch.interrupt();
    });
    EXPECT_EQ(ended.get_future().get(), Ready::interrupted);
    loop.stop();
}

// The alarm set for an early deadline stays when later waits end later; it must not end these.
TEST(Watch, ADeadlineThatIsPutOffDoesNotRingEarly) {
    Loop loop;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    Watch watch = Watch::of(loop, std::move(ours)).value();
    const auto wait = [&](sys::TimePoint deadline, bool reading) {
        return run_on<Ready>(loop, [&] { return watches(watch, deadline, reading); });
    };
    EXPECT_EQ(wait(after(20ms), false), Ready::yes);
    const sys::TimePoint later = after(60ms);
    EXPECT_EQ(wait(later, true), Ready::deadline);
    EXPECT_GE(sys::system_clock().now(), later);
    EXPECT_EQ(wait(after(1ms), true), Ready::deadline);
    ASSERT_TRUE(sys::write_all(theirs, "x"));
    EXPECT_EQ(wait(Watch::never, true), Ready::yes);
    loop.stop();
}

// What is ready while nobody waits for it must cost nothing, and not be forgotten either.
TEST(Watch, WhatNobodyWaitsForIsToldToWhoeverWaitsNext) {
    Loop loop;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    Watch watch = Watch::of(loop, std::move(ours)).value();
    const auto wait = [&](bool reading) {
        return run_on<Ready>(loop, [&] { return watches(watch, after(patience), reading); });
    };
    const auto cpu_of_loop = [&] {
        std::promise<std::int64_t> told;
        loop.post([&] {
            timespec used{};
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
            told.set_value(used.tv_sec * 1'000'000'000 + used.tv_nsec);
        });
        return told.get_future().get();
    };
    ASSERT_TRUE(sys::write_all(theirs, "x"));
    EXPECT_EQ(wait(true), Ready::yes);
    theirs.reset();  // Hung up, and "x" is still unread.
    const std::int64_t before = cpu_of_loop();
    run_on<bool>(loop, [&] { return sleeps(after(200ms)); });
    EXPECT_LT(cpu_of_loop() - before, 50'000'000) << "the loop spins";
    EXPECT_EQ(wait(false), Ready::yes);
    EXPECT_EQ(wait(true), Ready::yes);
    loop.stop();
}

TEST(Watch, EndsOnAnyThread) {
    Loop loop;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    {
        const Watch watch = Watch::of(loop, std::move(ours)).value();
        ASSERT_TRUE(sys::write_all(theirs, "x"));
    }
    // Closed by its loop, in its own time.
    std::array<std::byte, 1> byte{};
    const auto received = sys::receive(theirs, byte);
    EXPECT_FALSE(received && *received > 0);
    loop.stop();
}

}  // namespace assay::loop
