#include "sys/confine.hh"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.hh"
#include "sys/net.hh"
#include "sys/socket.hh"

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
    EXPECT_EQ(died_of([] { ::connect(0, nullptr, 0); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::unlink("/nowhere"); }), SIGSYS);
    EXPECT_EQ(died_of([] { ::close(0); }), SIGSYS);
}

int exit_of(auto act) {
    const int child = ::fork();
    if (child == 0) ::_exit(act());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The one descriptor that it may be sent comes again and again, and there is room for no other.
TEST(Confine, TakesOnlyThePassedDescriptor) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs descriptors of its own, so nothing is confined under it";
    const auto receives = [](int files) {
        return exit_of([files] {
            auto [ours, theirs] = socket_pair(PairKind::seqpacket).value();
            const Fd file = memory_file("content", bytes_of("content"), true).value();
            const std::vector<int> all(static_cast<std::size_t>(files), file.get());
            if (!send_message(theirs, bytes_of("a"), all) || !send_message(theirs, bytes_of("b"), all)) return 90;
            const Fd probe = duplicate(file).value();  // The lowest free number.
            const int passed = probe.get();
            ::close(passed);
            if (!confine_parser({.passed_fd = passed})) return 91;
            std::array<std::byte, 16> buffer;
            for (int i = 0; i < 2; ++i) {
                const auto message = receive_message(ours, buffer);
                if (!message) ::_exit(7);  // More came than there is room for.
                const auto& got = message->descriptors;
                if (got.size() != 1 || got.front().get() != passed || !read_at(got.front(), buffer, 0)) ::_exit(92);
            }
            ::_exit(5);
        });
    };
    EXPECT_EQ(receives(1), 5);
    EXPECT_EQ(receives(2), 7);
}

// The second wall, without the first: what the kernel has of it is shut.
TEST(Confine, LandlockShutsFilesPortsAndProcesses) {
    const int abi = confinement().landlock_abi;
    if (abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
    const Fd listening = listen_tcp("127.0.0.1", 0).value();
    const int port = bound_port(listening).value();
    const auto refused = [](auto act) {
        return exit_of([&act] {
            if (!enter_landlock()) return 99;
            errno = 0;
            return act() < 0 ? errno : 0;
        });
    };
    const auto connected = [port] {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    };
    EXPECT_EQ(exit_of([&] { return connected() == 0 && ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 5 : 6; }), 5);
    EXPECT_EQ(refused([] { return ::open("/etc/passwd", O_RDONLY | O_CLOEXEC); }), EACCES);
    EXPECT_EQ(refused([] { return ::mkdir("/tmp/no-such-folder", 0700); }), EACCES);
    if (abi >= 4) EXPECT_EQ(refused(connected), EACCES);
    if (abi >= 6) EXPECT_EQ(refused([] { return ::kill(::getppid(), 0); }), EPERM);
}

// The limit is on from the same moment: a parser cannot grow without end.
TEST(Confine, BoundsMemory) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs more address space than any bound, so nothing is confined under it";
    EXPECT_EQ(exit_of([] {
        if (!confine_parser({.memory_bytes = 256LL << 20})) return 99;
        if (::mmap(nullptr, 512u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) return 98;
        return 5;
    }), 5);
}

}  // namespace
}  // namespace assay::sys
