#include "sandbox/process.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

// By the name under which no sanitizer stands in for it: theirs takes every child for a fork.
extern "C" int __clone(int (*body)(void*), void* stack, int flags, void* argument, ...) noexcept;  // NOLINT(bugprone-reserved-identifier)

extern "C" {  // glibc 2.36 forgot to say so itself.
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

#include "sys/error.hh"
#include "sys/socket.hh"

namespace assay::sandbox {

namespace {

constexpr std::size_t stack_bytes = 128 << 10;
constexpr std::size_t guard_bytes = 64 << 10;  // below it: what grows too far meets nothing of ours

clone_args arguments_for(std::uint64_t flags, int& pidfd, int group) {
    clone_args arguments{};
    arguments.flags = flags | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    if (group >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(group);
    }
    return arguments;
}

}  // namespace

Result<Spawned> clone_process(std::uint64_t namespaces, int group) {
    int pidfd = -1;
    clone_args arguments = arguments_for(namespaces, pidfd, group);
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0) return sys::last_error("clone3", "sandbox process");
    if (pid == 0) return Spawned{};
    return Spawned{static_cast<int>(pid), sys::Fd{pidfd}};
}

Result<Stack> Stack::make() {
    void* const memory = ::mmap(nullptr, guard_bytes + stack_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return sys::last_error("mmap", "stack");
    Stack stack;
    stack.memory_ = memory;
    if (::mprotect(static_cast<std::byte*>(memory) + guard_bytes, stack_bytes, PROT_READ | PROT_WRITE) != 0) return sys::last_error("mprotect", "stack");
    return stack;
}

Stack::~Stack() {
    if (memory_ != nullptr) (void)::munmap(memory_, guard_bytes + stack_bytes);
}

void* Stack::bottom() const { return static_cast<std::byte*>(memory_) + guard_bytes; }

void* Stack::top() const { return static_cast<std::byte*>(memory_) + guard_bytes + stack_bytes; }

Result<Spawned> clone_sharing(std::uint64_t namespaces, const Stack& stack, int (*body)(void*), void* argument) {
    int pidfd = -1;
    const int flags = static_cast<int>(namespaces) | CLONE_VM | CLONE_PIDFD | SIGCHLD;
    const int pid = __clone(body, stack.top(), flags, argument, &pidfd);
    if (pid < 0) return sys::last_error("clone", "sandbox process");
    return Spawned{pid, sys::Fd{pidfd}};
}

Result<Spawned> clone_to_execute(int group, const Stack& stack, int (*body)(void*), void* argument) {
#ifdef __x86_64__
    int pidfd = -1;
    clone_args arguments = arguments_for(CLONE_VM | CLONE_VFORK, pidfd, group);
    arguments.stack = reinterpret_cast<std::uintptr_t>(stack.bottom());
    arguments.stack_size = stack_bytes;
    long pid = SYS_clone3;
    // The C library has no clone that takes a stack and a group.
    asm volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "mov %[argument], %%rdi\n\t"
        "call *%[body]\n\t"
        "ud2\n"
        "1:"
        : "+a"(pid)
        : "D"(&arguments), "S"(sizeof arguments), [body] "r"(body), [argument] "r"(argument)
        : "rcx", "r11", "cc", "memory");
    if (pid < 0) return sys::error_of(static_cast<int>(-pid), "clone3", "sandbox process");
    return Spawned{static_cast<int>(pid), sys::Fd{pidfd}};
#else
    (void)stack;
    Result<Spawned> spawned = clone_process(0, group);
    if (spawned && spawned->pid == 0) ::_exit(body(argument));
    return spawned;
#endif
}

sys::Fd copy_descriptor(const sys::Fd& pidfd, int fd) {
    return sys::Fd{static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0))};
}

sys::Fd open_pidfd(int pid) { return sys::Fd{::pidfd_open(pid, 0)}; }

void kill_process(const sys::Fd& pidfd) {
    (void)::pidfd_send_signal(pidfd.get(), SIGKILL, nullptr, 0);  // ESRCH: it has ended already, which is what we want.
}

void release_memory(const sys::Fd& pidfd) { (void)::syscall(SYS_process_mrelease, pidfd.get(), 0); }

namespace {

std::optional<Ending> ask(const sys::Fd& pidfd, int options) {
    siginfo_t info{};
    rusage used{};
    // The kernel's waitid tells the use of resources; the C library's does not.
    if (::syscall(SYS_waitid, P_PIDFD, pidfd.get(), &info, WEXITED | options, &used) != 0) return std::nullopt;
    if (info.si_pid == 0) return std::nullopt;
    const auto ns = [](const timeval& time) { return (time.tv_sec * 1'000'000 + time.tv_usec) * 1000; };
    return Ending{.signalled = info.si_code != CLD_EXITED, .code = info.si_status, .cpu_ns = ns(used.ru_utime) + ns(used.ru_stime),
                  .memory_peak_bytes = used.ru_maxrss * 1024};
}

}  // namespace

std::optional<Ending> ending_of(const sys::Fd& pidfd) { return ask(pidfd, WNOHANG | WNOWAIT); }

std::optional<Ending> reap(const sys::Fd& pidfd, sys::TimePoint deadline) {
    if (Result<bool> ended = sys::wait_readable(pidfd, deadline); !ended || !*ended) return std::nullopt;
    return ask(pidfd, WNOHANG);
}

void pause_for(std::chrono::nanoseconds time) {
    const timespec wait{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
    (void)::nanosleep(&wait, nullptr);
}

void close_all_except(std::vector<int> keep) {
    std::ranges::sort(keep);
    unsigned first = 3;
    for (const int fd : keep) {
        if (fd < static_cast<int>(first)) continue;
        if (static_cast<unsigned>(fd) > first) (void)::close_range(first, static_cast<unsigned>(fd) - 1, 0);
        first = static_cast<unsigned>(fd) + 1;
    }
    (void)::close_range(first, ~0U, 0);
}

bool hold_only(std::span<const int> wanted) {
    const int count = static_cast<int>(wanted.size());
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    std::vector<int> high;  // Copies above all targets first, so that no target overwrites what is still needed.
    for (const int fd : wanted) high.push_back(::fcntl(fd < 0 ? null : fd, F_DUPFD_CLOEXEC, count));
    for (int i = 0; i < count; ++i) {
        if (::dup2(high[static_cast<std::size_t>(i)], i) < 0) return false;
    }
    return ::close_range(static_cast<unsigned>(count), ~0U, 0) == 0;
}

Result<> hear(const sys::Fd& socket, char expected, sys::TimePoint deadline) {
    ASSAY_TRY(const bool there, sys::wait_readable(socket, deadline));
    if (!there) return Error{Fault::timed_out, "a process on its way into the sandbox does not answer"};
    char buffer[512];
    const ssize_t n = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (n <= 0) return Error{Fault::unreachable, "a process on its way into the sandbox ended early"};
    if (buffer[0] == expected) return ok;
    return Error{Fault::system, std::string{buffer + 1, static_cast<std::size_t>(n - 1)}};
}

}  // namespace assay::sandbox
