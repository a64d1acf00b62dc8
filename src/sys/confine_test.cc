#include "sys/confine.hh"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.hh"

namespace assay::sys {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool under_sanitizer = true;
#else
constexpr bool under_sanitizer = false;
#endif

// What a parser that was taken over could still do: compute and talk on what it holds, nothing else.
TEST(Confine, LeavesNothingButReadingAndWriting) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs system calls of its own, so nothing is confined under it";
    const auto died_of = [](auto act) {
        const int child = ::fork();
        if (child == 0) {
            if (!confine_parser({})) ::_exit(99);
            act();
            ::_exit(7);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
    };
    const Fd file = memory_file("content", bytes_of("content"), true).value();
    const auto reads = [&] {
        std::array<std::byte, 16> buffer;
        const auto more = std::make_unique<std::string>(1 << 20, 'x');
        if (!read_at(file, buffer, 0) || more->empty()) ::_exit(8);
    };
    ASSERT_EQ(died_of(reads), -7);
    EXPECT_EQ(died_of([] { ::open("/etc/passwd", 0); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::fork(); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::kill(::getppid(), 0); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::socket(AF_UNIX, SOCK_STREAM, 0); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::unlink("/nowhere"); }), SIGSYS);
}

// Limits are on from the same moment: a parser cannot grow or run without end.
TEST(Confine, BoundsMemoryAndTime) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs more address space than any bound, so nothing is confined under it";
    const int child = ::fork();
    if (child == 0) {
        if (!confine_parser({.cpu_ms = 300, .memory_bytes = 256LL << 20})) ::_exit(99);
        if (::mmap(nullptr, 512u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) ::_exit(98);
        for (volatile int i = 0;; i = i + 1) {}
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), SIGPROF);
}

}  // namespace
}  // namespace assay::sys
