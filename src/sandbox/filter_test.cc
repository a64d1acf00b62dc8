// The filters as tables: each program is run here, on numbers alone, as the kernel would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "sandbox/filter.hh"

namespace assay::sandbox {
namespace {

constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t pretend = SECCOMP_RET_ERRNO;
constexpr std::uint32_t error(int number) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number); }

// What classic BPF of libseccomp consists of. An instruction that is not here fails the test.
std::uint32_t verdict(const Filter& filter, const seccomp_data& call) {
    std::vector<sock_filter> code(filter.program().size());
    std::memcpy(code.data(), filter.program().data(), filter.program().size_bytes());
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < code.size(); ++at) {
        const sock_filter& now = code[at];
        const auto branch = [&](bool taken) { at += taken ? now.jt : now.jf; };
        switch (now.code) {
            case BPF_LD | BPF_W | BPF_ABS: std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + now.k, sizeof accumulator); break;
            case BPF_ALU | BPF_AND | BPF_K: accumulator &= now.k; break;
            case BPF_JMP | BPF_JA: at += now.k; break;
            case BPF_JMP | BPF_JEQ | BPF_K: branch(accumulator == now.k); break;
            case BPF_JMP | BPF_JGT | BPF_K: branch(accumulator > now.k); break;
            case BPF_JMP | BPF_JGE | BPF_K: branch(accumulator >= now.k); break;
            case BPF_JMP | BPF_JSET | BPF_K: branch((accumulator & now.k) != 0); break;
            case BPF_RET | BPF_K: return now.k;
            default: ADD_FAILURE() << "an instruction of code " << now.code; return 0;
        }
    }
    ADD_FAILURE() << "the program has no end";
    return 0;
}

Filter compiled(FilterKind kind) { return std::move(Filter::compile(kind)).value(); }

seccomp_data call(int number, std::array<std::uint64_t, 6> arguments = {}) {
    return {.nr = number, .arch = seccomp_arch_native(), .instruction_pointer = 0, .args = {arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]}};
}

struct Row {
    const char* name;
    std::array<std::uint64_t, 6> arguments;
    std::uint32_t language, compiled;
};

constexpr std::uint64_t high = 0xdead00000000;  // what stands above the 32 bits that count

constexpr Row rows[] = {
    {"read", {}, allow, allow},
    {"execve", {}, allow, allow},
    {"futex", {}, allow, allow},
    {"socket", {AF_UNIX}, allow, kill},
    {"socket", {AF_INET}, allow, kill},
    {"socket", {AF_INET6}, allow, kill},
    {"socket", {AF_NETLINK}, error(EAFNOSUPPORT), kill},
    {"socket", {AF_PACKET}, error(EAFNOSUPPORT), kill},
    {"socket", {AF_VSOCK}, error(EAFNOSUPPORT), kill},
    {"socket", {AF_ALG}, error(EAFNOSUPPORT), kill},
    {"socket", {AF_BLUETOOTH}, error(EAFNOSUPPORT), kill},
    {"socketpair", {AF_UNIX}, allow, kill},
    {"socketpair", {AF_TIPC}, error(EAFNOSUPPORT), kill},
    {"clone", {0x11}, allow, allow},
    {"clone", {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}, allow, allow},
    {"clone", {CLONE_NEWUSER | 0x11}, error(EPERM), kill},
    {"clone", {CLONE_NEWNS}, error(EPERM), kill},
    {"clone", {CLONE_NEWNET | CLONE_VM}, error(EPERM), kill},
    {"clone", {CLONE_NEWPID | high}, error(EPERM), kill},
    {"clone3", {}, error(ENOSYS), error(ENOSYS)},
    {"unshare", {}, error(EPERM), kill},
    {"setns", {}, error(EPERM), kill},
    {"io_uring_setup", {}, error(ENOSYS), error(ENOSYS)},
    {"userfaultfd", {}, error(ENOSYS), error(ENOSYS)},
    {"keyctl", {}, error(ENOSYS), error(ENOSYS)},
    {"add_key", {}, error(ENOSYS), error(ENOSYS)},
    {"request_key", {}, error(ENOSYS), error(ENOSYS)},
    {"bpf", {}, error(ENOSYS), error(ENOSYS)},
    {"perf_event_open", {}, error(ENOSYS), error(ENOSYS)},
    {"inotify_init1", {}, error(ENOSYS), error(ENOSYS)},
    {"sync", {}, error(EPERM), kill},
    {"syncfs", {}, error(EPERM), kill},
    {"fsync", {}, allow, allow},
    {"fadvise64", {}, pretend, pretend},
    {"readahead", {}, pretend, pretend},
    {"madvise", {0, 0, MADV_WILLNEED}, pretend, pretend},
    {"madvise", {0, 0, MADV_WILLNEED | high}, pretend, pretend},
    {"madvise", {0, 0, MADV_DONTNEED}, allow, allow},
    {"madvise", {MADV_WILLNEED, MADV_WILLNEED, MADV_POPULATE_READ}, allow, allow},
    {"preadv2", {0, 0, 0, 0, 0, 0x80 | high}, error(EOPNOTSUPP), error(EOPNOTSUPP)},  // RWF_DONTCACHE
    {"preadv2", {0x80, 0, 0, 0, 0, 0x8}, allow, kill},
    {"open", {0, O_RDONLY | O_CLOEXEC}, allow, allow},
    {"open", {0, O_RDWR | O_DIRECT}, error(EINVAL), error(EINVAL)},
    {"open", {O_DIRECT, O_CREAT, O_DIRECT}, allow, allow},
    {"openat", {0, 0, O_RDONLY}, allow, allow},
    {"openat", {0, 0, O_DIRECT | high}, error(EINVAL), error(EINVAL)},
    {"openat", {0, O_DIRECT, O_DIRECTORY}, allow, allow},
    {"openat2", {}, error(ENOSYS), error(ENOSYS)},
    {"fcntl", {0, F_SETFL, O_NONBLOCK}, allow, allow},
    {"fcntl", {0, F_SETFL | high, O_DIRECT | O_NONBLOCK}, error(EINVAL), error(EINVAL)},
    {"fcntl", {0, F_SETLK, O_DIRECT}, allow, allow},
    {"fcntl", {O_DIRECT, F_GETFL}, allow, allow},
    {"mount", {}, error(EPERM), kill},
    {"ptrace", {}, error(EPERM), kill},
    {"ioctl", {0, TCGETS}, allow, allow},
    {"ioctl", {0, FIONREAD | high}, allow, allow},
    {"ioctl", {0, TIOCSTI}, error(EPERM), kill},
    {"ioctl", {0, TIOCSTI | high}, error(EPERM), kill},
    {"ioctl", {0, TIOCLINUX}, error(EPERM), kill},
    {"personality", {0xffffffff}, error(EPERM), allow},
    {"personality", {0x0400000}, error(EPERM), kill},
    {"prlimit64", {0, RLIMIT_STACK, 0}, allow, allow},
    {"prlimit64", {0, RLIMIT_STACK, 1}, allow, allow},
    {"prlimit64", {0, RLIMIT_CORE, 0}, allow, allow},
    {"prlimit64", {0, RLIMIT_CORE, 1}, pretend, pretend},
    {"prlimit64", {0, RLIMIT_CORE | high, high}, pretend, pretend},
    {"setrlimit", {RLIMIT_NOFILE}, allow, allow},
    {"setrlimit", {RLIMIT_CORE}, pretend, pretend},
};

