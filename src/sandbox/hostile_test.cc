// Programs that mean harm. Every test ends with the look of the fixture: no process, group or mount is left.
#include <csignal>

#include "sandbox/cgroup.hh"
#include "sandbox/fixture.hh"
#include "base/text.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

class Hostile : public SandboxTest {};

// Prints a line per attempt of a raw call: its name and the error.
std::string attempts(const std::string& calls) {
    return "import ctypes, os, errno\n"
           "libc = ctypes.CDLL(None, use_errno=True)\n"
           "def call(name, number, *arguments):\n"
           "    ctypes.set_errno(0)\n"
           "    r = libc.syscall(number, *arguments)\n"
           "    print(name, 'worked' if r >= 0 else errno.errorcode[ctypes.get_errno()])\n" + calls;
}

TEST_F(Hostile, HostFilesAreNotThere) {
    const Finished done = run(shell("ls -A /root; for f in /etc/shadow /etc/ssh /var/lib /home/* /sys /mnt /boot /tmp/* /run /etc/sudoers; do ls -d $f; done 2>/dev/null; ls / | tr '\\n' ' '"));
    EXPECT_EQ(done.outcome.output.head.find("shadow"), std::string::npos);
    EXPECT_THAT(done.outcome.output.head, ::testing::EndsWith("tmp usr var work ")) << done.outcome.output.head;
    EXPECT_EQ(done.outcome.output.head.find("/var/lib"), std::string::npos);
    EXPECT_EQ(done.outcome.output.head.find("/sys"), std::string::npos);
    EXPECT_EQ(done.outcome.output.head.find("/run"), std::string::npos);
}

TEST_F(Hostile, NothingOutsideTheScratchCanBeWritten) {
    const Finished done = run(shell("for d in / /usr /etc /dev /usr/local/bin /root /home /proc /var; do touch $d/x 2>/dev/null && echo $d; done; "
                                    "for d in . /tmp /var/tmp /dev/shm; do touch $d/x && echo $d; done"));
    EXPECT_EQ(done.outcome.output.head, ".\n/tmp\n/var/tmp\n/dev/shm\n");
}

TEST_F(Hostile, OnlyItsOwnProcessesShow) {
    EXPECT_EQ(run(shell("cd /proc; echo [0-9]*")).outcome.output.head, "2\n");
    const Finished init = run(shell("cat /proc/1/environ /proc/1/status; ls /proc/1/root /proc/1/fd; kill -9 1 || echo spared"));
    EXPECT_EQ(init.outcome.output.head, "spared\n");
    EXPECT_EQ(run(shell("kill -9 -1; echo still here")).outcome.output.head, "still here\n");
    EXPECT_EQ(run(shell("cat /proc/self/cgroup | cut -d: -f3 | sort -u")).outcome.output.head, "/\n");
}

TEST_F(Hostile, NoPrivilegeToHaveOrToGain) {
    const Finished done = run(shell("grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:|Groups' /proc/self/status"));
    EXPECT_EQ(done.outcome.output.head,
              "Groups:\t \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
              "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    EXPECT_EQ(run(shell("for p in /usr/bin/su /usr/bin/passwd /usr/bin/mount; do [ -u $p ] && $p -c id root </dev/null 2>/dev/null; done; "
                        "cp /bin/id .; chmod 4755 id; ./id -u")).outcome.output.head, "1000\n");
    EXPECT_EQ(run(python("import os\nfor f in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.chroot('/'), lambda: os.nice(-5),"
                         " lambda: os.mknod('x', 0o020666, os.makedev(1, 1)), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))):\n"
                         "    try: f(); print('worked')\n"
                         "    except OSError as e: print(e.errno)\n")).outcome.output.head, "22\n1\n1\n1\n1\n1\n");
}

