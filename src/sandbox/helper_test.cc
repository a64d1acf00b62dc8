// The helper as a process: what ends with it, what a later start cleans, the roles it starts, the pure parts.
#include "sandbox/helper.hh"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "sandbox/capture.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/command.hh"
#include "sandbox/fixture.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::sandbox::testing {
namespace {

using namespace std::chrono_literals;

// The role that the tests start from this very program: says who it is on its first descriptor, then waits for its end.
const bool was_role = [] {
    std::string words;
    std::getline(std::ifstream{"/proc/self/cmdline"}, words);
    if (words != std::string{"assay\0test-role\0", 16}) return false;
    std::string facts = std::to_string(::getuid()) + " " + std::to_string(sys::list_directory("/proc/self/fd").value().size());
    Client client{sys::Fd{4}};
    Result<Job> job = client.open_job(5, 64 << 20);
    facts += job ? " job" : " " + job.error().text();
    (void)sys::write_all(sys::Fd{3}, facts);
    ::_exit(7);
    return true;
}();

class HelperProcess : public SandboxTest {
protected:
    // Of this test's own helper: others may run at the same time.
    bool has_group(const std::string& name) const {
        const std::vector<std::string> found = find_groups(find_hierarchies(), name);
        return std::ranges::any_of(found, [&](const std::string& path) { return path.contains("/assay-" + id_ + "/"); });
    }
    // The process of this test's helper that serves its slots: tests that ask use one slot.
    int keeper() const {
        for (const std::string& name : sys::list_directory("/proc").value()) {
            const Result<std::string> status = sys::read_file("/proc/" + name + "/status", 64 << 10);
            if (status && status->contains("Name:\tassay-keeper") && status->contains("\nPPid:\t" + std::to_string(helper_.pid) + "\n")) return std::stoi(name);
        }
        return 0;
    }
    // All that a keeper could have kept of its jobs: mounts, groups, descriptors. How many groups of commands wait for a next one, and with
    // which controllers, differs from time to time; that they are few does not.
    std::string kept_by(int pid) const {
        constexpr int waiting_max = 4;
        const std::string process = "/proc/" + std::to_string(pid);
        std::string kept = sys::read_file(process + "/mountinfo", 1 << 20).value();
        for (const std::string& group : find_groups(find_hierarchies(), "job0")) {
            if (group.contains("/assay-" + id_ + "/")) kept += group + "\n";
        }
        std::multiset<std::string> open;
        std::map<std::string, int> open_of_waiting;
        for (const std::string& fd : sys::list_directory(process + "/fd").value()) {
            std::error_code gone;
            const std::string file = std::filesystem::read_symlink(process + "/fd/" + fd, gone).string();
            const std::size_t run = file.find("/job0/run");
            if (file.contains("eventfd") || run != file.npos) {
                const std::size_t name = run == file.npos ? 0 : file.find('/', run + 9);
                const std::string tree = run == file.npos ? "" : file.substr(0, run);
                EXPECT_LE(++open_of_waiting[tree + (name == file.npos ? "" : file.substr(name))], waiting_max) << file;
            } else {
                open.insert(file.substr(0, file.find('[')));  // Of a socket that it is one: each job has its own.
            }
        }
        for (const std::string& file : open) kept += file + "\n";
        return kept;
    }
    // `sleep 1000` as a command of this test's `slot`: what only waits for a command does not count.
    bool sleeps(int slot) const {
        for (const std::string& name : sys::list_directory("/proc").value()) {
            const Result<std::string> status = sys::read_file("/proc/" + name + "/status", 64 << 10);
            if (!status || !status->contains("\nUid:\t" + std::to_string(first_uid_for(id_) + static_cast<std::uint32_t>(slot)) + "\t")) continue;
            const Result<std::string> line = sys::read_file("/proc/" + name + "/cmdline", 4096);
            if (line && line->contains("sleep")) return true;
        }
        return false;
    }
};

// What can be handed on in one message is the sockets' bound, and the refusal says the number that holds.
TEST(HelperClient, MoreDescriptorsThanAMessageTakesAreRefusedWithTheNumber) {
    const std::vector<int> many(sys::passed_fds_max, STDIN_FILENO);
    const auto refused = spawn_role(Helper{}, "runner", many);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), "a role takes at most " + std::to_string(sys::passed_fds_max - 1) + " descriptors");
}

