// Loops: one event loop per thread, timers, and the bounded pool for what blocks.
//
// A coroutine lives on the loop that started it and comes back to it after every wait, so its data needs no lock.
// Loop threads never block: files, SQLite and verifiers are run by a Pool.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.hh"
#include "base/result.hh"
#include "loop/task.hh"
#include "sys/clock.hh"

namespace assay::loop {

using Work = std::move_only_function<void()>;

// One thread that runs what is posted to it.
class Loop {
public:
    Loop();
    ~Loop();  // stop() first
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void post(Work);            // from any thread; runs later on the loop's thread
    void stop();                // ends the thread after what runs now; waits for it
    bool stopped() const;       // whether the thread runs nothing any more

    static Loop* current();     // the loop whose thread we are on; nullptr elsewhere

private:
    friend class Reactor;
    struct Inner;
    std::unique_ptr<Inner> inner_;
};

// A fixed set of loops; `next()` deals them out in turn.
class Loops {
public:
    explicit Loops(std::size_t count);
    Loop& next();
    Loop& first() { return *loops_.front(); }
    std::size_t size() const { return loops_.size(); }
    void stop();

private:
    std::vector<std::unique_ptr<Loop>> loops_;
    std::atomic<std::size_t> turn_{0};
};

// Threads for blocking work, with a bounded queue.
class Pool {
public:
    Pool(std::string name, std::size_t threads, std::size_t queue_max);
    ~Pool();  // finishes what is queued

    // false: the queue is full; `work` is untouched and nothing will happen.
    bool try_post(Work& work);
    std::size_t waiting() const;

    // co_await pool.run(function): runs it on a pool thread, resumes on this loop. Busy (Fault::busy) when the queue is full,
    // therefore `function` must return a Result.
    template <class F>
    auto run(F function) {
        return Run<F>{*this, std::move(function)};
    }

private:
    template <class F>
    struct Run {
        using R = std::invoke_result_t<F&>;  // a Result<…>
        Pool& pool;
        F function;
        std::optional<R> result{};

        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> handle) {
            Loop* const home = Loop::current();
            ASSAY_ASSERT(home != nullptr);
            Work work = [this, handle, home] {
                result.emplace(function());
                home->post([handle] { handle.resume(); });
            };
            if (pool.try_post(work)) return true;
            result.emplace(Error{Fault::busy, "the queue '" + pool.name_ + "' is full"});
            return false;
        }
        R await_resume() { return std::move(*result); }
    };

    struct Inner;
    std::string name_;
    std::unique_ptr<Inner> inner_;
};

// co_await sleep_until(t): a timer of the current loop.
class SleepUntil {
public:
    explicit SleepUntil(sys::TimePoint deadline) : deadline_{deadline} {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>);
    void await_resume() const noexcept {}

private:
    sys::TimePoint deadline_;
    std::shared_ptr<void> sleep_;
};
inline SleepUntil sleep_until(sys::TimePoint deadline) { return SleepUntil{deadline}; }

// Awaits something that answers by calling back once, from any thread; resumes on the loop thread that awaited.
//   ASSAY_CO_TRY(const Stored stored, co_await from_callback<Result<Stored>>(begin));
template <class T>
class FromCallback {
public:
    using Done = std::move_only_function<void(T)>;
    explicit FromCallback(std::move_only_function<void(Done)> begin) : begin_{std::move(begin)} {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
        Loop* const home = Loop::current();
        ASSAY_ASSERT(home != nullptr);
        begin_([this, handle, home](T value) {
            value_.emplace(std::move(value));
            home->post([handle] { handle.resume(); });
        });
    }
    T await_resume() { return std::move(*value_); }

private:
    std::move_only_function<void(Done)> begin_;
    std::optional<T> value_;
};
template <class T>
FromCallback<T> from_callback(std::move_only_function<void(typename FromCallback<T>::Done)> begin) {
    return FromCallback<T>{std::move(begin)};
}

// Wakes every waiter, or each at its own deadline. For long polls: `co_await bell.wait(deadline)` -> true when rung.
// Threading: ring() from any thread; wait() on a loop.
class Bell {
public:
    Bell();
    ~Bell();
    void ring();
    // The count of rings so far: read it before looking at the state, and pass it to wait, so that no ring is missed.
    std::uint64_t rings() const;
    Task<bool> wait(std::uint64_t seen, sys::TimePoint deadline);

private:
    struct Inner;
    struct Waiter;
    std::shared_ptr<Inner> inner_;
};

}  // namespace assay::loop
