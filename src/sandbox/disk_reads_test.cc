#include "sandbox/disk_reads.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sandbox/disks.hh"
#include "sandbox/fixture.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::sandbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(DiskReads, AreWrittenAsVersion2HasThem) {
    EXPECT_EQ(io_max_of("8:0", {.mib_per_s = 64, .reads_per_s = 2000}), "8:0 rbps=67108864 riops=2000");
    EXPECT_EQ(io_max_of("259:3", {.mib_per_s = 0, .reads_per_s = 100}), "259:3 rbps=max riops=100");
    EXPECT_EQ(io_max_of("8:0", {.mib_per_s = 1'000'000, .reads_per_s = 0}), "8:0 rbps=1048576000000 riops=max");
}

class BoundedReads : public SandboxTest {
protected:
    static constexpr std::int64_t file_bytes = 16 << 20;

    void SetUp() override {
        SandboxTest::SetUp();
        if (IsSkipped()) return;
        const Result<Hierarchy> tree = disk_read_tree(find_hierarchies());
        if (!tree) GTEST_SKIP() << tree.error().text();
        tree_ = *tree;
        const Result<std::string> disk = disk_of("/var/tmp");
        if (!disk) GTEST_SKIP() << disk.error().text();
        disk_ = *disk;
        folder_ = "/var/tmp/assay-reads-XXXXXX";
        ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
        ASSERT_TRUE(sys::write_file_durably(folder_ + "/file", sys::random_text(file_bytes, "0123456789abcdef")));
        ASSERT_EQ(::chmod((folder_ + "/file").c_str(), 0644), 0);
        ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
    }
    void TearDown() override {
        SandboxTest::TearDown();
        if (!id_.empty())
            EXPECT_THAT(find_groups(block_trees(), reads_group(id_)), IsEmpty()) << "groups that bound reads are left";
        if (folder_.empty()) return;
        EXPECT_EQ(::unlink((folder_ + "/file").c_str()), 0);
        EXPECT_EQ(::rmdir(folder_.c_str()), 0);
    }
    // What it reads of the folder comes from the disk.
    model::Outcome run_cold(Job& job, Request wanted) {
        const sys::Fd file{::open((folder_ + "/file").c_str(), O_RDONLY | O_CLOEXEC)};
        EXPECT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
        const sys::Fd opened{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        wanted.binds.push_back({.directory = opened.get(), .inside = "/mnt"});
        return run(job, wanted).outcome;
    }
    model::Outcome read_cold(Job& job) {
        const model::Outcome outcome = run_cold(job, shell("cat /mnt/file | wc -c"));
        EXPECT_EQ(outcome.output.head, std::to_string(file_bytes) + "\n");
        return outcome;
    }
    std::string figures(std::string_view control) const {
        const std::string group = tree_.version == 1 ? reads_group(id_) + "/slot0" : job_group(commands_group(id_), 0);
        return read_control(tree_.own + "/" + group + "/" + std::string{control});
    }

    Hierarchy tree_;
    std::string disk_;
    std::string folder_;
};

// A neighbour's sync waits behind what others read from its disk, so a program may not read as fast as that disk can.
TEST_F(BoundedReads, ComeNoFasterThanTheyMay) {
    restart(true, folder_, 0, {.mib_per_s = 8, .reads_per_s = 500});
    Job job = open_job();
    if (tree_.version == 1) {
        EXPECT_THAT(figures("blkio.throttle.read_bps_device"), HasSubstr(disk_ + " 8388608\n"));
        EXPECT_THAT(figures("blkio.throttle.read_iops_device"), HasSubstr(disk_ + " 500\n"));
    } else {
        EXPECT_THAT(figures("io.max"), HasSubstr(disk_ + " rbps=8388608 wbps=max riops=500"));
    }
    const model::Outcome outcome = read_cold(job);
    EXPECT_GE(outcome.wall_ms, 1400) << "16 MiB at 8 MiB/s";
    if (outcome.io_read_bytes) EXPECT_GE(*outcome.io_read_bytes, file_bytes);
}

// Whoever needs more than fits is slow for that, and not because the machine was busy.
TEST_F(BoundedReads, WhatIsReadAgainForWantOfMemoryIsTold) {
    restart(true, folder_, 0, {.mib_per_s = 16, .reads_per_s = 1000});
    Job job = open_job();
    Request wanted = shell("while :; do cat /mnt/file > /dev/null; done");
    wanted.limits.memory_bytes = file_bytes * 3 / 4;
    wanted.limits.wall_ms = 3000;
    const model::Outcome outcome = run_cold(job, wanted);
    EXPECT_TRUE(outcome.wall_exceeded);
    const Result<Group> any = Group::make(find_hierarchies(), "assay-stalls-" + id_, true);
    ASSERT_TRUE(any);
    const bool told = any->stalled_us("cpu") && any->memory_refaulted_bytes();
    ASSERT_TRUE(any->remove(sys::system_clock().now() + std::chrono::seconds{5}));
    if (!told) GTEST_SKIP() << "this host does not tell what one command waits for";
    ASSERT_TRUE(outcome.memory_stalled_ms);
    EXPECT_GE(*outcome.memory_stalled_ms, 100) << "of three seconds; how much depends on the disk";
}

TEST_F(BoundedReads, AreLeftAloneWhereNobodyAsks) {
    restart(true, folder_, 0, {.mib_per_s = 0, .reads_per_s = 0});
    Job job = open_job();
    if (tree_.version == 1) EXPECT_THAT(find_groups(block_trees(), reads_group(id_)), IsEmpty());
    else EXPECT_THAT(figures("io.max"), IsEmpty());
    (void)read_cold(job);
}

// The page cache is everybody's: who throws away what is in it makes others wait for the disk, and waits for it himself.
TEST_F(BoundedReads, NobodyThrowsAwayWhatOthersHaveInTheCache) {
    restart(true);
    Job job = open_job();
    const auto cached = [&] {
        const sys::Fd file{::open((folder_ + "/file").c_str(), O_RDONLY | O_CLOEXEC)};
        char byte = 0;
        iovec one{&byte, 1};
        return ::preadv2(file.get(), &one, 1, 0, RWF_NOWAIT) == 1;
    };
    (void)read_cold(job);
    ASSERT_TRUE(cached());
    const sys::Fd opened{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    Request wanted = python(
        "import os\n"
        "f = os.open('/mnt/file', os.O_RDONLY)\n"
        "os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)\n"
        "try: os.open('/mnt/file', os.O_RDONLY | os.O_DIRECT)\n"
        "except OSError as error: print(error.errno)\n");
    wanted.binds.push_back({.directory = opened.get(), .inside = "/mnt"});
    EXPECT_EQ(run(job, wanted).outcome.output.head, std::to_string(EINVAL) + "\n");
    EXPECT_TRUE(cached());
}

}  // namespace
}  // namespace assay::sandbox::testing