TEST_F(HelperProcess, StartsARoleWithItsOwnIdentityAndConnection) {
    auto pipe = std::move(sys::make_pipe()).value();
    Result<Role> role = spawn_role(helper_, "test-role", {pipe.second.get()});
    ASSERT_TRUE(role) << role.error().text();
    pipe.second.reset();
    const std::string uid = std::to_string(first_uid_for(id_) + runner_uid_offset);
    // 0, 1, 2, the pipe, the connection, and the one that lists.
    EXPECT_EQ(sys::read_all(pipe.first, 4096).value(), uid + " 6 job");
    EXPECT_TRUE(sys::wait_readable(role->pidfd, sys::system_clock().now() + 10s).value());
    EXPECT_FALSE(spawn_role(helper_, "../bad", {}));
}

// Killed without a chance to clean up: its keepers notice and end what they keep.
TEST_F(HelperProcess, AKilledHelperTakesItsSandboxesAlong) {
    std::optional<Job> job{open_job()};
    std::thread runner{[&] { EXPECT_FALSE(job->run(shell("sleep 1000"))); }};
    while (!sleeps(0)) std::this_thread::yield();
    ::kill(helper_.pid, SIGKILL);
    runner.join();
    job.reset();  // Returns when the keeper is gone.
    EXPECT_FALSE(sleeps(0));
    ::waitpid(helper_.pid, nullptr, 0);
    helper_.pid = 0;
    EXPECT_TRUE(clean_leftovers(id_));
}

TEST_F(HelperProcess, AJobThatIsDroppedWhileItRunsIsEnded) {
    const Result<sys::Fd> socket = connect_client(helper_);
    const pid_t runner = ::fork();  // A runner that is killed in the middle of a run.
    if (runner == 0) {
        Client client{std::move(sys::duplicate(*socket)).value()};
        Result<Job> job = client.open_job(9, 64 << 20);
        if (job) (void)job->run(shell("sleep 1000", "orphan"));
        ::_exit(0);
    }
    while (!sleeps(9)) std::this_thread::yield();
    ::kill(runner, SIGKILL);
    ::waitpid(runner, nullptr, 0);
    while (has_group("job9")) std::this_thread::yield();  // The test's own time limit bounds it.
}

TEST_F(HelperProcess, ALaterStartRemovesWhatAKilledOneLeft) {
    std::optional<Job> job{open_job()};
    const Request wanted = shell("sleep 1000");
    std::thread runner{[&] { (void)job->run(wanted); }};
    while (!sleeps(0)) std::this_thread::yield();
    EXPECT_TRUE(clean_leftovers(id_));  // Takes the helper, the keeper and the command with it.
    runner.join();
    job.reset();
    EXPECT_TRUE(find_groups(find_hierarchies(), "assay-" + id_).empty());
    ::waitpid(helper_.pid, nullptr, 0);
    helper_.pid = 0;
}

// The same process serves a slot's jobs, and some of the groups are the same: neither may be able to tell that there was one before.
TEST_F(HelperProcess, AJobIsNothingToTheNext) {
    std::string kept;
    for (int round = 0; round < 6; ++round) {
        {
            Job job = open_job();
            Request heavy = python("x = bytearray(b'x') * (100 << 20)\nimport time\nwhile time.process_time() < 0.6: pass\nopen('left', 'w').write('x')");
            heavy.seal = true;
            EXPECT_EQ(run(job, heavy).outcome.exit_code, 0);
            Request full = python("x = bytearray(b'x') * (100 << 20)");
            full.limits.memory_bytes = 32LL << 20;
            if (round % 2 == 0) EXPECT_TRUE(run(job, full).outcome.oom_killed);
        }
        std::optional<Job> job{open_job()};
        const Finished light = run(*job, shell("ls -A . /tmp /dev/shm; nproc >/dev/null"));
        EXPECT_EQ(light.outcome.output.text(), ".:\n\n/dev/shm:\n\n/tmp:\n");
        EXPECT_LT(light.outcome.cpu_user_ms + light.outcome.cpu_system_ms, 500);
        EXPECT_LT(light.outcome.memory_peak_bytes, 50 << 20);
        EXPECT_LT(light.outcome.processes_peak, 8);
        EXPECT_FALSE(light.outcome.oom_killed);
        // One after the other at once: what they leave goes together.
        for (int i = 0; i < 9; ++i)
            EXPECT_EQ(run(*job, shell(i % 4 == 3 ? "echo x > left" : ":")).outcome.exit_code, 0);
        job.reset();  // Returns when the keeper is at rest.
        if (round == 2) kept = kept_by(keeper());
    }
    EXPECT_EQ(kept_by(keeper()), kept);
}

