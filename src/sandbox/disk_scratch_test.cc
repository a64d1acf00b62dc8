// Scratch on disk. A host whose groups bound no writes (cgroup version 1) has none: there each of these asks all the same, and is refused.
#include "sandbox/disk_scratch.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sandbox/fixture.hh"
#include "sandbox/root.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

constexpr std::int64_t mib = 1 << 20;

TEST(DiskScratchLayout, HasRoomForAllThatWasAskedFor) {
    for (const std::int64_t bytes :
         {4096L, 64L << 10, mib, 100 * mib + 1, 128 * mib, 130 * mib, 5L << 30, 20L << 30, 4L << 40}) {
        const DiskLayout layout = layout_of(bytes);
        EXPECT_EQ(layout.blocks % layout.blocks_per_group, 0) << bytes;
        EXPECT_THAT(layout.blocks_per_group, AllOf(Ge(256), Le(32768))) << bytes;
        EXPECT_EQ(layout.blocks_per_group % 8, 0) << bytes;
        EXPECT_GE(layout.inodes, model::inodes_of(bytes)) << bytes;
        EXPECT_GE(layout.blocks * 4096, bytes + layout.inodes * 256) << bytes;
        EXPECT_LE(layout.blocks * 4096, model::disk_scratch_bytes(bytes)) << bytes;
    }
}

TEST(DiskScratchBound, IsWrittenAsVersion2HasIt) {
    EXPECT_EQ(io_max_both_ways("7:3", {.mib_per_s = 8, .reads_per_s = 500}),
              "7:3 rbps=8388608 wbps=8388608 riops=500 wiops=500");
}

