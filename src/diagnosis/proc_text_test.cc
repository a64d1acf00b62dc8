#include "diagnosis/proc_text.hh"

#include <gtest/gtest.h>

namespace assay::diagnosis {
namespace {

// A name may hold anything, also what ends a name.
TEST(ProcText, ReadsAStatWhoseNameIsHostile) {
    std::string text = "42 (a) R 1 (b\n) S 7";
    for (int field = 5; field <= 52; ++field) text += " " + std::to_string(field);
    const auto stat = stat_of(text);
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->pid, 42);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->major_faults, 12);
    EXPECT_EQ(stat->cpu_ticks, 14 + 15);
    EXPECT_EQ(stat->children_ticks, 16 + 17);
    EXPECT_EQ(stat->processor, 39);
    EXPECT_EQ(stat->exit_status, 52);
    EXPECT_EQ(stat->name.find('\n'), std::string::npos);
    for (const char* const broken : {"", "42", "42 (a", "42 (a) S", "x (a) S 1 2 3"})
        EXPECT_FALSE(stat_of(broken)) << broken;
}

TEST(ProcText, CountsOnlyTheTimeInUseOfTheNamedCpus) {
    constexpr std::string_view stat =
        "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 100 100 8 16 100 0 0\ncpu1 32 0 0 7 7 0 0 7 0 0\nintr 5 1\ncpu2 1\n";
    EXPECT_EQ(busy_ticks(stat, "0"), 31);
    EXPECT_EQ(busy_ticks(stat, "0-2"), 63);
    EXPECT_EQ(busy_ticks("", "0"), 0);
}

TEST(ProcText, ReadsCalls) {
    EXPECT_TRUE(call_of("running\n")->running);
    const auto call = call_of("202 0x7f00 0x80 0x2 0x0 0x0 0xffffffff 0x7ffe 0x7f01\n");
    EXPECT_EQ(call->number, 202);
    EXPECT_EQ(call->arguments[0], 0x7f00u);
    EXPECT_EQ(call->arguments[5], 0xffffffffu);
    EXPECT_EQ(call_of("-1 0x7ffe 0x7f01\n")->number, -1);
    EXPECT_FALSE(call_of(""));
    EXPECT_FALSE(call_of("what"));
}

TEST(ProcText, ReadsListsOfCpus) {
    EXPECT_EQ(cpus_in_list("0-3,8\n"), 5);
    EXPECT_EQ(cpus_in_list("9-3,x"), 0);
    EXPECT_TRUE(in_list("0-3,8", 8));
    EXPECT_FALSE(in_list("0-3,8", 4));
}

TEST(ProcText, ReadsConnections) {
    const auto found = connections_of(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 "
        "10 0\n"
        "   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:9C40 01 0:0 0:0 0 0 0 77 1\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_TRUE(found[0].listening);
    EXPECT_EQ(found[0].local_text, "127.0.0.1:8080");
    EXPECT_EQ(found[0].inode, 12345u);
    EXPECT_EQ(found[1].remote_text, "[0:0:0:0:0:0:0:1]:40000");
}

TEST(ProcText, ReadsMountsAndFindsThatOfAPath) {
    const auto mounts = mounts_of(
        "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
        "30 22 0:40 / /mnt/my\\040data rw - nfs4 server:/x rw,soft\n"
        "31 22 0:41 / /mnt/my rw - tmpfs tmpfs rw\n");
    ASSERT_EQ(mounts.size(), 3u);
    EXPECT_EQ(mount_of(mounts, "/mnt/my data/file")->type, "nfs4");
    EXPECT_EQ(mount_of(mounts, "/mnt/mybe")->type, "ext4");
    EXPECT_EQ(mount_of(mounts, "/mnt/my")->type, "tmpfs");
}

TEST(ProcText, ReadsGroupsOfBothVersions) {
    const auto groups = groups_of("3:cpu,cpuacct:/a\n1:name=systemd:/x\n0::/b:c\n");
    EXPECT_EQ(groups.at("cpuacct"), "/a");
    EXPECT_EQ(groups.at(""), "/b:c");
}

TEST(ProcText, ReadsFileLocksAndWhoWaitsForThem) {
    const auto locks =
        file_locks_of("1: FLOCK  ADVISORY  WRITE 10 fe:01:5 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 11 fe:01:5 0 EOF\n");
    ASSERT_EQ(locks.size(), 2u);
    EXPECT_FALSE(locks[0].waits);
    EXPECT_TRUE(locks[1].waits);
    EXPECT_EQ(locks[1].pid, 11);
    EXPECT_EQ(locks[0].file, locks[1].file);
}

TEST(ProcText, ReadsPressureAndCounters) {
    EXPECT_EQ(pressure_us("some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0 total=4\n"), 123);
    EXPECT_FALSE(pressure_us(""));
    EXPECT_EQ(counter_of("nr_periods 3\nnr_throttled 2\n", "nr_throttled"), 2);
    EXPECT_FALSE(counter_of("nr_throttled_x 2\n", "nr_throttled"));
    EXPECT_FALSE(number_of("max"));
    EXPECT_EQ(inode_in("pipe:[42]", "pipe"), 42u);
    EXPECT_FALSE(inode_in("socket:[42]", "pipe"));
}

}  // namespace
}  // namespace assay::diagnosis
