// One command at a time: what it is given, how its end is told, which limit ends it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "sandbox/cgroup.hh"
#include "sandbox/cores.hh"
#include "sandbox/fixture.hh"
#include "sandbox/own_cores.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

// In a sandbox made for it, and in one that waited (`ahead`).
using namespace std::chrono_literals;

class Command : public SandboxTest, public ::testing::WithParamInterface<bool> {
protected:
    Finished run(const Request& request) {
        Job job = open_job();
        return run(job, request);
    }
    Finished run(Job& job, const Request& request) {
        if (!GetParam()) return SandboxTest::run(job, request);
        Request before = SandboxTest::request({"/bin/true"});
        before.limits = request.limits;
        before.profile = request.profile;
        (void)SandboxTest::run(job, before);
        EXPECT_TRUE(job.prepared(sys::system_clock().now() + 20s));
        Finished done = SandboxTest::run(job, request);
        if (request.binds.empty() && !request.submission) EXPECT_TRUE(done.ahead);
        return done;
    }
};
INSTANTIATE_TEST_SUITE_P(, Command, ::testing::Bool(), [](const auto& param) { return param.param ? "ahead" : "now"; });

TEST_P(Command, PrintsToBothStreamsAndExits) {
    const Finished done = run(shell("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(done.outcome.exit_code, 3);
    EXPECT_FALSE(done.outcome.signal);
    EXPECT_TRUE(done.outcome.started);
    EXPECT_EQ(done.outcome.output.head, "out\n");
    EXPECT_EQ(done.outcome.errors.head, "err\n");
    EXPECT_GT(done.outcome.wall_ms, 0);
    EXPECT_GT(done.outcome.cpu_ms(), 0);
    EXPECT_GT(done.outcome.memory_peak_bytes, 0);
}

TEST_P(Command, LimitsAreReadBack) {
    const Request wanted = request({"/bin/true"});
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.limits, wanted.limits);
    EXPECT_EQ(done.outcome.guarantees.memory, model::Guarantee::exact);
}

TEST_P(Command, ASignalIsTold) {
    const Finished done = run(shell("kill -SEGV $$"));
    EXPECT_EQ(done.outcome.signal, SIGSEGV);
    EXPECT_FALSE(done.outcome.exit_code);
}

// Like a shell would say it, so that graders need no special case.
TEST_P(Command, WhatCannotBeExecutedExits127Or126) {
    const Finished missing = run(request({"no-such-program"}));
    EXPECT_EQ(missing.outcome.exit_code, 127);
    EXPECT_THAT(missing.outcome.errors.head, ::testing::HasSubstr("no-such-program: No such file"));
    EXPECT_EQ(run(request({"/etc/passwd"})).outcome.exit_code, 126);
    Request lost = request({"/bin/true"});
    lost.directory = "/nowhere";
    EXPECT_EQ(run(lost).outcome.exit_code, 127);
}

TEST_P(Command, SeesExactlyItsEnvironmentDirectoryAndDescriptors) {
    Request wanted = request({"/usr/bin/env"});
    wanted.environment = {"A=1", "B=two words"};
    EXPECT_EQ(run(wanted).outcome.output.head, "A=1\nB=two words\n");
    EXPECT_EQ(run(request({"pwd"})).outcome.output.head, "/work\n");
    EXPECT_EQ(run(python("import os; print(sorted(os.listdir('/proc/self/fd')))")).outcome.output.head, "['0', '1', '2', '3']\n");  // 3 is listdir's own
    EXPECT_EQ(run(shell("id -u; id -un; hostname; umask")).outcome.output.head, "1000\nstudent\nassay\n0022\n");
    EXPECT_EQ(run(request({"/bin/echo", "", "a b", "*"})).outcome.output.head, " a b *\n");
}

TEST_P(Command, ReadsItsInput) {
    const sys::Fd input = archive("hello\n");
    Request wanted = request({"/bin/cat"});
    wanted.stdin_fd = input.get();
    EXPECT_EQ(run(wanted).outcome.output.head, "hello\n");
    EXPECT_EQ(run(request({"/bin/cat"})).outcome.output.head, "");
}

TEST_P(Command, CpuLimitCountsTheWholeTree) {
    for (const char* const script : {"while :; do :; done", "(while :; do :; done) & (while :; do :; done) & wait"}) {
        Request wanted = shell(script);
        wanted.limits.cpu_ms = 200;
        const Finished done = run(wanted);
        EXPECT_TRUE(done.outcome.cpu_exceeded);
        EXPECT_FALSE(done.outcome.wall_exceeded);
        EXPECT_EQ(done.outcome.signal, SIGKILL);
        EXPECT_GE(done.outcome.cpu_ms(), 200);
        EXPECT_LT(done.outcome.cpu_ms(), 300 * patience());
    }
}

TEST_P(Command, ManyShortChildrenCount) {
    Request wanted = shell("while :; do /bin/true; done");
    wanted.limits.cpu_ms = 200;
    EXPECT_TRUE(run(wanted).outcome.cpu_exceeded);
}

// What a job's commands share of their groups is told apart by differences.
TEST_P(Command, EachCommandIsCountedFromNothing) {
    Job job = open_job();
    Request first = python("x = bytearray(b'x') * (64 << 20)\nwhile True: pass");
    first.limits.cpu_ms = 300;
    first.limits.cores = 1;
    EXPECT_TRUE(run(job, first).outcome.cpu_exceeded);
    EXPECT_EQ(run(job, shell("for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait")).outcome.exit_code, 0);
    for (int i = 0; i < 3; ++i) {
        const Finished last = run(job, request({"/bin/true"}));
        EXPECT_EQ(last.outcome.exit_code, 0);
        EXPECT_LT(last.outcome.cpu_ms(), 100 * patience());
        EXPECT_LT(last.outcome.memory_peak_bytes, 32 << 20);
        EXPECT_LT(last.outcome.processes_peak, 8);
        EXPECT_FALSE(last.outcome.processes_hit);
        EXPECT_FALSE(last.outcome.throttled_ms && *last.outcome.throttled_ms > 0);
    }
}

// The group of one that had a single task, used little and left nothing is the next one's; of any other, in its job or in the one
// before, nothing may show.
TEST_P(Command, AGroupThatIsUsedAgainTellsNothingOfTheCommandBefore) {
    std::vector<Hierarchy> memory = find_hierarchies();
    std::erase_if(memory, [](const Hierarchy& one) { return one.version != 1 || !one.serves(Controller::memory); });
    std::set<std::string> used;
    const auto look = [&] {
        for (const std::string& job : find_groups(memory, job_group(commands_group(id_), 0))) {
            const Result<std::vector<std::string>> names = sys::list_directory(job);
            if (names) std::ranges::copy_if(*names, std::inserter(used, used.end()), [](const std::string& name) { return name.starts_with("run"); });
        }
    };
    Request large = python("open('/work/file', 'wb').write(b'x' * (8 << 20)); x = bytearray(b'x') * (40 << 20)");
    Request larger = python("x = bytearray(b'x') * (64 << 20)");
    larger.limits.memory_bytes = 32 << 20;
    Request many = shell("sleep 0.01 & sleep 0.01 & wait");
    Request too_many = python("import os\ntry: os.fork()\nexcept OSError: pass");
    too_many.limits.processes = 1;
    for (int round = 0; round < 2; ++round) {
        Job job = open_job();
        for (const Request* const before : {&large, &larger, &many, &too_many}) {
            const Finished first = run(job, *before);
            EXPECT_EQ(first.outcome.oom_killed, before == &larger);
            EXPECT_EQ(first.outcome.limits.memory_bytes, before->limits.memory_bytes);
            EXPECT_EQ(first.outcome.processes_hit, before == &too_many);
            for (int i = 0; i < 2; ++i) {
                const Finished next = run(job, request({"/bin/true"}));
                EXPECT_EQ(next.outcome.exit_code, 0);
                EXPECT_LT(next.outcome.memory_peak_bytes, 4 << 20);
                EXPECT_EQ(next.outcome.processes_peak, 1);
                EXPECT_FALSE(next.outcome.oom_killed);
                EXPECT_FALSE(next.outcome.processes_hit);
            }
        }
        if (memory.empty()) continue;
        used.clear();
        for (int i = 0; i < 20; ++i) {
            (void)run(job, request({"/bin/true"}));
            look();
        }
        EXPECT_FALSE(used.empty());
        EXPECT_LT(used.size(), 15U);  // Two in turns, and now and then a new one.
    }
}

TEST_P(Command, WallLimitEndsSleepersAndTheStopped) {
    for (const char* const script : {"sleep 100", "kill -STOP $$", "trap '' TERM HUP INT; sleep 100 & wait"}) {
        Request wanted = shell(script);
        wanted.limits.wall_ms = 150;
        const Finished done = run(wanted);
        EXPECT_TRUE(done.outcome.wall_exceeded) << script;
        EXPECT_FALSE(done.outcome.cpu_exceeded);
        EXPECT_GE(done.outcome.wall_ms, 150);
        EXPECT_LT(done.outcome.wall_ms, 2000);
    }
}

TEST_P(Command, MemoryBombIsAnOomKillWhateverTheExitCode) {
    Request direct = python("x = bytearray(400 << 20)");
    direct.limits.memory_bytes = 64 << 20;
    const Finished first = run(direct);
    EXPECT_TRUE(first.outcome.oom_killed);
    EXPECT_EQ(first.outcome.limits.memory_bytes, 64 << 20);
    EXPECT_LE(first.outcome.memory_peak_bytes, 64 << 20);

    Request hidden = shell("/usr/bin/python3 -c 'x = bytearray(400 << 20)'; exit 0");
    hidden.limits.memory_bytes = 64 << 20;
    EXPECT_TRUE(run(hidden).outcome.oom_killed);

    // Reserving without touching is no use of memory.
    Request reserve = python("import mmap; m = mmap.mmap(-1, 1 << 30); print('fine')");
    EXPECT_EQ(run(reserve).outcome.output.head, "fine\n");
}

// Not even room for the way in: the verdict is the limit's, not a fault of ours.
TEST_P(Command, TinyMemoryLimitIsAnOomKill) {
    Request wanted = python("print('no room')");
    for (const std::int64_t bytes : {1LL << 20, 2LL << 20}) {
        wanted.limits.memory_bytes = bytes;
        const Finished done = run(wanted);
        EXPECT_TRUE(done.outcome.oom_killed) << bytes;
        EXPECT_EQ(done.outcome.signal, SIGKILL);
    }
}

TEST_P(Command, ForkBombHitsTheProcessLimitAndIsGone) {
    Request wanted = shell("f() { f | f & }; f; sleep 100");
    wanted.limits.wall_ms = 500 * patience();
    wanted.limits.processes = 32;
    const Finished done = run(wanted);
    EXPECT_TRUE(done.outcome.processes_hit);
    EXPECT_LE(done.outcome.processes_peak, 32);
    EXPECT_EQ(done.outcome.limits.processes, 32);
}

// Four busy loops in the time of one, and the program's own CPU time is no more for it.
TEST_P(Command, CoresBoundWhatManyTasksGetTogether) {
    Request wanted = shell("for i in 1 2 3 4; do (while :; do :; done) & done; nproc; sleep 0.6");
    wanted.limits.cores = 1;
    wanted.limits.wall_ms = 20'000 * patience();
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.output.head, "1\n");
    EXPECT_EQ(done.outcome.limits.cores, 1);
    EXPECT_EQ(done.outcome.guarantees.cores, model::Guarantee::exact);
    EXPECT_LE(done.outcome.cpu_ms(), done.outcome.wall_ms + 150);  // One period of the quota and a tick.
    ASSERT_TRUE(done.outcome.throttled_ms);

    // Seen CPUs can be changed from inside; the quota cannot.
    Request sly = python("import os, time; os.sched_setaffinity(0, range(os.cpu_count()))\n"
                         "for _ in range(3): os.fork()\n"
                         "end = time.monotonic() + 0.6\nwhile time.monotonic() < end: pass");
    sly.limits.cores = 1;
    const model::Outcome outcome = run(sly).outcome;
    EXPECT_LE(outcome.cpu_ms(), outcome.wall_ms + 150);
}

