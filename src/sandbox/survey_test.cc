#include "sandbox/survey.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "sandbox/cgroup.hh"
#include "sandbox/helper.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

TEST(Survey, KnowsWhichKernelsAreOldEnough) {
    for (const char* const release : {"5.14.0", "5.15.0-91-generic", "6.1.0-56-cloud-amd64", "10.0"}) EXPECT_EQ(judge_kernel(release).standing, Standing::fine) << release;
    for (const char* const release : {"5.13.19", "4.19.0-26-amd64", "", "6", "six.one", "5."}) {
        EXPECT_EQ(judge_kernel(release).standing, Standing::missing) << release;
        EXPECT_NE(judge_kernel(release).cure, "");
    }
}

TEST(Survey, SaysWhenCoreDumpsGoToAProgram) {
    EXPECT_EQ(judge_core_pattern("core").standing, Standing::fine);
    EXPECT_EQ(judge_core_pattern("").standing, Standing::fine);
    EXPECT_EQ(judge_core_pattern("|/usr/lib/systemd/systemd-coredump %P").standing, Standing::weak);
}

TEST(Survey, SwapThatNobodyCountsMakesMemoryLimitsMeaningless) {
    const std::string heading = "Filename\tType\tSize\tUsed\tPriority\n";
    EXPECT_EQ(judge_swaps(heading, false).value, "none");
    EXPECT_EQ(judge_swaps(heading + "/swap file 1 0 -2\n", true).standing, Standing::fine);
    EXPECT_EQ(judge_swaps(heading + "/swap file 1 0 -2\n", false).standing, Standing::missing);
}

TEST(Survey, SaysWhenOneReadIsLongEnoughToHoldUpAll) {
    for (const char* const kib : {"128", "512", "0", "", "none"}) EXPECT_EQ(judge_read_ahead("bounded", "8:0", kib).standing, Standing::fine) << kib;
    const Finding large = judge_read_ahead("bounded", "8:0", "8192");
    EXPECT_EQ(large.standing, Standing::weak);
    EXPECT_THAT(large.value, ::testing::HasSubstr("8192 KiB"));
    EXPECT_THAT(large.cure, ::testing::HasSubstr("echo 128 > /sys/dev/block/8:0/queue/read_ahead_kb"));
}

TEST(Survey, SaysWhomJobsComeAfter) {
    EXPECT_EQ(judge_turns_of_jobs(true, true, "/sys/fs/cgroup/user.slice").standing, Standing::fine);
    EXPECT_EQ(judge_turns_of_jobs(false, false, "").standing, Standing::fine);
    const Finding below_a_service = judge_turns_of_jobs(false, true, "");
    EXPECT_EQ(below_a_service.standing, Standing::weak);
    EXPECT_THAT(below_a_service.cure, ::testing::HasSubstr("assay-jobs.service"));
    const Finding below_a_group = judge_turns_of_jobs(false, false, "/sys/fs/cgroup/cpu/mine");
    EXPECT_EQ(below_a_group.standing, Standing::weak);
    EXPECT_THAT(below_a_group.value, ::testing::HasSubstr("/sys/fs/cgroup/cpu/mine"));
}

// Whatever this host is: names are told apart, what is amiss has a cure, grading is refused exactly when check_host refuses it, and
// no group or mount is there that was not before.
TEST(Survey, IsCompleteAndChangesNothing) {
    const std::string mounts = sys::read_file("/proc/self/mountinfo", 1 << 20).value();
    const Survey survey = survey_host();
    EXPECT_EQ(survey.can_grade, check_host().can_grade);
    std::set<std::string> names;
    for (const Finding& finding : survey.findings) {
        EXPECT_TRUE(names.insert(finding.name).second) << finding.name;
        EXPECT_NE(finding.value, "") << finding.name;
        const bool good = finding.standing == Standing::fine || finding.standing == Standing::exact;
        if (good) EXPECT_EQ(finding.cure, "") << finding.name;
        if (finding.standing == Standing::missing || finding.standing == Standing::none) EXPECT_NE(finding.cure, "") << finding.name;
    }
    EXPECT_TRUE(names.contains("limit memory"));
    EXPECT_EQ(sys::read_file("/proc/self/mountinfo", 1 << 20).value(), mounts);
    EXPECT_THAT(find_groups(find_hierarchies(), "assay-probe-" + std::to_string(::getpid())), ::testing::IsEmpty());
}

TEST(HostCheck, RemovesWhatAKilledCheckLeft) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(0);
    const std::string name = "assay-probe-" + std::to_string(child);
    if (!Group::make(find_hierarchies(), name, true)) GTEST_SKIP() << "no group can be made here";
    (void)check_host();
    EXPECT_THAT(find_groups(find_hierarchies(), name), ::testing::Not(::testing::IsEmpty())) << "its process is there";
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    (void)check_host();
    EXPECT_THAT(find_groups(find_hierarchies(), name), ::testing::IsEmpty());
}

}  // namespace
}  // namespace assay::sandbox::testing