// Some kernels (6.18) kill whatever is born into a group whose members were killed once. The commands of a slot are killed all at once when
// the server takes a job away: at rest between two jobs, as here, or in the middle of one.
TEST_F(HelperProcess, ASlotWhoseCommandsWereKilledServesTheNextJob) {
    for (int round = 0; round < 3; ++round) {
        {
            Job job = open_job();
            for (int i = 0; i < 3; ++i) EXPECT_EQ(run(job, shell("echo fine")).outcome.output.head, "fine\n");
        }
        const int before = keeper();
        ASSERT_TRUE(end_commands(helper_, 0));
        EXPECT_FALSE(spawn_role(helper_, "../bad", {}));  // Its answer comes when that has been done.
        Job job = open_job();
        for (int i = 0; i < 3; ++i) EXPECT_EQ(run(job, shell("echo fine")).outcome.output.head, "fine\n") << "round " << round;
        EXPECT_NE(keeper(), before);
        std::thread taken_away{[&] {
            while (!sleeps(0)) std::this_thread::yield();
            EXPECT_TRUE(end_commands(helper_, 0));
        }};
        EXPECT_EQ(run(job, shell("sleep 1000")).outcome.signal, SIGKILL);
        taken_away.join();
    }
}

// As after kill -9 of a server that is started again at once: the helper of before ends at the same time, and its groups have the same names.
TEST_F(HelperProcess, ASuccessorOutlivesTheOneBefore) {
    stop();
    const std::string folder = ::testing::TempDir() + "turn-" + id_;
    ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
    constexpr int rounds = 150;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
        const int before = std::exchange(helper_.pid, 0);
        Result<Helper> next = start_helper({.directory_id = id_, .first_uid = first_uid_for(id_), .turn_directory = folder});
        if (before > 0) EXPECT_EQ(::waitpid(before, nullptr, 0), before);
        ASSERT_TRUE(next) << "round " << round << ": " << next.error().text();
        const Result<Role> refused = spawn_role(*next, "../bad", {});
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().text(), ::testing::HasSubstr("a role's name")) << "round " << round << ": it does not live";
        helper_ = std::move(*next);
        helper_.control.reset();
        if (round % 2 == 1) EXPECT_TRUE(clean_leftovers(id_));
    }
    stop();
    ::rmdir(folder.c_str());
}

TEST_F(HelperProcess, ANetworkOfItsOwnIsOfOneCommand) {
    const auto networks = [&] {
        Job job = open_job();
        std::set<std::string> seen;
        for (int i = 0; i < 3; ++i) seen.insert(run(job, shell("readlink /proc/self/ns/net")).outcome.output.text());
        EXPECT_THAT(*seen.begin(), ::testing::StartsWith("net:["));
        return seen.size();
    };
    EXPECT_EQ(networks(), 1U);
    stop();
    Result<Helper> helper = start_helper({.directory_id = id_, .first_uid = first_uid_for(id_), .network_each = true});
    ASSERT_TRUE(helper) << helper.error().text();
    helper_ = std::move(*helper);
    client_.emplace(connect_client(helper_).value());
    EXPECT_EQ(networks(), 3U);
}

// What is handed in runs when nothing else wants the processor; who builds, watches and ends it does not wait in that line.
TEST_F(HelperProcess, CommandsComeLastAndTheirKeepersDoNot) {
    Job job = open_job();
    int idle = 0;
    for (const std::string& group : find_groups(find_hierarchies(), commands_group(id_))) {
        const Result<std::string> text = sys::read_file(group + "/cpu.idle", 16);
        if (text) idle += trimmed(*text) == "1";
    }
    EXPECT_EQ(idle, 1) << "in the one tree that has the controller";
    const Result<std::string> line = sys::read_file("/proc/" + std::to_string(helper_.pid) + "/cgroup", 4096);
    ASSERT_TRUE(line);
    EXPECT_TRUE(line->contains("/" + helper_group(id_))) << *line;
    EXPECT_FALSE(line->contains("/" + commands_group(id_) + "/")) << *line;
}