TEST_P(Command, CoresOfItsOwnAreAllThatAProgramCanGet) {
    const std::vector<int> cores = machine_cores();
    if (cores.size() < 2) GTEST_SKIP() << "this machine has one core";
    const std::string name = "assay-cores-" + std::to_string(::getpid());
    ASSERT_TRUE(Group::make(find_hierarchies(), name, true));
    const Result<OwnCores> possible = OwnCores::make(find_hierarchies(), name, cores);
    for (const auto& trees : {find_hierarchies(), core_set_trees()})
        ASSERT_TRUE(kill_and_remove(find_groups(trees, name), sys::system_clock().now() + std::chrono::seconds{5}));
    if (!possible) GTEST_SKIP() << possible.error().text();
    restart(false, {}, 1);
    const Request sly = python("import os; before = os.sched_getaffinity(0)\n"
                               "os.sched_setaffinity(0, range(1024))\n"
                               "print(sorted(before), sorted(os.sched_getaffinity(0)))");
    for (int turn = 0; turn < 2; ++turn) {  // a fresh one, and one that waited
        const model::Outcome outcome = run(sly).outcome;
        EXPECT_EQ(outcome.output.head, fmt::format("[{0}] [{0}]\n", cores.back())) << outcome.errors.head;
        EXPECT_EQ(outcome.limits.cores, 1);
        EXPECT_EQ(outcome.guarantees.cores, model::Guarantee::exact);
        EXPECT_EQ(outcome.throttled_ms.value_or(0), 0) << "no quota beside it";
    }
    EXPECT_FALSE(client_->open_job(1, 64 << 20)) << "a slot without cores";
}

