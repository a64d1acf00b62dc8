// Task<T>: a coroutine that starts when it is awaited and resumes whoever awaited it. Knows no event library.
//
// Rules (style: "An async handler"): parameters by value; name what you pass to co_await; a lambda handed on is never itself
// a capturing coroutine; every wait has a deadline. An exception inside a task is a bug of ours and ends the process.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/assert.hh"
#include "base/result.hh"

namespace assay::loop {

// Where frames come from: a few of each size are kept by the thread that freed them, for they come and go several times a
// request, and the larger ones are slow to get from the heap. Threading: any; a frame may be freed by another thread.
class Frames {
public:
    static void* take(std::size_t bytes);
    static void give(void* frame, std::size_t bytes) noexcept;
};

template <class T>
class [[nodiscard]] Task {
public:
    struct promise_type {
        static void* operator new(std::size_t bytes) { return Frames::take(bytes); }
        static void operator delete(void* frame, std::size_t bytes) { Frames::give(frame, bytes); }

        std::coroutine_handle<> awaiting;
        std::optional<T> value;

        Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct Resume {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                    return self.promise().awaiting;
                }
                void await_resume() noexcept {}
            };
            return Resume{};
        }
        template <class U>
        void return_value(U&& result) { value.emplace(std::forward<U>(result)); }
        void unhandled_exception() noexcept { std::terminate(); }
    };

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, nullptr)} {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle_.promise().awaiting = awaiting;
        return handle_;
    }
    T await_resume() {
        ASSAY_ASSERT(handle_.promise().value.has_value());
        return std::move(*handle_.promise().value);
    }

private:
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_{handle} {}
    std::coroutine_handle<promise_type> handle_;
};

// Runs a task to its end on its own; `done` gets the value. The frame frees itself.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};
template <class T>
Detached start(Task<T> task, std::move_only_function<void(T)> done) {
    T value = co_await std::move(task);
    done(std::move(value));
}

}  // namespace assay::loop