// As a service manager's unit has one: beside all services, not in the one of the server.
TEST_F(HelperProcess, CommandsLodgeInTheGroupThatIsTheirs) {
    const std::vector<Hierarchy> trees = find_hierarchies();
    const auto turns = std::ranges::find_if(trees, [](const Hierarchy& tree) { return tree.serves(Controller::cpu); });
    ASSERT_NE(turns, trees.end());
    const std::string name = "assay-lodge-" + id_;
    const std::string place = turns->mount + "/" + name;
    ASSERT_EQ(::mkdir(place.c_str(), 0755), 0);
    restart(true, {}, 0, {}, {}, name);
    {
        Job job = open_job();
        EXPECT_EQ(run(job, shell("exit 3")).outcome.exit_code, 3);
        EXPECT_EQ(::access((place + "/" + job_group(commands_group(id_), 0)).c_str(), F_OK), 0);
        for (const std::string& group : find_groups(trees, commands_group(id_))) {
            if (group.starts_with(turns->mount + "/")) EXPECT_EQ(group, place + "/" + commands_group(id_));
        }
        for (const std::string& group : find_groups(trees, helper_group(id_)))
            EXPECT_FALSE(group.contains(name)) << group;
    }
    // The unit was stopped, and started again: first commands are where they are without it.
    ASSERT_TRUE(kill_and_remove({place}, sys::system_clock().now() + 5s));
    EXPECT_EQ(run(shell("exit 4")).outcome.exit_code, 4);
    EXPECT_EQ(::access((turns->own + "/" + commands_group(id_)).c_str(), F_OK), 0);
    ASSERT_EQ(::mkdir(place.c_str(), 0755), 0);
    stop();
    EXPECT_EQ(::rmdir(place.c_str()), 0) << "something is left in it";
}

TEST(Lodging, IsWhereATreeHasIt) {
    const std::vector<Hierarchy> trees = find_hierarchies();
    const auto places = [](const std::vector<Hierarchy>& all) {
        std::vector<std::string> own;
        for (const Hierarchy& tree : all) own.push_back(tree.own);
        return own;
    };
    EXPECT_EQ(places(lodge(trees, "")), places(trees));
    EXPECT_EQ(places(lodge(trees, "no-such-group")), places(trees));
}