// Only version 2 counts what devices transfer; elsewhere the limit says that it is none, and ends nothing.
TEST_P(Command, WhatDevicesTransferIsBoundWhereItIsCounted) {
    restart(true);
    std::string folder = "/var/tmp/assay-io-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    ASSERT_TRUE(sys::write_file_durably(folder + "/file", std::string(16 << 20, 'x')));
    ASSERT_EQ(::chmod((folder + "/file").c_str(), 0644), 0);
    ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
    const sys::Fd opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const sys::Fd file{::open((folder + "/file").c_str(), O_RDONLY | O_CLOEXEC)};
    Request wanted = shell("cat /mnt/file > /dev/null; sleep 0.5");
    wanted.binds.push_back({.directory = opened.get(), .inside = "/mnt"});
    wanted.limits.io_bytes = 1 << 20;
    EXPECT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    const model::Outcome outcome = run(wanted).outcome;
    const bool bounded = outcome.guarantees.io != model::Guarantee::none;
    EXPECT_EQ(outcome.limits.io_bytes, bounded ? 1 << 20 : 0) << "what is not in force is no limit";
    const bool counted = bounded && outcome.io_read_bytes.value_or(0) > 0;
    EXPECT_EQ(outcome.io_exceeded, counted) << outcome.output.head;
    wanted.limits.io_bytes = 1 << 30;
    EXPECT_FALSE(run(wanted).outcome.io_exceeded);
    ASSERT_EQ(::unlink((folder + "/file").c_str()), 0);
    ASSERT_EQ(::rmdir(folder.c_str()), 0);
}