// What helper and keeper do about signals is theirs.
TEST_F(Hostile, ACommandHearsEverySignal) {
    EXPECT_EQ(run(shell("exec grep -E 'Sig(Blk|Ign)|SigPnd' /proc/self/status")).outcome.output.head,
              "SigPnd:\t0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(Hostile, CallsBeyondTheSandboxAreRefused) {
#ifndef __x86_64__
    GTEST_SKIP() << "the numbers of the calls are those of x86-64";
#endif
    const Finished done = run(python(attempts("call('mount', 165, b'x', b'/tmp', b'tmpfs', 0, None)\n"
                                              "call('unshare', 272, 0x10000000)\n"
                                              "call('clone', 56, 0x10000000 | 17, 0, 0, 0, 0)\n"
                                              "call('clone3', 435, 0, 0)\n"
                                              "call('setns', 308, 0, 0)\n"
                                              "call('ptrace', 101, 0, 0, 0, 0)\n"
                                              "call('process_vm_readv', 310, 1, 0, 0, 0, 0, 0)\n"
                                              "call('io_uring_setup', 425, 1, 0)\n"
                                              "call('userfaultfd', 323, 0)\n"
                                              "call('bpf', 321, 0, 0, 0)\n"
                                              "call('perf_event_open', 298, 0, 0, 0, 0, 0)\n"
                                              "call('keyctl', 250, 0, 0)\n"
                                              "call('open_by_handle_at', 304, 0, 0, 0)\n"
                                              "call('personality', 135, 0x0400000)\n"
                                              "call('tiocsti', 16, 0, 0x5412, b'x')\n"
                                              "call('tiocsti high', 16, 0, ctypes.c_ulong(0x7f00005412), b'x')\n"
                                              "call('sync', 162)\n"
                                              "for family in (0, 1, 2, 10): call('socket %d' % family, 41, family, 2, 0)\n"
                                              "for family in (3, 9, 16, 17, 38, 40): call('socket %d' % family, 41, family, 3, 0)\n")));
    EXPECT_EQ(done.outcome.output.head,
              "mount EPERM\nunshare EPERM\nclone EPERM\nclone3 ENOSYS\nsetns EPERM\nptrace EPERM\nprocess_vm_readv EPERM\n"
              "io_uring_setup ENOSYS\nuserfaultfd ENOSYS\nbpf ENOSYS\nperf_event_open ENOSYS\nkeyctl ENOSYS\nopen_by_handle_at EPERM\n"
              "personality EPERM\ntiocsti EPERM\ntiocsti high EPERM\nsync EPERM\nsocket 0 EAFNOSUPPORT\nsocket 1 worked\nsocket 2 worked\nsocket 10 worked\n"
              "socket 3 EAFNOSUPPORT\nsocket 9 EAFNOSUPPORT\nsocket 16 EAFNOSUPPORT\nsocket 17 EAFNOSUPPORT\nsocket 38 EAFNOSUPPORT\nsocket 40 EAFNOSUPPORT\n")
        << done.outcome.errors.head;
}

// x32 calls would be numbered past the filter.
TEST_F(Hostile, ForeignCallNumbersKill) {
#ifndef __x86_64__
    GTEST_SKIP() << "only x86-64 has a second numbering";
#endif
    const Finished done = run(python(attempts("call('x32 getpid', 0x40000000 + 39)\n")));
    EXPECT_TRUE(done.outcome.forbidden);
    EXPECT_EQ(done.outcome.signal, SIGSYS);
}

TEST_F(Hostile, NoNetwork) {
    const Finished done = run(python("import socket\nfor a in ('127.0.0.1', '169.254.169.254', '8.8.8.8'):\n"
                                     "    s = socket.socket(); s.settimeout(1)\n"
                                     "    try: s.connect((a, 80)); print('connected')\n"
                                     "    except OSError as e: print(e.errno)\n"));
    EXPECT_EQ(done.outcome.output.head, "101\n101\n101\n");
}

// The jobs of a slot have one network namespace, one after the other.
TEST_F(Hostile, NothingSurvivesInTheNetworkOfASlot) {
    const char* const script =
        "import socket, os\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "try: s.connect('\\0assay'); print('somebody is there')\n"
        "except OSError as e: print(e.errno)\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('\\0assay'); s.listen()\n"
        "t = socket.socket(); t.bind(('0.0.0.0', 4711)); t.listen()\n"
        "if os.fork() == 0: os.setsid(); import time; time.sleep(60)\n";
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run(python(script)).outcome.output.head, "111\n");
}