// `assay run` on a host without groups: everything still works, and what is not exact says so.
TEST_F(HelperProcess, WithoutGroupsLimitsAreApproximate) {
    const pid_t other = ::fork();  // A host of its own: the same, without the group file systems.
    if (other == 0) {
        const auto check_all = [&]() -> int {
            if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 10;
            const std::vector<Hierarchy> found = find_hierarchies();
            for (const Hierarchy& hierarchy : found) (void)::umount2(hierarchy.mount.c_str(), MNT_DETACH);
            if (!find_hierarchies().empty() || check_host().can_grade) return 11;
            const std::string id = "00000000" + id_.substr(8);
            Result<Helper> helper = start_helper({.directory_id = id, .first_uid = first_uid_for(id)});
            if (!helper) return 12;
            Client client{std::move(connect_client(*helper)).value()};
            const auto outcome = [&](const Request& wanted) {
                Job job = std::move(client.open_job(0, 1LL << 30)).value();
                return job.run(wanted).value().outcome;
            };
            if (outcome(shell("echo fine")).output.head != "fine\n") return 13;
            if (outcome(shell("true")).guarantees.memory != model::Guarantee::approximate) return 14;
            Request hungry = python("x = bytearray(400 << 20)");
            if (outcome(hungry).exit_code != 1) return 15;  // MemoryError
            Request busy = shell("while :; do :; done");
            busy.limits.cpu_ms = 500;
            const model::Outcome cut = outcome(busy);
            if (cut.signal != SIGKILL || !cut.cpu_exceeded || cut.memory_peak_bytes == 0) return 16;
            helper->control.reset();
            return ::waitpid(helper->pid, nullptr, 0) == helper->pid ? 0 : 18;
        };
        ::_exit(check_all());
    }
    int status = 0;
    ::waitpid(other, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(HelperProcess, CleaningTouchesOnlyItsOwn) {
    Job job = open_job();
    EXPECT_TRUE(clean_leftovers("0123456789abcdef"));
    EXPECT_EQ(run(job, shell("echo alive")).outcome.output.head, "alive\n");
}

TEST(HostUids, LieInTheRangeNobodyGivesOut) {
    for (const char* const id : {"", "0000000000000000", "ffffffffffffffff", "0123456789abcdef"}) {
        const std::uint32_t first = first_uid_for(id);
        EXPECT_GE(first, 0x70000000U);
        EXPECT_LT(first + 255, 0x80000000U);
        EXPECT_EQ(first % 256, 0U);
    }
    EXPECT_NE(first_uid_for("0123456789abcdef"), first_uid_for("0123456789abcdee"));
}

TEST(HostUids, InAContainerAreOfThoseItHas) {
    constexpr std::uint32_t host = 0x70000000;
    EXPECT_EQ(first_uid_in("         0          0 4294967295\n", 1), host + 256);
    EXPECT_EQ(first_uid_in("", 1), host + 256) << "not known";
    const char* const rootless = "         0       1001          1\n         1     100000      65535\n";
    EXPECT_EQ(first_uid_in(rootless, 0), 4096U);
    EXPECT_EQ(first_uid_in(rootless, 1), 4352U);
    for (const std::uint32_t hash : {7U, 238U, 239U, 240U, 4294967295U}) EXPECT_LE(first_uid_in(rootless, hash) + 255, 65'279U) << "nobody is 65534";
    EXPECT_EQ(first_uid_in("0 100000 65536\n", 239), 4096U);
    EXPECT_EQ(first_uid_in("0 1001 1\n", 1), host + 256) << "too few: whatever needs them says so";
    EXPECT_EQ(first_uid_in("0 1001 1\n1000 100000 65536\n", 1), host + 256) << "a gap";
}

TEST(CaptureOfAStream, KeepsHeadAndTail) {
    const auto captured = [](std::size_t max, std::vector<std::string> parts) {
        Capture capture{max};
        for (const std::string& part : parts) capture.add(part);
        return std::move(capture).take();
    };
    EXPECT_EQ(captured(10, {"hello"}).head, "hello");
    EXPECT_EQ(captured(10, {"01234", "56789"}).head, "0123456789");
    const model::Captured cut = captured(10, {"0123456789abc", "d", "efgh"});
    EXPECT_EQ(cut.head, "01234");
    EXPECT_EQ(cut.tail, "defgh");
    EXPECT_EQ(cut.bytes, 18);
    EXPECT_EQ(cut.dropped_bytes, 8);
    EXPECT_EQ(captured(0, {"x"}).dropped_bytes, 1);
}

TEST(CommandBlock, SurvivesTheTripAndRefusesDamage) {
    std::string bytes = pack_command({"a", "", "c d"}, {"X=1"}, "/out");
    std::array<char*, 64> words;
    Command command;
    ASSERT_TRUE(parse_command(bytes, words, command));
    EXPECT_STREQ(command.arguments[1], "");
    EXPECT_STREQ(command.arguments[2], "c d");
    EXPECT_EQ(command.arguments[3], nullptr);
    EXPECT_STREQ(command.environment[0], "X=1");
    EXPECT_STREQ(command.directory, "/out");
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        std::string damaged = bytes.substr(0, cut);
        EXPECT_FALSE(parse_command(damaged, words, command)) << cut;
    }
    std::string longer = bytes + std::string{"x\0", 2};
    EXPECT_FALSE(parse_command(longer, words, command));
    EXPECT_FALSE(parse_command(bytes, std::span{words}.first(5), command));  // Three words, one variable, and two ends.
    bytes[0] = '\xff';
    EXPECT_FALSE(parse_command(bytes, words, command));
}

// A long struct costs what is used of it; a receiver must not find in the rest what an earlier message left there.
TEST(Messages, LeaveOutTheZerosAtTheirEnd) {
    auto [one, other] = sys::socket_pair(sys::PairKind::seqpacket).value();
    ToKeeper order{};
    order.kind = ToKeeper::Kind::run;
    ASSERT_TRUE(place_command(pack_command({"true"}, {}, "/work"), order.command).has_value());
    EXPECT_LT(used_part(std::as_bytes(std::span{&order, 1})).size(), 400U);
    ASSERT_TRUE(send(one, order).has_value());
    const ToKeeper got = receive<ToKeeper>(other).value().message;
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span{&got, 1}), std::as_bytes(std::span{&order, 1})));
    EXPECT_EQ(used_part(bytes_of(std::string(100, '\0'))).size(), 1U);  // An empty message would be an end.

    CommandBlock block;
    const sys::Fd file = place_command(std::string(command_inline_bytes_max + 1, 'x'), block).value();
    EXPECT_TRUE(file);
    EXPECT_EQ(block.size, 0U);
}

TEST(NamesOnTheWire, AreCheckedByLengthAndCharacters) {
    EXPECT_TRUE(valid_stage("build-1_x"));
    for (const std::string& name : {std::string{}, std::string{"A"}, std::string{"a/b"}, std::string{".."}, std::string(65, 'a')}) EXPECT_FALSE(valid_stage(name));
    EXPECT_TRUE(valid_component("results.json"));
    for (const char* const name : {"", ".", "..", "a/b"}) EXPECT_FALSE(valid_component(name));
    EXPECT_TRUE(valid_inside("/data/in"));
    for (const char* const path : {"/", "data", "/a/../b", "/a//b", "/a/"}) EXPECT_FALSE(valid_inside(path));
    model::Limits limits;
    EXPECT_TRUE(check(limits));
    limits.processes = 0;
    EXPECT_THAT(check(limits).error().text(), ::testing::HasSubstr("`processes` is 0"));
}

}  // namespace
}  // namespace assay::sandbox::testing