TEST_P(Command, OutputFloodIsCutAndCounted) {
    Request wanted = request({"/usr/bin/yes"});
    wanted.limits.output_bytes = 1 << 20;
    wanted.output_kept_max = 1000;
    const Finished done = run(wanted);
    EXPECT_TRUE(done.outcome.output_exceeded);
    EXPECT_GT(done.outcome.output.bytes, 1 << 20);
    EXPECT_EQ(done.outcome.output.head.size() + done.outcome.output.tail.size(), 1000);
    EXPECT_EQ(done.outcome.output.dropped_bytes, done.outcome.output.bytes - 1000);

    Request exact = shell("head -c 1000 /dev/zero; head -c 24 /dev/zero >&2");
    exact.limits.output_bytes = 1024;
    EXPECT_FALSE(run(exact).outcome.output_exceeded);
    exact.limits.output_bytes = 1023;
    EXPECT_TRUE(run(exact).outcome.output_exceeded);
}

TEST_P(Command, FullDiskIsAnErrorInsideAndTold) {
    const Finished bytes = run(shell("head -c 100M /dev/zero > fill"));
    EXPECT_TRUE(bytes.outcome.disk_full);
    EXPECT_EQ(bytes.outcome.exit_code, 1);
    EXPECT_THAT(bytes.outcome.errors.head, ::testing::HasSubstr("No space left"));

    const Finished shared = run(shell("head -c 40M /dev/zero > /dev/shm/a; head -c 40M /dev/zero > /tmp/b"));
    EXPECT_TRUE(shared.outcome.disk_full);

    Request small = python("for i in range(10**6): open(str(i), 'w').close()");
    small.limits.disk_bytes = 1 << 20;
    const Finished inodes = run(small);
    EXPECT_TRUE(inodes.outcome.disk_full);
    EXPECT_EQ(inodes.outcome.exit_code, 1);
    EXPECT_FALSE(run(shell("head -c 60M /dev/zero > fill")).outcome.disk_full);
}

