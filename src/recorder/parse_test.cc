#include "recorder/parse.hh"

#include <gtest/gtest.h>

#include <memory>

namespace assay::recorder {
namespace {

TEST(Parse, ProcessorsInMilliseconds) {
    const auto frame = std::make_unique<Frame>();
    EXPECT_TRUE(
        parse_stat("cpu  100 5 30 900 40 1 2 7 0 0\ncpu0 60 5 10 450 20 1 2 7 0 0\ncpu1 40 0 20 450 20 0 0 0 0 0\n"
                   "intr 12 0 0\nctxt 777\nbtime 1\nprocesses 55\nprocs_running 3\nprocs_blocked 2\nsoftirq 1 2\n",
                   *frame));
    EXPECT_EQ(frame->cpu.user_ms_total, 1050U);
    EXPECT_EQ(frame->cpu.system_ms_total, 330U);
    EXPECT_EQ(frame->cpu.steal_ms_total, 70U);
    ASSERT_EQ(frame->cores.size(), 2U);
    EXPECT_EQ(frame->cores[1].busy_ms_total, 600U);
    EXPECT_EQ(frame->cpu.context_switches_total, 777U);
    EXPECT_EQ(frame->cpu.tasks_blocked, 2U);
}

TEST(Parse, MemoryAndReclaim) {
    Memory memory;
    EXPECT_TRUE(parse_meminfo(
        "MemTotal:       1024 kB\nMemAvailable:    100 kB\nInactive(file):   7 kB\nDirty:  3 kB\n", memory));
    EXPECT_EQ(memory.total_bytes, 1024U * 1024);
    EXPECT_EQ(memory.available_bytes, 100U * 1024);
    EXPECT_EQ(memory.inactive_file_bytes, 7U * 1024);
    Reclaim reclaim;
    for (int twice = 0; twice < 2; ++twice) {
        EXPECT_TRUE(
            parse_vmstat("pgmajfault 9\nworkingset_refault_anon 1\nworkingset_refault_file 4775\nallocstall_normal "
                         "2\nallocstall_movable 3\n",
                         reclaim));
        EXPECT_EQ(reclaim.refaults_file_total, 4775U);
        EXPECT_EQ(reclaim.major_faults_total, 9U);
        EXPECT_EQ(reclaim.allocation_stalls_total, 5U);
    }
}

// Partitions and what is stacked on disks would count the same bytes twice; disks that never did anything are noise.
TEST(Parse, WholeDisksAlone) {
    Rows<Disk, disks_max> disks;
    EXPECT_TRUE(
        parse_diskstats(" 254 0 vda 10 1 160 30 20 2 320 40 5 60 70 0 0 0 0 8 9\n 254 1 vda1 10 1 160 30 20 2 320 40 5 "
                        "60 70 0 0 0 0 0 0\n"
                        " 259 0 nvme0n1 1 0 8 1 0 0 0 0 0 1 1 0 0 0 0 0 0\n 259 1 nvme0n1p1 1 0 8 1 0 0 0 0 0 1 1\n   "
                        "7 0 loop0 5 0 9 1 0 0 0 0 0 1 1\n"
                        "   8 16 sdb 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n 252 0 dm-0 10 1 160 30 20 2 320 40 5 60 70\n",
                        disks));
    ASSERT_EQ(disks.size(), 2U);
    EXPECT_EQ(disks[0].name.view(), "vda");
    EXPECT_EQ(disks[0].read_bytes_total, 160U * 512);
    EXPECT_EQ(disks[0].written_bytes_total, 320U * 512);
    EXPECT_EQ(disks[0].in_flight, 5U);
    EXPECT_EQ(disks[0].flush_ms_total, 9U);
    EXPECT_EQ(disks[1].name.view(), "nvme0n1");
}

TEST(Parse, NetWithoutLoopback) {
    Net net;
    EXPECT_TRUE(parse_net_dev(
        "Inter-|   Receive\n face |bytes\n    lo: 500 1 0 0 0 0 0 0 500 1\n  eth0:100 1 0 2 0 0 0 0 50 1\n", net));
    EXPECT_EQ(net.received_bytes_total, 100U);
    EXPECT_EQ(net.sent_bytes_total, 50U);
    EXPECT_EQ(net.received_dropped_total, 2U);
    EXPECT_TRUE(parse_netstat(
        "TcpExt: A ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 1 22 33 4\nIpExt: A\nIpExt: 1\n", net));
    EXPECT_EQ(net.listen_overflows_total, 22U);
    EXPECT_EQ(net.listen_drops_total, 33U);
    EXPECT_EQ(net.retransmitted_total, 4U);
    EXPECT_TRUE(parse_sockstat("sockets: used 9\nTCP: inuse 5 orphan 0 tw 6 alloc 7 mem 2\n", net));
    EXPECT_EQ(net.tcp_memory_bytes, 8192U);
    EXPECT_TRUE(parse_file_nr("1024\t0\t9999\n", net));
    EXPECT_EQ(net.open_files, 1024U);
}

TEST(Parse, PressureWithAndWithoutFull) {
    std::uint64_t some = 1;
    std::uint64_t full = 2;
    EXPECT_TRUE(parse_pressure(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=678\n", some,
        full));
    EXPECT_EQ(some, 12345U);
    EXPECT_EQ(full, 678U);
    EXPECT_TRUE(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", some, full));
    EXPECT_EQ(full, 678U);
    EXPECT_FALSE(parse_pressure("", some, full));
}

TEST(Parse, GroupsOfBothVersions) {
    Cgroup two;
    EXPECT_TRUE(parse_memory_stat("anon 100\nfile 200\nworkingset_refault_file 3\npgmajfault 4\n", two));
    EXPECT_TRUE(parse_memory_events("low 0\nhigh 0\nmax 5\noom 1\noom_kill 2\n", two));
    EXPECT_TRUE(parse_cpu_stat("usage_usec 1000\nnr_throttled 3\nthrottled_usec 400\n", two));
    EXPECT_TRUE(parse_io_stat(
        "254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0\n253:0 rbytes=5 wbytes=5 rios=1 wios=1\n", two));
    EXPECT_EQ(two.anon_bytes, 100U);
    EXPECT_EQ(two.oom_kills_total, 2U);
    EXPECT_EQ(two.throttled_us_total, 400U);
    EXPECT_EQ(two.read_bytes_total, 15U);
    EXPECT_EQ(two.writes_total, 3U);
    Cgroup one;
    EXPECT_TRUE(
        parse_memory_stat("cache 1\nrss 1\npgmajfault 1\ntotal_cache 200\ntotal_rss 100\ntotal_pgmajfault 4\n", one));
    EXPECT_TRUE(parse_cpu_stat("nr_periods 5\nnr_throttled 3\nthrottled_time 400000\n", one));
    EXPECT_TRUE(parse_blkio_bytes("254:0 Read 10\n254:0 Write 20\n254:0 Total 30\nTotal 30\n", one));
    EXPECT_EQ(one.anon_bytes, 100U);
    EXPECT_EQ(one.major_faults_total, 4U);
    EXPECT_EQ(one.throttled_us_total, 400U);
    EXPECT_EQ(one.written_bytes_total, 20U);
    EXPECT_EQ(parse_number("max\n"), std::nullopt);
    EXPECT_EQ(parse_number("12\n"), 12U);
}

// A process names itself as it likes.
TEST(Parse, ATaskWithAnEvilName) {
    Task task;
    EXPECT_TRUE(
        parse_task_stat("77 (a) R (b) D 1 77 77 0 -1 4194304 50 0 6 0 30 12 0 0 20 0 1 0 4242 10000 250 184", task));
    EXPECT_EQ(task.pid, 77U);
    EXPECT_EQ(task.name.view(), "a) R (b");
    EXPECT_EQ(task.state, static_cast<unsigned char>('D'));
    EXPECT_EQ(task.major_faults_total, 6U);
    EXPECT_EQ(task.cpu_ms_total, 420U);
    EXPECT_EQ(task.start_ticks, 4242U);
    EXPECT_EQ(task.resident_bytes, 250U * 4096);
    parse_stack("[<0>] filemap_fault+0x1/0x2\n[<0>] __do_fault+0x3/0x4\n", task);
    EXPECT_EQ(task.stack.view(), "filemap_fault<__do_fault");
    EXPECT_FALSE(parse_task_stat("77 (sh", task));
    EXPECT_FALSE(parse_task_stat("", task));
}

// Whatever a text is cut to, nothing is read beyond its end (the sanitizers see to that) and nothing is made up.
TEST(Parse, TextsCutAnywhere) {
    const std::string text =
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nTcpExt: A ListenDrops\nTcpExt: 1 2\n77 (x) D 1 "
        "2\nMemTotal: 5 kB\n"
        " 254 0 vda 10 1 160\n  eth0: 1 2 3\n254:0 rbytes=\nanon";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string cut = text.substr(0, size);
        const auto frame = std::make_unique<Frame>();
        Cgroup group;
        Task task;
        (void)parse_stat(cut, *frame), (void)parse_meminfo(cut, frame->memory), (void)parse_vmstat(cut, frame->reclaim);
        (void)parse_diskstats(cut, frame->disks), (void)parse_net_dev(cut, frame->net),
            (void)parse_netstat(cut, frame->net);
        (void)parse_io_stat(cut, group), (void)parse_memory_stat(cut, group), (void)parse_blkio_bytes(cut, group);
        (void)parse_task_stat(cut, task), parse_stack(cut, task);
        EXPECT_LE(frame->memory.total_bytes, 5U * 1024);
    }
}

}  // namespace
}  // namespace assay::recorder
