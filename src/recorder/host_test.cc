#include "recorder/host.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "recorder/ring.hh"
#include "sys/quiet.hh"
#include "sys/standing.hh"

namespace assay::recorder {
namespace {

namespace fs = std::filesystem;

// A server that was killed leaves 16 MiB of memory behind. The newest of those are kept to be looked at; who still records keeps his.
TEST(DeadRings, TheOldestGoAndNeverOneThatIsHeld) {
    std::string pattern = ::testing::TempDir() + "assay-rings.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const fs::path folder = pattern;
    const auto make = [&](int number) {
        const fs::path path = folder / (std::string{hot_name_prefix} + std::to_string(number));
        std::ofstream{path} << "ring";
        const std::array<timespec, 2> times{{{.tv_sec = 1'000 + number, .tv_nsec = 0}, {.tv_sec = 1'000 + number, .tv_nsec = 0}}};
        EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
        return path;
    };
    const fs::path held = make(0);
    for (int number = 1; number <= 7; ++number) make(number);
    std::ofstream{folder / "another-file"} << "not a ring";
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t recorder = ::fork();
    ASSERT_GE(recorder, 0);
    if (recorder == 0) {
        const sys::Fd file = sys::open_writable_quietly(held.c_str());
        const char ready = sys::hold_quietly(file) ? 'y' : 'n';
        (void)!::write(pipe[1], &ready, 1);
        for (;;) ::pause();
    }
    char ready = 'n';
    ASSERT_EQ(::read(pipe[0], &ready, 1), 1);
    EXPECT_EQ(ready, 'y');
    EXPECT_EQ(remove_dead_rings(folder / (std::string{hot_name_prefix} + "7")), 2U);  // 7 is our own
    EXPECT_TRUE(fs::exists(held));
    EXPECT_TRUE(fs::exists(folder / "another-file"));
    for (int number = 1; number <= 7; ++number)
        EXPECT_EQ(fs::exists(folder / (std::string{hot_name_prefix} + std::to_string(number))), number > 2) << number;
    ::kill(recorder, SIGKILL);
    ::waitpid(recorder, nullptr, 0);
    EXPECT_EQ(remove_dead_rings(folder / (std::string{hot_name_prefix} + "7")), 1U);  // its recorder is dead, and it is the oldest
    EXPECT_FALSE(fs::exists(held));
    ::close(pipe[0]);
    ::close(pipe[1]);
    fs::remove_all(folder);
}

}  // namespace
}  // namespace assay::recorder