// A command ends when its first process ends, whoever still holds its streams.
TEST_P(Command, DaemonsDieWithTheFirstProcess) {
    const Finished done = run(shell("(setsid sh -c 'sleep 100; echo late' &) ; echo now"));
    EXPECT_EQ(done.outcome.exit_code, 0);
    EXPECT_EQ(done.outcome.output.head, "now\n");
    EXPECT_LT(done.outcome.wall_ms, 5000);
}

TEST_P(Command, CanBeCancelled) {
    Job job = open_job();
    const std::atomic<bool> stop = true;
    const Result<Finished> done = job.run(shell("sleep 100"), &stop);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_TRUE(done->outcome.cancelled);
    EXPECT_EQ(run(job, shell("echo again")).outcome.output.head, "again\n");
}

TEST_P(Command, ProfileCompiledKillsWhatAnOrdinaryProgramDoesNotNeed) {
    Request wanted = python("import socket; socket.socket()");
    wanted.profile = Profile::compiled;
    EXPECT_TRUE(run(wanted).outcome.forbidden);
    Request harmless = python("print(sum(range(10)))");
    harmless.profile = Profile::compiled;
    EXPECT_EQ(run(harmless).outcome.output.head, "45\n");
}

TEST_P(Command, ToolchainsWork) {
    const sys::Fd tree = archive("main.c=#include <stdio.h>#int add(int, int); int main(void) { printf(\"%d\\n\", add(1, 2)); }\n"
                                 "add.c=int add(int a, int b) { return a + b; }\n");
    Request wanted = shell("sed -i 's/>#/>\\n/' main.c; printf 'calc: main.o add.o\\n\\tgcc -o calc main.o add.o\\n' > Makefile; make -j2 && ./calc");
    wanted.submission = Fill{.archive = tree.get(), .prefix = ""};
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.exit_code, 0) << done.outcome.errors.head;
    EXPECT_THAT(done.outcome.output.head, ::testing::EndsWith("\n3\n"));
}

TEST_P(Command, BindsAreForSingleCommandsAndReadOnlyUnlessSaid) {
    char directory[] = "/tmp/assay-bind-XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    ASSERT_TRUE(sys::change_mode(directory, 0777));
    ASSERT_TRUE(sys::write_file_durably(std::string{directory} + "/f", "bound"));
    ASSERT_TRUE(sys::change_mode(std::string{directory} + "/f", 0644));
    const sys::Fd fd = std::move(sys::open_directory(directory)).value();
    Request wanted = shell("cat /data/in/f; echo x > /data/in/new; cat /data/in/new");
    wanted.binds = {{.directory = fd.get(), .inside = "/data/in", .writable = false}};
    {
        Job job = open_job();
        EXPECT_FALSE(job.run(wanted));  // Not with a server's helper.
    }
    restart(true);
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.output.head, "bound");
    EXPECT_THAT(done.outcome.errors.head, ::testing::HasSubstr("Read-only"));
    wanted.binds.front().writable = true;
    const Finished writable = run(wanted);
    EXPECT_EQ(writable.outcome.output.head, "boundx\n");
    EXPECT_EQ(writable.outcome.guarantees.disk, model::Guarantee::none);
    EXPECT_TRUE(sys::remove_tree(directory));
}

}  // namespace
}  // namespace assay::sandbox::testing
