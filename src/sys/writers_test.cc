#include "sys/writers.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace assay::sys {
namespace {

class Writers : public ::testing::Test {
protected:
    Writers() {
        std::string name = (std::filesystem::temp_directory_path() / "assay-writers-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        path_ = name + "/file";
        std::ofstream{path_} << "content";
    }
    ~Writers() override { std::filesystem::remove_all(folder_); }

    std::string folder_, path_;
};

// Whoever already writes is not kept out, so there is nothing to hold.
TEST_F(Writers, NoGuardWhileSomebodyHasItOpenForWriting) {
    const Fd reader = open_read(path_).value();
    if (!WriteGuard::take(reader)) GTEST_SKIP() << "no leases on this file system";
    {
        const Fd writer{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
        ASSERT_TRUE(writer);
        EXPECT_FALSE(WriteGuard::take(reader));
    }
    EXPECT_TRUE(WriteGuard::take(reader));
}

// Who comes later waits until the guard is gone, and no signal ends us meanwhile.
TEST_F(Writers, AGuardHoldsUpWritersAndKnowsOfThem) {
    const Fd reader = open_read(path_).value();
    auto guard = WriteGuard::take(reader);
    if (!guard) GTEST_SKIP() << "no leases on this file system";
    EXPECT_TRUE(guard->held());
    EXPECT_LT(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_EQ(errno, EWOULDBLOCK);
    EXPECT_FALSE(guard->held());
    std::thread writer{[&] { std::ofstream{path_} << "other"; }};
    guard.reset();
    writer.join();
    EXPECT_EQ(read_file(path_, 100).value(), "other");
}

TEST_F(Writers, AWriterIsNamedAndAReaderIsNot) {
    int ready[2];
    ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::open(path_.c_str(), O_RDWR);
        (void)!::write(ready[1], "x", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    const Fd reader = open_read(path_).value();
    const Fd root = open_directory(folder_).value();
    const auto found = holders_of(root, "file", 3);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.front().pid, child);
    EXPECT_FALSE(found.front().program.empty());
    EXPECT_TRUE(found.front().writes);
    EXPECT_TRUE(holders_of(root, "file", 3).empty());
    EXPECT_TRUE(holders_of(root, "another", 3).empty());
    ::close(ready[0]);
    ::close(ready[1]);
}

}  // namespace
}  // namespace assay::sys