// Loop devices in use whose file lies in `folder`: their names.
std::vector<std::string> devices_of(const std::string& folder) {
    std::vector<std::string> found;
    for (const std::string& name : sys::list_directory("/sys/block").value()) {
        if (name.starts_with("loop") && read_control("/sys/block/" + name + "/loop/backing_file").starts_with(folder))
            found.push_back(name);
    }
    return found;
}
// A device goes when the kernel has nothing else to do, or somebody who looked at it has closed it.
bool gone(const std::string& folder) {
    const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::seconds{10 * patience()};
    while (!devices_of(folder).empty()) {
        if (sys::system_clock().now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

std::string make_folder() {
    std::string folder = "/var/tmp/assay-scratch-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    return folder;
}

// Mounts that nobody else sees, and that are gone with it.
class OwnMounts {
public:
    OwnMounts() {
        EXPECT_EQ(::unshare(CLONE_NEWNS), 0);
        EXPECT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    }
    OwnMounts(const OwnMounts&) = delete;
    OwnMounts& operator=(const OwnMounts&) = delete;
    ~OwnMounts() { EXPECT_EQ(::setns(before_.get(), CLONE_NEWNS), 0); }

private:
    const sys::Fd before_{::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)};
};

// What needs no control group, on every host.
TEST(DiskScratchFile, HoldsWhatItPromisesAndLeavesNothing) {
    if (::geteuid() != 0) GTEST_SKIP() << "devices are made by root";
    const OwnMounts own;
    const std::string folder = make_folder();
    const DiskScratch scratch{
        {.folder = folder, .mib_max = 64, .free_bytes_min = 0}, {}, first_uid_for("f") + 64, std::nullopt};
    for (const std::int64_t bytes : {64L << 10, 5 * mib, 40 * mib}) {
        const std::string at = folder + "/at";
        std::string device;
        const Result<> mounted = scratch.mount(at, bytes, [&](const std::string& number) -> Result<> {
            device = number;
            return ok;
        });
        ASSERT_TRUE(mounted) << mounted.error().text();
        EXPECT_TRUE(device.starts_with("7:")) << device;
        EXPECT_EQ(sys::list_directory(folder).value(), std::vector<std::string>{"at"}) << "its file has a name";
        ASSERT_TRUE(make_scratch_folders(at, 0));
        const Result<Room> room = room_of(at);
        ASSERT_TRUE(room);
        EXPECT_THAT(room->bytes, AllOf(Ge(bytes), Le(bytes + bytes / 50 + mib)));
        EXPECT_FALSE(room->full);
        const sys::Fd file{::open((at + "/work/all").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
        EXPECT_TRUE(sys::write_all(file, std::string(static_cast<std::size_t>(bytes), 'x')));
        const std::string more(64 << 10, 'x');  // Newer kernels refuse a write as a whole that does not fit.
        std::int64_t beyond = 0;
        while (sys::write_all(file, more)) beyond += std::ssize(more);
        EXPECT_LE(beyond, bytes / 50 + mib);
        EXPECT_TRUE(room_of(at)->full);
        drop_scratch(at);
    }
    EXPECT_TRUE(gone(folder));
    EXPECT_EQ(::rmdir(folder.c_str()), 0);
}

TEST(DiskScratchFile, LeavesItsDeviceToNobodyWhenItCannotBeBound) {
    if (::geteuid() != 0) GTEST_SKIP() << "devices are made by root";
    const OwnMounts own;
    const std::string folder = make_folder();
    const DiskScratch scratch{
        {.folder = folder, .mib_max = 64, .free_bytes_min = 0}, {}, first_uid_for("f") + 64, std::nullopt};
    EXPECT_FALSE(
        scratch.mount(folder + "/at", mib, [](const std::string&) -> Result<> { return Error{Fault::system, "no"}; }));
    EXPECT_TRUE(gone(folder));
    EXPECT_EQ(::rmdir(folder.c_str()), 0);
}

class OnDisk : public SandboxTest {
protected:
    void SetUp() override {
        SandboxTest::SetUp();
        if (IsSkipped()) return;
        folder_ = make_folder();
        begin({});
    }
    void TearDown() override {
        SandboxTest::TearDown();
        if (folder_.empty()) return;
        EXPECT_TRUE(gone(folder_)) << "a device is left";
        EXPECT_EQ(::rmdir(folder_.c_str()), 0) << "files are left";
    }
    void begin(const DiskPace& pace, std::int64_t free_bytes_min = mib, int mib_max = 256) {
        restart(false, {}, 0, pace, {.folder = folder_, .mib_max = mib_max, .free_bytes_min = free_bytes_min});
    }
    static Request on_disk(const std::string& script, std::string stage = "test") {
        Request request = shell(script, std::move(stage));
        request.scratch = model::Scratch::disk;
        request.limits.disk_bytes = 32 * mib;
        return request;
    }
    // This host has none: whoever asks is told, and gets nothing else instead.
    static bool refused_here(Job& job, const Request& request) {
        if (no_disk_scratch().empty()) return false;
        const Result<Finished> finished = job.run(request);
        EXPECT_FALSE(finished);
        if (!finished) EXPECT_THAT(finished.error().text(), HasSubstr(no_disk_scratch()));
        return true;
    }
    static std::string refusal(Job& job, const Request& request) {
        const Result<Finished> finished = job.run(request);
        return finished ? "it ran" : finished.error().text();
    }
    std::string folder_;
};

TEST_F(OnDisk, IsRefusedWithTheReasonWhereItCannotBeHad) {
    {
        Job job = open_job();
        Request trusted = on_disk("true");
        trusted.trust = Trust::trusted;
        EXPECT_THAT(refusal(job, trusted), HasSubstr("a trusted stage writes to memory"));
        Request large = on_disk("true");
        large.limits.disk_bytes = 257 * mib;
        EXPECT_THAT(
            refusal(job, large),
            HasSubstr(no_disk_scratch().empty() ? "257 MiB are more than 256 MiB; ask for less" : "cgroup version 2"));
        EXPECT_EQ(run(job, shell("echo goes on")).outcome.output.head, "goes on\n");
    }
    begin({}, mib, 0);
    Job job = open_job();
    EXPECT_THAT(refusal(job, on_disk("true")), HasSubstr("this server offers none; set scratch_disk_mib_max"));
}

TEST_F(OnDisk, IsRefusedAtTheBeginningWhenTheDiskIsFull) {
    begin({}, 1LL << 50);
    Job job = open_job();
    if (refused_here(job, on_disk("true"))) return;
    EXPECT_THAT(refusal(job, on_disk("true")),
                AllOf(HasSubstr("would be free on the disk of " + folder_), HasSubstr("ask for less")));
    EXPECT_TRUE(gone(folder_));
}

TEST_F(OnDisk, BeyondItsBytesOrInodesIsNoSpace) {
    Job job = open_job();
    if (refused_here(job, on_disk("true"))) return;
    const Finished full =
        run(job, on_disk("dd if=/dev/zero of=full bs=64k 2>&1 | grep -o 'No space left'; stat -c %s full; false"));
    EXPECT_TRUE(full.outcome.disk_full);
    EXPECT_TRUE(full.outcome.output.head.starts_with("No space left\n")) << full.outcome.output.head;
    const std::int64_t held = to_number(full.outcome.output.head.substr(14)).value_or(0);
    EXPECT_THAT(held, AllOf(Ge(32 * mib), Le(33 * mib)));
    EXPECT_EQ(full.outcome.scratch, model::Scratch::disk);
    EXPECT_THAT(full.outcome.limits.disk_bytes, AllOf(Ge(32 * mib), Le(33 * mib)));

    Request many = python(
        "import os, sys\n"
        "try:\n"
        "    for i in range(20000): os.mknod(str(i))\n"
        "except OSError as error: print(i, error.errno)\n"
        "sys.exit(1)\n");
    many.scratch = model::Scratch::disk;
    many.limits.disk_bytes = 4 * mib;
    const Finished used = run(job, many);
    EXPECT_TRUE(used.outcome.disk_full);
    EXPECT_THAT(used.outcome.output.head, HasSubstr(" 28\n"));
    EXPECT_THAT(std::atoi(used.outcome.output.head.c_str()), AllOf(Ge(1024), Le(1064)));
    EXPECT_FALSE(run(job, on_disk("echo x > x")).outcome.disk_full);
}

// What it writes is no memory of its own: several times that goes through, and is counted once.
TEST_F(OnDisk, SeveralTimesItsMemoryIsWrittenAndCountedOnce) {
    Job job = open_job();
    Request writer = on_disk(
        "dd if=/dev/zero of=large bs=64k count=2560 conv=fsync 2>/dev/null && stat -c %s large && cat large | cksum");
    writer.limits.memory_bytes = 32 * mib;
    writer.limits.disk_bytes = 192 * mib;
    if (refused_here(job, writer)) return;
    const model::Outcome outcome = run(job, writer).outcome;
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors.head;
    EXPECT_FALSE(outcome.oom_killed);
    EXPECT_THAT(outcome.output.head, HasSubstr("167772160\n"));
    EXPECT_LE(outcome.memory_peak_bytes, 32 * mib);
    ASSERT_TRUE(outcome.io_write_bytes);
    EXPECT_THAT(*outcome.io_write_bytes, AllOf(Ge(160 * mib), Le(180 * mib)));
    ASSERT_TRUE(outcome.io_read_bytes);
    EXPECT_THAT(*outcome.io_read_bytes, AllOf(Ge(100 * mib), Le(180 * mib))) << "most of it was no longer in memory";
    EXPECT_EQ(outcome.guarantees.disk, model::Guarantee::exact);

    writer.limits.io_bytes = 64 * mib;
    const model::Outcome cut = run(job, writer).outcome;
    EXPECT_TRUE(cut.io_exceeded);
    EXPECT_EQ(cut.signal, SIGKILL);
}

TEST_F(OnDisk, IsWrittenNoFasterThanItMay) {
    begin({.mib_per_s = 8, .reads_per_s = 500});
    Job job = open_job();
    const Request writer = on_disk(
        "dd if=/dev/zero of=large bs=64k count=384 conv=fsync 2>/dev/null; cp large large2; rm large large2; echo");
    if (refused_here(job, writer)) return;
    const model::Outcome outcome = run(job, writer).outcome;
    EXPECT_GE(outcome.wall_ms, 2400) << "24 MiB at 8 MiB/s";
    for (const std::string& group : find_groups(find_hierarchies(), "job0"))
        if (group.contains(commands_group(id_)))
            EXPECT_THAT(read_control(group + "/io.max"), HasSubstr(" rbps=8388608 wbps=8388608 riops=500 wiops=500\n"));
    RecordProperty("mib_per_s", std::to_string(24 * 1000 / outcome.wall_ms));
}

TEST_F(OnDisk, IsSealedAndSeenByTheNextStages) {
    Job job = open_job();
    const sys::Fd tree = archive("a=one\nkeep/\nkeep/x=x\n");
    Request first =
        on_disk("cat a; ls; echo changed > a; head -c 9M /dev/zero > large; echo junk > /tmp/junk", "train");
    first.submission = Fill{.archive = tree.get(), .prefix = ""};
    first.seal = true;
    if (refused_here(job, first)) return;
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(run(job, first).outcome.output.head, "onea\nkeep\n") << i;
        first.again = true;
    }
    // In memory above what is on disk, and the other way round.
    EXPECT_EQ(run(job, shell("cat a; rm -r keep; ls; stat -c %s large; ls /tmp")).outcome.output.head,
              "changed\na\nlarge\n9437184\n");
    Request second = on_disk("cat a; rm -r keep; mv large moved; echo result > out", "second");
    second.seal = true;
    second.files = {"out", "a", "none"};
    const Finished done = run(job, second);
    EXPECT_EQ(done.outcome.output.head, "changed\n") << done.outcome.errors.head;
    ASSERT_TRUE(done.files[0]);
    EXPECT_EQ(sys::read_all(done.files[0], 100).value(), "result\n");
    EXPECT_EQ(sys::read_all(done.files[1], 100).value(), "changed\n");
    Request trusted =
        shell("cd /stages; ls train second; cat second/out; stat -c %s second/moved; touch second/x", "score");
    trusted.trust = Trust::trusted;
    trusted.environment = {"PATH=/usr/bin:/bin", "HOME=/out"};
    const Finished seen = run(job, trusted);
    EXPECT_EQ(seen.outcome.output.head, "second:\na\nmoved\nout\n\ntrain:\na\nkeep\nlarge\nresult\n9437184\n");
    EXPECT_NE(seen.outcome.exit_code, 0) << "it is read-only";
}

// A sandbox that waits has its scratch in memory, whoever asks next.
TEST_F(OnDisk, IsNeverMadeAhead) {
    Job job = open_job();
    if (refused_here(job, on_disk("true"))) return;
    EXPECT_EQ(run(job, shell("true")).outcome.exit_code, 0);
    (void)job.prepared(sys::system_clock().now() + std::chrono::seconds{patience()});
    const Finished on = run(job, on_disk("df --output=fstype /work | tail -n 1"));
    EXPECT_FALSE(on.ahead);
    EXPECT_EQ(on.outcome.output.head, "ext4\n");
    EXPECT_EQ(run(job, shell("df --output=fstype /work | tail -n 1")).outcome.output.head, "tmpfs\n");
    EXPECT_TRUE(gone(folder_));
}

// Whoever waits for the same disk goes on beside the worst that can be written to it.
TEST_F(OnDisk, AStormOfWritesLeavesANeighboursSyncsAlone) {
    begin({.mib_per_s = 16, .reads_per_s = 200});
    Job job = open_job();
    Request storm = on_disk("while :; do dd if=/dev/zero of=large bs=64k count=1536 conv=fsync 2>/dev/null; done");
    storm.limits.memory_bytes = 32 * mib;
    storm.limits.disk_bytes = 128 * mib;
    storm.limits.wall_ms = 4000 + 400LL * patience();
    if (refused_here(job, storm)) return;
    model::Outcome outcome;
    std::atomic<bool> over{false};
    std::thread writer{[&] {
        outcome = run(job, storm).outcome;
        over = true;
    }};
    const sys::Fd file{::open((folder_ + "/neighbour").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    EXPECT_EQ(::unlink((folder_ + "/neighbour").c_str()), 0);
    std::vector<double> took_ms;
    while (!over) {
        const sys::TimePoint begin = sys::system_clock().now();
        EXPECT_TRUE(sys::write_all(file, std::string(4096, 'x')));
        EXPECT_EQ(::fsync(file.get()), 0);
        took_ms.push_back(sys::ms_of(sys::system_clock().now() - begin));
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    writer.join();
    EXPECT_TRUE(outcome.wall_exceeded);
    EXPECT_FALSE(outcome.oom_killed) << "what waits to be written is not what it ends for";
    std::ranges::sort(took_ms);
    ASSERT_GT(took_ms.size(), 20U);
    RecordProperty("fsync_ms_median", std::to_string(took_ms[took_ms.size() / 2]));
    RecordProperty("fsync_ms_most", std::to_string(took_ms.back()));
}

TEST_F(OnDisk, NothingIsLeftWhoeverIsKilled) {
    {
        Job job = open_job();
        if (refused_here(job, on_disk("true"))) return;
    }
    for (const bool helper_too : {false, true}) {
        std::optional<Job> job{open_job()};
        std::thread runner{[&] { (void)job->run(on_disk("head -c 16M /dev/zero > large; sleep 1000")); }};
        const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::seconds{10 * patience()};
        while (devices_of(folder_).empty() && sys::system_clock().now() < deadline) std::this_thread::yield();
        EXPECT_FALSE(devices_of(folder_).empty());
        // Somewhere in its beginning; nothing waits for this.
        std::this_thread::sleep_for(std::chrono::milliseconds{20 * patience()});
        const std::string helper = std::to_string(helper_.pid);
        const std::string keepers = read_control("/proc/" + helper + "/task/" + helper + "/children");
        if (helper_too) EXPECT_EQ(::kill(helper_.pid, SIGKILL), 0);
        for (const std::string_view keeper : split(trimmed(keepers), ' '))
            EXPECT_EQ(::kill(std::atoi(std::string{keeper}.c_str()), SIGKILL), 0);
        runner.join();
        job.reset();
        EXPECT_TRUE(gone(folder_)) << (helper_too ? "the helper" : "the keeper");
    }
    ::waitpid(helper_.pid, nullptr, 0);
    helper_.pid = 0;
    EXPECT_TRUE(clean_leftovers(id_));
}

}  // namespace
}  // namespace assay::sandbox::testing
