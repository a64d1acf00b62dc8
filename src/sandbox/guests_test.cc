// What a trusted stage runs by /assay/run, which is there the program that people get.
#include <cstring>

#include "sandbox/fixture.hh"
#include "sandbox/guests.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

class GuestRuns : public SandboxTest {
protected:
    // A trusted command beside a sealed /work that holds `file` = "sealed".
    Finished harness(Job& job, const std::string& script) {
        Request wanted = python("import subprocess, sys, time, os\nRUN='/assay/run'\n"
                                "def run(*words, **how): return subprocess.run([RUN, *words], capture_output=True, text=True, **how)\n" + script,
                                "score");
        wanted.trust = Trust::trusted;
        wanted.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/out"};
        wanted.limits.cpu_ms = 10'000 * patience();
        wanted.limits.wall_ms = wall_ms;
        wanted.guests = GuestRules{.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/work", "USER=student"}};
        wanted.report = "results.json";
        Finished done = run(job, wanted);
        EXPECT_EQ(done.outcome.errors.head, "");
        return done;
    }
    Job built(const std::string& script = "echo sealed > file") {
        Job job = open_job();
        Request build = shell(script, "build");
        build.seal = true;
        EXPECT_EQ(run(job, build).outcome.exit_code, 0);
        return job;
    }
    std::int64_t wall_ms = 20'000 * patience();
};

TEST_F(GuestRuns, ProgramIsRunWithItsStreamsAndExitCode) {
    Job job = built();
    const Finished done = harness(job, R"PY(
r = run('--', 'sh', '-c', 'cat file; cat; echo wrong >&2; exit 7', input='given\n')
print(r.returncode, repr(r.stdout), repr(r.stderr))
r = run('--', 'sh', '-c', 'kill -SEGV $$')
print(r.returncode)
)PY");
    EXPECT_EQ(done.outcome.output.head, "7 'sealed\\ngiven\\n' 'wrong\\n'\n139\n");
}

// Each run starts from the sealed state; none sees what another wrote, and the harness sees none of it.
TEST_F(GuestRuns, WritesVanishWithTheRun) {
    Job job = built();
    const Finished done = harness(job, R"PY(
for i in range(2):
    r = run('--', 'sh', '-c', 'cat file; ls /tmp; echo changed > file; echo x > /tmp/left; echo x > /dev/shm/left; ls; pwd; id -u')
    print(repr(r.stdout))
print(open('/stages/build/file').read(), os.listdir('/out'), os.listdir('/tmp'))
)PY");
    EXPECT_EQ(done.outcome.output.head, "'sealed\\nfile\\n/work\\n1000\\n'\n'sealed\\nfile\\n/work\\n1000\\n'\nsealed\n [] []\n");
}

TEST_F(GuestRuns, NothingOfTheTrustedWorldIsSeen) {
    Job job = built();
    const Finished done = harness(job, R"PY(
open('/out/results.json', 'w').write('mine')
import socket
s = socket.socket(socket.AF_UNIX); s.bind('\0harness'); s.listen()
r = run('--', 'sh', '-c', 'ls -d /assay /grader /submission /stages /out; ls /proc | grep -c "^[0-9]"; ls /proc/self/fd | wc -l; env')
print(r.stdout)
r = run('--', 'python3', '-c', "import socket; socket.socket(socket.AF_UNIX).connect('\\0harness')")
print(r.returncode, 'ConnectionRefused' in r.stderr)
)PY");
    // Processes: init is hidden; sh, ls and grep or fewer. Descriptors: the three streams and ls's own.
    EXPECT_THAT(done.outcome.output.head, ::testing::MatchesRegex("[1-4]\n4\n(.*\n)*USER=student\n(.*\n)*\n1 True\n"));
    EXPECT_THAT(done.outcome.output.head, ::testing::Not(::testing::HasSubstr("/out")));
    EXPECT_EQ(text_of_report(done), "mine");
}

// The harness answers what it reads, and reads what it gets for it.
TEST_F(GuestRuns, StreamsGoBothWaysWhileItRuns) {
    Job job = built();
    const Finished done = harness(job, R"PY(
p = subprocess.Popen([RUN, '--', 'sh', '-c', 'while read n; do echo $((n * 2)); done; echo over'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
n = 1
for _ in range(5):
    p.stdin.write(f'{n}\n'); p.stdin.flush()
    n = int(p.stdout.readline())
p.stdin.close()
print(n, p.stdout.read().strip(), p.wait())
)PY");
    EXPECT_EQ(done.outcome.output.head, "32 over 0\n");
}

TEST_F(GuestRuns, ALimitEndsIt) {
    Job job = built();
    const Finished done = harness(job, R"PY(
print(run('--cpu', '100ms', '--', 'sh', '-c', 'while :; do :; done').returncode)
print(run('--wall', '100ms', '--', 'sleep', '20').returncode)
print(run('--memory', '32MiB', '--', 'python3', '-c', 'x = bytearray(100 << 20)').returncode)
r = run('--output', '1000', '--', 'sh', '-c', 'yes')
print(r.returncode, len(r.stdout))
print(run('--wall', '999999999ms', '--', 'true').returncode)
)PY");
    EXPECT_EQ(done.outcome.output.head, "124\n124\n124\n124 1000\n0\n");
    EXPECT_FALSE(done.outcome.oom_killed) << "the guest's end is not its stage's";
}

// A harness that leaves its pipes full must not hold up the guest's limits, nor the stage's end.
TEST_F(GuestRuns, AHarnessThatDoesNotReadHoldsNobodyUp) {
    Job job = built();
    wall_ms = 5'000 * patience();
    const Finished done = harness(job, R"PY(
p = subprocess.Popen([RUN, '--wall', '300ms', '--', 'sh', '-c', 'yes'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
q = subprocess.Popen([RUN, '--wall', '300ms', '--', 'sleep', '20'], stdin=subprocess.PIPE)
try: q.stdin.write(b'x' * 300000); q.stdin.close()
except BrokenPipeError: pass
print(q.wait())
print(run('--', 'echo', 'still served').stdout.strip())
)PY");
    EXPECT_EQ(done.outcome.output.head, "124\nstill served\n");
    EXPECT_FALSE(done.outcome.wall_exceeded);
}

TEST_F(GuestRuns, FourRunAtOnceAndTheOthersWait) {
    Job job = built();
    const Finished done = harness(job, R"PY(
def start():
    return subprocess.Popen([RUN, '--memory', '32MiB', '--', 'sh', '-c', 'echo ready; read x'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
four = [start() for _ in range(4)]
for p in four: p.stdout.readline()
fifth = start()
four[0].communicate(b'go\n')
print(fifth.stdout.readline())
for p in four[1:] + [fifth]: p.communicate(b'go\n')
print([p.returncode for p in four + [fifth]])
)PY");
    EXPECT_EQ(done.outcome.output.head, "b'ready\\n'\n[0, 0, 0, 0, 0]\n");
}

// Their memory together is bounded by the stage's: two that want all of it run one after the other.
TEST_F(GuestRuns, MemoryTogetherIsTheStages) {
    Job job = built();
    const Finished done = harness(job, R"PY(
two = [subprocess.Popen([RUN, '--', 'python3', '-c', 'x = bytearray(150 << 20); print(1)'], stdout=subprocess.PIPE) for _ in range(2)]
mine = bytearray(100 << 20)
print([p.communicate()[0] for p in two], [p.returncode for p in two])
)PY");
    EXPECT_EQ(done.outcome.output.head, "[b'1\\n', b'1\\n'] [0, 0]\n");
    EXPECT_FALSE(done.outcome.oom_killed);
}

TEST_F(GuestRuns, KillingTheAskingProgramEndsTheRun) {
    Job job = built();
    const Finished done = harness(job, R"PY(
p = subprocess.Popen([RUN, '--', 'sh', '-c', 'echo up; sleep 100'], stdout=subprocess.PIPE)
p.stdout.readline(); p.kill(); p.wait()
print(run('--', 'echo', 'next').stdout.strip())
)PY");
    EXPECT_EQ(done.outcome.output.head, "next\n");
}

// The fixture's end looks for processes, groups and mounts.
TEST_F(GuestRuns, TheStagesEndIsTheirs) {
    Job job = built();
    const Finished done = harness(job, R"PY(
p = subprocess.Popen([RUN, '--', 'sh', '-c', '(setsid sleep 100 &) ; echo up; sleep 100'], stdout=subprocess.PIPE)
print(p.stdout.readline())
os._exit(0)
)PY");
    EXPECT_EQ(done.outcome.exit_code, 0);
    EXPECT_EQ(run(job, shell("cat file")).outcome.output.head, "sealed\n");
}

TEST_F(GuestRuns, AnOrderThatIsNoneIsRefused) {
    Job job = built();
    const Finished done = harness(job, R"PY(
r = run('--'); print(r.returncode)
import socket
for order in (b'', b'x', b'x' * 70000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect('/assay/socket')
    if order: s.send(order)
    s.close()
r = run('--', '/no/such/program'); print(r.returncode, r.stderr.strip())
)PY");
    EXPECT_EQ(done.outcome.output.head, "125\n127 /no/such/program: No such file or directory\n");
}

TEST_F(GuestRuns, AssayIsThereForTheTrustedStageAlone) {
    Job job = built();
    EXPECT_EQ(run(job, shell("ls -d /assay; true")).outcome.output.head, "");
    Request wanted = shell("true");
    wanted.guests = GuestRules{};
    EXPECT_FALSE(job.run(wanted));
    const Finished done = harness(job, "r = run('--', 'sh', '-c', 'ls /assay; true'); print(repr(r.stdout))\n"
                                       "print(sorted(os.listdir('/assay')), oct(os.stat('/assay/run').st_mode & 0o222), os.access('/assay', os.W_OK))\n");
    EXPECT_EQ(done.outcome.output.head, "''\n['run', 'socket'] 0o0 False\n");
}

// The harness's own streams may be anything: files, a pipe that several share, sockets, closed ones. Their flags are its own.
TEST_F(GuestRuns, AnyStreamsOfTheHarnessWillDo) {
    Job job = built();
    const Finished done = harness(job, R"PY(
import fcntl, socket
open('in', 'w').write('from a file\n')
with open('in') as given, open('out', 'w') as out:
    out.write('before\n'); out.flush()
    print(subprocess.run([RUN, '--', 'cat'], stdin=given, stdout=out).returncode)
print(repr(open('out').read()))
a, b = socket.socketpair()
p = subprocess.Popen([RUN, '--', 'sh', '-c', 'read x; echo got $x; echo too >&2'], stdin=b, stdout=b, stderr=b)
b.close(); a.sendall(b'hello\n'); p.wait()
print(sorted(a.makefile('rb')))
r, w = os.pipe()
many = [subprocess.Popen([RUN, '--', 'sh', '-c', 'head -c 30000 /dev/zero | tr "\\0" x'], stdout=w) for _ in range(4)]
print(fcntl.fcntl(w, fcntl.F_GETFL) & os.O_NONBLOCK)
os.close(w)
print(len(open(r, 'rb').read()), [p.wait() for p in many])
os.mkfifo('pipe')
f = os.open('pipe', os.O_RDWR); g = os.open('pipe', os.O_RDONLY); os.write(f, b'left'); os.close(f)
print(run('--', 'cat', stdin=g))
print(subprocess.run(['sh', '-c', RUN + ' -- sh -c "cat; echo lost; exit 3" <&- >&- 2>&-']).returncode)
)PY");
    EXPECT_EQ(done.outcome.output.head,
              "0\n'before\\nfrom a file\\n'\n[b'got hello\\n', b'too\\n']\n0\n120000 [0, 0, 0, 0]\n"
              "CompletedProcess(args=['/assay/run', '--', 'cat'], returncode=0, stdout='left', stderr='')\n3\n");
}

// A stderr that nobody empties must not hold up stdout.
TEST_F(GuestRuns, OneFullStreamHoldsUpNoOther) {
    Job job = built();
    const Finished done = harness(job, R"PY(
r, w = os.pipe()
os.set_blocking(w, False)
try:
    while True: os.write(w, b'y' * 4096)
except BlockingIOError: os.set_blocking(w, True)
p = subprocess.Popen([RUN, '--wall', '10s', '--', 'sh', '-c', 'echo stuck >&2; echo through; read x; echo $x'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=w, text=True)
print(p.stdout.readline().strip())
p.stdin.write('both ways\n'); p.stdin.close()
print(p.stdout.readline().strip())
os.close(w)
print(len(open(r, 'rb').read().lstrip(b'y')), p.wait())
)PY");
    EXPECT_EQ(done.outcome.output.head, "through\nboth ways\n6 0\n");
}

TEST_F(GuestRuns, ItsReportIsOneJsonObject) {
    Job job = built();
    const Finished done = harness(job, R"PY(
import json
r, w = os.pipe()
p = subprocess.run([RUN, '--cpu=1s', '--report', str(w), '--', 'sh', '-c', r'printf "a\\tb\042\n"; printf "\377" >&2; exit 5'], pass_fds=[w], capture_output=True)
os.close(w)
told = json.load(open(r))
print(p.returncode, told['verdict'], told['exit_code'], repr(told['stdout']), repr(told['stderr']), told['limits']['cpu_ms'])
print(run('--report', '77', '--', 'true').returncode)
)PY");
    EXPECT_EQ(done.outcome.output.head, "5 failed 5 'a\\tb\"\\n' '\xEF\xBF\xBD' 1000\n125\n");
}

TEST_F(GuestRuns, FilesOfWorkAreHandedBackAsTheCommandLeftThem) {
    Job job = built("echo sealed > file; echo old > changed; mkdir d; echo deep > d/f; ln -s file link; ln -s d dir; echo gone > gone");
    Request wanted = shell("echo new > changed; rm gone; mkfifo pipe; echo made > d/made; truncate -s 17M big; chmod 000 d/f");
    wanted.files = {"file", "changed", "d/f", "d/made", "link", "dir/f", "gone", "pipe", "big", "d", "missing"};
    const Finished done = run(job, wanted);
    ASSERT_EQ(done.outcome.exit_code, 0) << done.outcome.errors.head;
    std::vector<std::string> texts;
    for (const sys::Fd& file : done.files) texts.push_back(file ? sys::read_all(file, 32 << 20).value() : "(none)");
    EXPECT_EQ(texts, (std::vector<std::string>{"sealed\n", "new\n", "deep\n", "made\n", "(none)", "(none)", "(none)", "(none)", "(none)", "(none)", "(none)"}));
    wanted.files = {"../file"};
    EXPECT_FALSE(job.run(wanted));
}

TEST(GuestLimits, AreCutDownToTheStages) {
    const model::Limits stage{.cpu_ms = 100, .wall_ms = 200, .memory_bytes = 400, .processes = 5, .output_bytes = 6, .disk_bytes = 100, .open_files = 8};
    model::Limits asked{.cpu_ms = -1, .wall_ms = -1, .memory_bytes = -1, .processes = -1, .output_bytes = -1, .disk_bytes = -1, .open_files = -1};
    EXPECT_EQ(guest_limits(asked, stage), stage);
    asked = {.cpu_ms = 50, .wall_ms = 999, .memory_bytes = 200, .processes = 99, .output_bytes = 0, .disk_bytes = -1, .open_files = 9};
    EXPECT_EQ(guest_limits(asked, stage),
              (model::Limits{.cpu_ms = 50, .wall_ms = 200, .memory_bytes = 200, .processes = 5, .output_bytes = 0, .disk_bytes = 50, .open_files = 8}));
}

TEST(GuestOrder, ArgumentsAreReadWithinTheirBounds) {
    GuestOrder order{};
    const auto put = [&](std::string_view bytes, std::size_t size) {
        std::memset(order.command, 0, sizeof order.command);
        bytes.copy(order.command, bytes.size());
        order.command_bytes = static_cast<std::uint32_t>(size);
        return arguments_of(order);
    };
    EXPECT_EQ(put(std::string_view{"a\0\0b\0", 5}, 5).value(), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_FALSE(put("a", 0));
    EXPECT_FALSE(put("ab", 2));
    EXPECT_FALSE(put(std::string_view{"\0", 1}, 1));
    EXPECT_FALSE(put("a", guest_command_bytes_max + 1));
    EXPECT_FALSE(put("a", 0xffffffff));
}

}  // namespace
}  // namespace assay::sandbox::testing