TEST(FilterTable, AnswersEachCallAsItsRowSays) {
    const Filter language = compiled(FilterKind::language);
    const Filter tight = compiled(FilterKind::compiled);
    for (const Row& row : rows) {
        const int number = seccomp_syscall_resolve_name(row.name);
        if (number < 0) continue;  // Not a call of this architecture.
        const std::string where = std::string{row.name} + " " + std::to_string(row.arguments[0]) + " " + std::to_string(row.arguments[1]);
        EXPECT_EQ(verdict(language, call(number, row.arguments)), row.language) << where;
        EXPECT_EQ(verdict(tight, call(number, row.arguments)), row.compiled) << where;
    }
}

TEST(FilterTable, WhatIsNewerThanItsListsDoesNotExist) {
    for (const FilterKind kind : {FilterKind::language, FilterKind::compiled, FilterKind::fill}) {
        const Filter filter = compiled(kind);
        for (const int number : {451, 452, 462, 511, 512, 547, 1023, 100'000, 0x3fffffff}) {
            EXPECT_EQ(verdict(filter, call(number)), error(ENOSYS)) << number;
        }
        EXPECT_NE(verdict(filter, call(seccomp_syscall_resolve_name("read"))), error(ENOSYS));
    }
}

TEST(FilterTable, ForeignNumberingKills) {
    for (const FilterKind kind : {FilterKind::language, FilterKind::compiled, FilterKind::fill}) {
        const Filter filter = compiled(kind);
        for (const std::uint32_t arch : std::initializer_list<std::uint32_t>{AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_MIPS, 0}) {
            for (const int number : {0, 1, 39, 451, 0x40000000}) {
                seccomp_data foreign = call(number);
                foreign.arch = arch;
                EXPECT_EQ(verdict(filter, foreign), kill) << arch << " " << number;
            }
        }
#ifdef __x86_64__
        for (const int number : {0x40000000, 0x40000000 + 39, 0x40000000 + 520}) EXPECT_EQ(verdict(filter, call(number)), kill) << number;
#endif
    }
}

TEST(FilterTable, TheOneForUnpackingKnowsFilesAndMemoryAlone) {
    const Filter fill = compiled(FilterKind::fill);
    for (const char* const name : {"openat", "openat2", "mkdirat", "write", "mmap", "exit_group"})
        EXPECT_EQ(verdict(fill, call(seccomp_syscall_resolve_name(name))), allow) << name;
    for (const char* const name : {"execve", "clone", "socket", "ptrace", "mount", "ioctl", "prctl", "setrlimit", "mknodat"}) {
        EXPECT_EQ(verdict(fill, call(seccomp_syscall_resolve_name(name))), error(EPERM)) << name;
    }
}

}  // namespace
}  // namespace assay::sandbox