TEST_F(Hostile, NothingSurvivesInKernelObjects) {
    Job job = open_job();
    const std::string script = "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
                               "print(libc.shmget(4711, 4096, 0o600), libc.semget(4711, 1, 0o600))\n"
                               "libc.shmget(4711, 4096, 0o1600); libc.semget(4711, 1, 0o1600)\n";
    EXPECT_EQ(run(job, python(script)).outcome.output.head, "-1 -1\n");
    EXPECT_EQ(run(job, python(script)).outcome.output.head, "-1 -1\n");
}

// Directories too deep for any path, names that are not text: dropping the mount needs no walk.
TEST_F(Hostile, DeepAndStrangeTreesAreGone) {
    Request wanted = python("import os\nfor i in range(3000): os.mkdir(b'\\xff\\n'); os.chdir(b'\\xff\\n')\nprint('deep')");
    wanted.seal = true;
    EXPECT_EQ(run(wanted).outcome.output.head, "deep\n");
    EXPECT_EQ(run(shell("mkdir -m 0 locked; chmod 0 .; echo done")).outcome.output.head, "done\n");
}

// Descriptors that only a cycle of dead sockets still holds: the next stage must not suffer from them.
TEST_F(Hostile, FilesInFlightDoNotDisturbTheSeal) {
    Job job = open_job();
    Request wanted = python("import socket, array\n"
                            "a, b = socket.socketpair(); f = open('held', 'w'); f.write('kept'); f.flush()\n"
                            "def send(over, *files): over.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [x.fileno() for x in files]))])\n"
                            "send(a, a, b, f); send(b, a, b, f)\n");
    wanted.seal = true;
    EXPECT_EQ(run(job, wanted).outcome.exit_code, 0);
    EXPECT_EQ(run(job, shell("cat held; echo more >> held")).outcome.output.head, "kept");
}

TEST_F(Hostile, OpenFilesAreBounded) {
    Request wanted = python("import os\ntry:\n    while True: os.open('/dev/null', os.O_RDONLY)\nexcept OSError as e: print(e.errno, os.open)\n");
    wanted.limits.open_files = 64;
    const Finished done = run(wanted);
    EXPECT_THAT(done.outcome.output.head, ::testing::StartsWith("24 "));
    EXPECT_EQ(done.outcome.limits.open_files, 64);
}

TEST_F(Hostile, StreamsAndInputStayItsOwn) {
    EXPECT_EQ(run(shell("echo again > /dev/stdout; echo more >> /proc/self/fd/1")).outcome.output.head, "again\nmore\n");
    const sys::Fd input = std::move(sys::memory_file("input", bytes_of("answer\n"), false)).value();  // Not sealed, mode 0777.
    Request wanted = shell("echo spoiled 2>/dev/null > /proc/self/fd/0; cat");
    wanted.stdin_fd = input.get();
    EXPECT_EQ(run(wanted).outcome.output.head, "answer\n");
    EXPECT_EQ(run(shell("exec 1>&- 2>&-; sleep 0.05; exit 4")).outcome.exit_code, 4);
}

TEST_F(Hostile, ManyRunsLeaveNoGroupBehind) {
    Job job = open_job();
    std::vector<std::string> groups;
    for (const std::string& group : find_groups(find_hierarchies(), "job0")) {
        if (group.contains(id_)) groups.push_back(group);
    }
    ASSERT_FALSE(groups.empty());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(run(job, shell("sleep 100 & exit 0")).outcome.exit_code, 0);
    for (const std::string& group : groups) {
        const Result<std::vector<std::string>> names = sys::list_directory(group);
        ASSERT_TRUE(names);
        // The last command's, which may be about to go, and the one that waits for the next.
        EXPECT_LE(std::ranges::count_if(*names, [](const std::string& name) { return name.starts_with("run"); }), 2);
    }
}

}  // namespace
}  // namespace assay::sandbox::testing
