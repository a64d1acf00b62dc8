// Where groups are made on hosts of every kind, by what the kernel's files say there.
#include "sandbox/cgroup.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(Hierarchies, OfVersion1AreFoundWhereTheHostPutThem) {
    const std::string mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                               "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                               "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    const std::string own = "4:memory:/service\n2:cpu,cpuacct:/\n0::/scope\n";
    std::vector<std::string> found;
    for (const Hierarchy& h : find_hierarchies(mounts, own)) found.push_back(h.own);
    EXPECT_THAT(found, ElementsAre("/sys/fs/cgroup/memory/service", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified/scope"));
    // Two controllers in one hierarchy are one directory: to make it twice would be to find it made.
    EXPECT_THAT(find_hierarchies(mounts, own)[1].controllers, UnorderedElementsAre(Controller::cpu, Controller::cpuacct));
    // In a container the mount shows a part of the tree only.
    const auto inner = find_hierarchies("35 31 0:32 /box /cg rw - cgroup cgroup rw,memory\n", "4:memory:/box/a\n");
    ASSERT_EQ(inner.size(), 1U);
    EXPECT_EQ(inner.front().own, "/cg/a");
    EXPECT_TRUE(find_hierarchies("", "").empty());
}

// A tree of version 2 as plain files.
class Version2 : public ::testing::Test {
protected:
    void SetUp() override {
        std::string folder = ::testing::TempDir() + "assay-groups-XXXXXX";
        ASSERT_NE(::mkdtemp(folder.data()), nullptr);
        folder_ = folder;
    }
    void TearDown() override { EXPECT_TRUE(sys::remove_tree(folder_)); }
    // `processes`: of the group itself. The root of a tree has no cgroup.type.
    void group(const std::string& path, const std::string& controllers, bool processes) {
        ASSERT_TRUE(::mkdir((folder_ + path).c_str(), 0755) == 0 || path.empty());
        std::ofstream{folder_ + path + "/cgroup.controllers"} << controllers << "\n";
        std::ofstream{folder_ + path + "/cgroup.procs"} << (processes ? "1\n" : "");
        if (!path.empty() || container_) std::ofstream{folder_ + path + "/cgroup.type"} << "domain\n";
    }
    Hierarchy find(const std::string& own) {
        const auto found = find_hierarchies("41 31 0:38 / " + folder_ + " rw - cgroup2 cgroup2 rw\n", "0::" + own + "\n");
        EXPECT_EQ(found.size(), 1U);
        return found.empty() ? Hierarchy{} : found.front();
    }
    std::string below(const std::string& path) const { return folder_ + path; }

    bool container_ = false;
    std::string folder_;
};

TEST_F(Version2, TheRootMayHoldProcessesAndGroups) {
    group("", "cpu io memory pids", true);
    const Hierarchy found = find("/");
    EXPECT_EQ(found.own, below(""));
    EXPECT_FALSE(found.crowded);
    EXPECT_THAT(found.controllers, UnorderedElementsAre(Controller::unified, Controller::cpuacct, Controller::cpu, Controller::io, Controller::memory, Controller::pids));
}

// A shell or a service that was given nothing to divide: the slice above it has what we need, and nobody in it.
TEST_F(Version2, AGroupWithProcessesSendsUsToTheNearestWithout) {
    group("", "cpu io memory pids", true);
    group("/user.slice", "cpu memory pids", false);
    group("/user.slice/session", "memory pids", true);
    const Hierarchy found = find("/user.slice/session");
    EXPECT_EQ(found.own, below("/user.slice"));
    EXPECT_EQ(found.home, below("/user.slice/session"));
    EXPECT_FALSE(found.crowded);
    EXPECT_TRUE(found.serves(Controller::cpu));
}

// Nearer is better only among those that offer as much.
TEST_F(Version2, OffersCountMoreThanNearness) {
    group("", "cpu io memory pids", true);
    group("/a", "cpu io memory pids", false);
    group("/a/b", "memory", false);
    group("/a/b/c", "memory", true);
    EXPECT_EQ(find("/a/b/c").own, below("/a"));
}

TEST_F(Version2, AContainersTreeIsOursToMakeRoomIn) {
    container_ = true;
    group("", "cpu memory pids", true);
    const Hierarchy found = find("/");
    EXPECT_EQ(found.own, below(""));
    EXPECT_TRUE(found.crowded);
}

// The second server in a container: the first has moved everybody into a leaf.
TEST_F(Version2, ARoomThatWasMadeIsUsed) {
    container_ = true;
    group("", "cpu memory pids", false);
    group("/assay-outside", "cpu memory pids", true);
    const Hierarchy found = find("/assay-outside");
    EXPECT_EQ(found.own, below(""));
    EXPECT_FALSE(found.crowded);
}

// A hybrid host's session: the processes in it are not ours, and none of them is in the way.
TEST_F(Version2, WithoutControllersNobodyNeedMove) {
    group("", "", true);
    group("/session", "", true);
    EXPECT_EQ(find("/session").own, below("/session"));
    EXPECT_FALSE(find("/session").crowded);
}

TEST_F(Version2, WithoutControllersOnlyKillsAndCounts) {
    group("", "", true);
    EXPECT_THAT(find("/").controllers, UnorderedElementsAre(Controller::unified, Controller::cpuacct));
}

// One more in a group that counts processes or memory would be counted as the command's.
TEST_F(Version2, IsOccupiedOnlyWhereThatCountsNothing) {
    group("", "", true);
    group("/run", "", false);
    group("/session", "memory pids", false);
    group("/session/run", "memory pids", false);
    for (const auto& [own, occupied] : {std::pair{"/", "42"}, {"/session", ""}}) {
        const Result<Group> made = Group::make({find(own)}, "run", false);
        ASSERT_TRUE(made) << made.error().text();
        ASSERT_TRUE(made->occupy(42));
        const Result<std::string> there = sys::read_file(find(own).own + "/run/cgroup.procs", 100);
        ASSERT_TRUE(there);
        EXPECT_EQ(*there, occupied) << own;
    }
}

}  // namespace
}  // namespace assay::sandbox::testing
