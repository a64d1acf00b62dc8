// Processes as the helper and its keepers make them: clone3 with a pidfd, small talks over a socket, bounded waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

struct Spawned {
    int pid = 0;  // 0: we are the new process
    sys::Fd pidfd;
};
// Like fork, with CLONE_NEW… `namespaces`; born in the version 2 group `group` (a directory), -1: in ours. The caller is single-threaded.
Result<Spawned> clone_process(std::uint64_t namespaces = 0, int group = -1);

// What a process of `clone_sharing` runs on; must outlive it, or it dies.
class Stack {
public:
    static Result<Stack> make();
    Stack() = default;
    Stack(Stack&& other) noexcept : memory_{std::exchange(other.memory_, nullptr)} {}
    Stack& operator=(Stack&& other) noexcept {
        std::swap(memory_, other.memory_);
        return *this;
    }
    ~Stack();
    explicit operator bool() const { return memory_ != nullptr; }
    void* bottom() const;
    void* top() const;

private:
    void* memory_ = nullptr;
};

// A process that shares our memory, so that nothing has to be copied for it and nothing of it goes when it ends; descriptors,
// signals and identity are its own. It runs `body` and does not return from it. Whoever calls this is single-threaded and keeps
// still, which means inside one system call, for as long as the new process touches anything but its stack.
Result<Spawned> clone_sharing(std::uint64_t namespaces, const Stack&, int (*body)(void*), void* argument);

// A process for a `body` that does little but execute a program: it shares our memory until then, while this call waits. Born in the
// version 2 group `group`: of one that shares its parent's memory so, an OOM takes neither. Elsewhere than on x86-64 a fork.
Result<Spawned> clone_to_execute(int group, const Stack&, int (*body)(void*), void* argument);

sys::Fd copy_descriptor(const sys::Fd& pidfd,
                        int fd);  // of that process; empty when it has none there, and before Linux 5.6
sys::Fd open_pidfd(int pid);  // empty when there is no such process
void kill_process(const sys::Fd& pidfd);
// Frees the memory of a process that was killed, on our CPU beside its own, which for a gigabyte takes long. Linux 5.15; before, and
// when it has ended already, nothing.
void release_memory(const sys::Fd& pidfd);
struct Ending {
    bool signalled = false;
    int code = 0;                        // exit code, or the signal's number
    std::int64_t cpu_ns = 0;             // of it and of the children it waited for
    std::int64_t memory_peak_bytes = 0;  // of the largest of them
};
// How our own child ended, which is still to be reaped. nullopt: it has not.
std::optional<Ending> ending_of(const sys::Fd& pidfd);
// Reaps our own child. nullopt: it has not ended by the deadline.
std::optional<Ending> reap(const sys::Fd& pidfd, sys::TimePoint deadline);

void pause_for(std::chrono::nanoseconds);

// `wanted[i]` becomes descriptor i, -1 the null device; all others are closed. What was closed by exec is no more. false: errno says why.
bool hold_only(std::span<const int> wanted);
// Closes every descriptor from 3 up but these.
void close_all_except(std::vector<int> keep);

// Waits until a process on its way into a sandbox says `expected` (launch.hh). Errors: what the other side reported; unreachable (it ended); timed_out.
Result<> hear(const sys::Fd& socket, char expected, sys::TimePoint deadline);

}  // namespace assay::sandbox
