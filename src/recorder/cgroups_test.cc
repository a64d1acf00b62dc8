#include "recorder/cgroups.hh"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "recorder/tasks.hh"

namespace assay::recorder {
namespace {

namespace fs = std::filesystem;

// The trees that the kernel would show, in a folder.
class Trees : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "assay-trees.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { fs::remove_all(root_); }
    void write(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream{root_ / path} << text;
    }
    void read() {
        cgroups_.scan();
        cgroups_.read(rows_, buffer_);
    }
    const Cgroup* find(std::string_view name) {
        for (const Cgroup& group : rows_) {
            if (group.name.view() == name) return &group;
        }
        return nullptr;
    }

    fs::path root_;
    Cgroups cgroups_;
    Rows<Cgroup, cgroups_max> rows_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

TEST_F(Trees, GroupsOfVersionTwoComeAndGo) {
    write("unified/system.slice/memory.current", "5\n");
    write("unified/assay-1/slot/memory.current", "4096\n");
    write("unified/assay-1/slot/memory.max", "max\n");
    write("unified/assay-1/slot/memory.stat", "anon 100\nfile 7\n");
    write("unified/assay-1/slot/memory.pressure", "some avg10=0 total=9\nfull avg10=0 total=4\n");
    cgroups_.start_below(root_.c_str());
    read();
    const Cgroup* const slot = find("assay-1/slot");
    ASSERT_NE(slot, nullptr);
    EXPECT_EQ(slot->memory_bytes, 4096U);
    EXPECT_EQ(slot->memory_max_bytes, 0U);
    EXPECT_EQ(slot->anon_bytes, 100U);
    EXPECT_EQ(slot->memory_full_us_total, 4U);
    ASSERT_NE(find("system.slice"), nullptr);

    write("unified/assay-1/slot/memory.current", "8192\n");  // the same descriptor, read again
    write("unified/assay-1/other/memory.current", "1\n");
    read();
    EXPECT_EQ(find("assay-1/slot")->memory_bytes, 8192U);
    EXPECT_NE(find("assay-1/other"), nullptr);
    EXPECT_NE(find("assay-1/other")->id, find("assay-1/slot")->id);
}

TEST_F(Trees, OneGroupOfVersionOneComesFromSeveralTrees) {
    write("memory/assay-1/memory.usage_in_bytes", "77\n");
    write("memory/assay-1/memory.limit_in_bytes", "9223372036854771712\n");
    write("memory/assay-1/memory.stat", "rss 1\ntotal_rss 50\n");
    write("cpuacct/assay-1/cpuacct.usage", "5000000\n");
    write("pids/assay-1/pids.current", "3\n");
    write("unified/assay-1/io.pressure", "some total=8\nfull total=6\n");
    cgroups_.start_below(root_.c_str());
    read();
    ASSERT_EQ(rows_.size(), 1U);
    EXPECT_EQ(rows_[0].memory_bytes, 77U);
    EXPECT_EQ(rows_[0].memory_max_bytes, 0U);
    EXPECT_EQ(rows_[0].anon_bytes, 50U);
    EXPECT_EQ(rows_[0].cpu_us_total, 5'000U);
    EXPECT_EQ(rows_[0].tasks, 3U);
    EXPECT_EQ(rows_[0].io_full_us_total, 6U);
}

// A thousand groups of others never take the places of a server's own, and what is left out is counted.
TEST_F(Trees, OursHaveTheirPlaces) {
    for (int i = 0; i < 200; ++i) write("unified/a-" + std::to_string(i) + "/memory.current", "1\n");
    cgroups_.start_below(root_.c_str());
    read();
    EXPECT_EQ(rows_.size(), other_groups_max);
    EXPECT_EQ(rows_.left_out, 200 - other_groups_max);
    for (int i = 0; i < 30; ++i) write("unified/assay-1/slot-" + std::to_string(i) + "/memory.current", "1\n");
    read();
    EXPECT_NE(find("assay-1/slot-29"), nullptr);
}

TEST_F(Trees, AJobIsOfAGroupAndAllBelowIt) {
    write("unified/assay-1/job-3/memory.current", "1\n");
    write("unified/assay-1/job-3/run1/memory.current", "1\n");
    write("unified/assay-1/job-33/memory.current", "1\n");
    cgroups_.start_below(root_.c_str());
    cgroups_.scan();
    cgroups_.belongs("assay-1/job-3", 17);
    read();
    EXPECT_EQ(find("assay-1/job-3")->job, 17U);
    EXPECT_EQ(find("assay-1/job-3/run1")->job, 17U);
    EXPECT_EQ(find("assay-1/job-33")->job, 0U);
    cgroups_.ended(17);
    read();
    EXPECT_EQ(find("assay-1/job-3/run1")->job, 0U);
}

// A job of a second comes and goes between two scans, and its group is made after it was said to begin.
TEST_F(Trees, AJobsGroupIsSeenWithoutAScan) {
    write("unified/outer/assay-1/memory.current", "1\n");
    cgroups_.start_below(root_.c_str());
    read();
    cgroups_.belongs("assay-1/job0", 17);
    cgroups_.read(rows_, buffer_);
    EXPECT_EQ(find("outer/assay-1/job0"), nullptr);
    write("unified/outer/assay-1/job0/memory.current", "5\n");
    cgroups_.read(rows_, buffer_);
    ASSERT_NE(find("outer/assay-1/job0"), nullptr);
    EXPECT_EQ(find("outer/assay-1/job0")->job, 17U);
    cgroups_.belongs("assay-1/job0", 18);  // the next one in the same slot, before the first was said to end
    cgroups_.ended(17);
    cgroups_.read(rows_, buffer_);
    EXPECT_EQ(find("outer/assay-1/job0")->job, 18U);
}

// What cannot have grown without processor time is not read again until the next scan; waiting can.
TEST_F(Trees, OfAGroupThatDidNothingOnlyItsWaitingIsRead) {
    write("unified/assay-1/cpu.stat", "usage_usec 7\n");
    write("unified/assay-1/memory.current", "5\n");
    write("unified/assay-1/memory.max", "100\n");
    write("unified/assay-1/io.pressure", "some total=8\nfull total=6\n");
    cgroups_.start_below(root_.c_str());
    read();
    write("unified/assay-1/memory.current", "6\n");
    write("unified/assay-1/memory.max", "200\n");
    write("unified/assay-1/io.pressure", "some total=8\nfull total=9\n");
    cgroups_.read(rows_, buffer_);
    EXPECT_EQ(find("assay-1")->io_full_us_total, 9U);
    EXPECT_EQ(find("assay-1")->memory_bytes, 5U);
    write("unified/assay-1/cpu.stat", "usage_usec 8\n");
    cgroups_.read(rows_, buffer_);
    EXPECT_EQ(find("assay-1")->memory_bytes, 6U);
    EXPECT_EQ(find("assay-1")->memory_max_bytes, 100U);
    read();
    EXPECT_EQ(find("assay-1")->memory_max_bytes, 200U);
}

std::string stat(int pid, const std::string& name, char state, int cpu_ticks, int pages) {
    return std::to_string(pid) + " (" + name + ") " + state + " 1 1 1 0 -1 0 0 0 0 0 " + std::to_string(cpu_ticks) +
           " 0 0 0 20 0 1 0 5 0 " + std::to_string(pages) + " 0\n";
}

// Of many, those that moved since the last look; and each that waits uninterruptibly, with what for once it was seen twice.
TEST_F(Trees, TheBusiestTasksAndThoseInDState) {
    for (int pid = 100; pid < 160; ++pid) write(std::to_string(pid) + "/stat", stat(pid, "idle", 'S', 5, 10));
    write("50/stat", stat(50, "waits", 'D', 1, 1));
    write("50/wchan", "filemap_fault");
    write("50/stack", "[<0>] filemap_fault+0x1/0x2\n");
    Tasks tasks{root_.c_str()};
    Rows<Task, tasks_max> rows;
    tasks.read(rows, buffer_);
    ASSERT_EQ(rows.size(), 1U);  // Nothing has moved yet.
    EXPECT_EQ(rows[0].wait_channel.view(), "filemap_fault");
    EXPECT_TRUE(rows[0].stack.empty());
    write("120/stat", stat(120, "hog", 'R', 500, 10));
    write("130/stat", stat(130, "grows", 'S', 5, 100'000));
    tasks.read(rows, buffer_);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].in_d_frames, 2U);
    EXPECT_EQ(rows[0].stack.view(), "filemap_fault");
    const bool hog = rows[1].name.view() == "hog" || rows[2].name.view() == "hog";
    const bool grows = rows[1].name.view() == "grows" || rows[2].name.view() == "grows";
    EXPECT_TRUE(hog && grows);
}

}  // namespace
}  // namespace assay::recorder
