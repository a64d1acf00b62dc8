// What was measured of each kind of stall, written down (docs/why.md), and beside each what is nearly it and must not fire.
#include "diagnosis/rules.hh"

#include <functional>

#include <gtest/gtest.h>

namespace assay::diagnosis {
namespace {

constexpr int looks = 50;

Thread working(int tid, double cpu_s, double delay_s = 0) {
    return {
        .tid = tid, .name = "job", .looks = looks, .running = looks, .cpu_s = cpu_s, .delay_s = delay_s, .forced = 100};
}

Thread waiting(int tid, Awaited awaited) {
    return {.tid = tid, .name = "job", .looks = looks, .same = looks, .awaited = std::move(awaited)};
}

Thread storage(int tid, int waits, int names, Awaited awaited) {
    return {.tid = tid,
            .name = "job",
            .looks = looks,
            .storage = waits,
            .metadata = names,
            .same = waits,
            .cpu_s = 0.1,
            .voluntary = 300,
            .awaited = std::move(awaited)};
}

Process process(int pid, std::vector<Thread> threads) {
    return {.pid = pid,
            .parent = 1,
            .name = "job",
            .threads = std::move(threads),
            .bytes = 3000,
            .calls = 30,
            .bytes_written = 3000,
            .calls_writing = 30};
}

// One busy process on two CPUs for 3 s; works.
Observed seen() {
    Observed observed{.window_s = 3,
                      .looks = looks,
                      .cpus = 2,
                      .cpus_allowed = 2,
                      .memory_available = 4LL << 30,
                      .memory_total = 8LL << 30,
                      .gap_longest_s = 0.1,
                      .gap_median_s = 0.06};
    observed.processes.push_back(process(100, {working(100, 3)}));
    return observed;
}

Observed still(std::vector<Thread> threads) {
    Observed observed = seen();
    observed.processes = {process(100, std::move(threads))};
    observed.processes[0].bytes = observed.processes[0].calls = observed.processes[0].bytes_written =
        observed.processes[0].calls_writing = 0;
    observed.gap_longest_s = observed.gap_median_s = 3;
    return observed;
}

const Awaited any_lock{.wait = Wait::lock, .call = "futex", .object = "lock 0x1", .own_process = true};
Awaited lock_of(int tid) { return {.wait = Wait::lock, .call = "futex", .object = "lock 0x1", .tids = {tid}}; }
Awaited pipe_of(int pid) { return {.wait = Wait::pipe, .call = "read", .object = "pipe:[7]", .pids = {pid}}; }
const Awaited file{
    .wait = Wait::file_data, .call = "pread64", .object = "/mnt/data", .mount_type = "nfs4", .outside = true};

struct Row {
    const char* name;
    Class kind;
    Cause cause;
    std::function<Observed()> make;
};

class Rules : public testing::TestWithParam<Row> {};

TEST_P(Rules, NameTheCause) {
    const Observed observed = GetParam().make();
    const Finding finding = explain(observed);
    EXPECT_EQ(to_string(finding.cause), to_string(GetParam().cause)) << to_json(finding, wording::Language::english);
    EXPECT_EQ(to_string(finding.kind), to_string(GetParam().kind)) << to_json(finding, wording::Language::english);
    EXPECT_EQ(finding.decided_by.size(), 3u);
    EXPECT_FALSE(finding.evidence.empty());
    EXPECT_FALSE(finding.against.empty());
    EXPECT_FALSE(text_of(wording::Language::chinese, finding.remedy).empty());
}

Observed quota(std::int64_t throttled) {
    Observed o = seen();
    o.group.quota_of = "/job";
    o.group.quota_cpus = 0.3;
    o.group.periods = 30;
    o.group.throttled = throttled;
    return o;
}

Observed crowd(int threads, double cpus, double delay_s) {
    Observed o = seen();
    o.cpus_allowed = cpus;
    o.processes[0].threads.clear();
    for (int i = 0; i < threads; ++i) o.processes[0].threads.push_back(working(100 + i, 3.0 * cpus / threads, delay_s));
    return o;
}

Observed shared(double delay_s, double others) {
    Observed o = seen();
    o.cpus_allowed = 1;
    o.processes[0].threads = {working(100, 3 - delay_s, delay_s)};
    o.others[55] = {.name = "hog", .state = 'R', .cpu = others};
    return o;
}

Observed switching(std::int64_t bytes) {
    Observed o = seen();
    o.processes[0].bytes = bytes;
    o.processes[0].threads = {working(100, 1.5), working(101, 1.5)};
    for (Thread& thread : o.processes[0].threads) thread.voluntary = 150'000;
    return o;
}

Observed ended(int code, std::int64_t kills) {
    Observed o = still({waiting(100, {.wait = Wait::pipe, .call = "read", .object = "pipe:[7]", .own_process = true})});
    o.processes[0].ended = {{.pid = 101, .name = "job", .exit_code = code}};
    o.group.oom_kills = kills;
    return o;
}

Observed swapping(std::int64_t faults, std::int64_t used) {
    Observed o = seen();
    o.processes[0].major_faults = faults;
    o.group.memory_of = "/job";
    o.group.memory_max = 100 << 20;
    o.group.memory = used;
    return o;
}

Observed space(std::int64_t free_bytes, bool in_vain) {
    Observed o = still({waiting(100, {.wait = Wait::timer, .call = "clock_nanosleep", .bounded = true})});
    o.processes[0].calls_writing = o.processes[0].calls = 20;
    if (!in_vain) o.processes[0].bytes_written = 5000;
    o.mounts = {{.path = "/data",
                 .type = "ext4",
                 .free_bytes = free_bytes,
                 .size_bytes = 1 << 30,
                 .free_files = 100,
                 .written = true}};
    return o;
}

Observed asking(Awaited awaited, char peer = 'S') {
    Observed o = still({waiting(100, std::move(awaited))});
    o.others[9] = {.name = "peer", .state = peer};
    return o;
}

const Row rows[] = {
    {"busy", Class::healthy, Cause::busy, [] { return seen(); }},
    {"quota", Class::slow, Cause::throttled_by_quota, [] { return quota(30); }},
    {"quota_rarely_used_up", Class::healthy, Cause::busy, [] { return quota(3); }},
    {"quota_in_pauses", Class::intermittent, Cause::throttled_by_quota,
     [] {
         auto o = quota(30);
         o.gap_longest_s = 1.5;
         return o;
     }},
    {"oversubscribed", Class::slow, Cause::oversubscribed, [] { return crowd(16, 1, 2.8); }},
    {"one_thread_a_cpu", Class::healthy, Cause::busy, [] { return crowd(2, 2, 0.1); }},
    {"neighbour", Class::slow, Cause::neighbour, [] { return shared(2.3, 0.77); }},
    {"neighbour_elsewhere", Class::healthy, Cause::busy, [] { return shared(0.1, 0.77); }},
    {"neighbours_that_come_and_go", Class::slow, Cause::neighbour,
     [] {
         auto o = shared(2.3, 0);
         o.machine_cpu = 1;
         return o;
     }},
    {"waiting_beside_nobody", Class::healthy, Cause::busy,
     [] {
         auto o = shared(2.3, 0);
         o.machine_cpu = 0.25;
         return o;
     }},
    {"stolen", Class::slow, Cause::stolen,
     [] {
         auto o = seen();
         o.steal = 0.4;
         return o;
     }},
    {"hardly_stolen", Class::healthy, Cause::busy,
     [] {
         auto o = seen();
         o.steal = 0.05;
         return o;
     }},
    {"livelock", Class::hang, Cause::livelock, [] { return switching(0); }},
    {"ping_pong", Class::healthy, Cause::busy, [] { return switching(90'000); }},
    {"spin", Class::hang, Cause::spin, [] { return still({working(100, 2.9)}); }},
    {"spin_beside_waiters", Class::hang, Cause::spin,
     [] { return still({waiting(100, any_lock), working(101, 2.9)}); }},
    {"works_and_faults_pages", Class::healthy, Cause::busy,
     [] {
         auto o = still({working(100, 2.9)});
         o.processes[0].minor_faults = 5000;
         return o;
     }},
    {"data", Class::slow, Cause::storage_data,
     [] {
         auto o = seen();
         o.processes[0].threads = {storage(100, 48, 0, file)};
         return o;
     }},
    {"names", Class::slow, Cause::storage_metadata,
     [] {
         auto o = seen();
         o.processes[0].threads = {storage(100, 47, 45, file)};
         return o;
     }},
    {"reads_little", Class::healthy, Cause::busy,
     [] {
         auto o = seen();
         o.processes[0].threads = {storage(100, 5, 0, file)};
         return o;
     }},
    {"device_limit", Class::slow, Cause::io_limit,
     [] {
         auto o = seen();
         o.processes[0].threads = {storage(100, 48, 0, file)};
         o.processes[0].threads[0].awaited.mount_type = "ext4";
         o.group.io_limits = {"io.max 8:0 rbps=1048576"};
         return o;
     }},
    {"limit_of_another_device", Class::slow, Cause::storage_data,
     [] {
         auto o = seen();
         o.processes[0].threads = {storage(100, 48, 0, file)};
         o.group.io_limits = {"io.max 8:0 rbps=1048576"};
         return o;
     }},
    {"storage_hangs", Class::hang, Cause::storage_hang,
     [] {
         auto o = still({storage(100, looks, 0, file)});
         o.processes[0].threads[0].voluntary = 0;
         return o;
     }},
    {"thrash", Class::slow, Cause::memory_thrash, [] { return swapping(20'000, 99 << 20); }},
    {"reads_a_mapped_file", Class::healthy, Cause::busy, [] { return swapping(20'000, 40 << 20); }},
    {"near_its_memory", Class::healthy, Cause::busy, [] { return swapping(10, 99 << 20); }},
    {"locks_in_a_circle", Class::hang, Cause::deadlock,
     [] { return still({waiting(100, lock_of(101)), waiting(101, lock_of(100))}); }},
    {"circle_beside_a_worker", Class::hang, Cause::deadlock,
     [] {
         auto o = still({waiting(100, lock_of(101)), waiting(101, lock_of(100)), working(102, 3)});
         o.processes[0].bytes = 10;
         return o;
     }},
    {"lock_of_a_worker", Class::healthy, Cause::busy,
     [] {
         auto o = still({waiting(100, lock_of(101)), working(101, 3)});
         o.processes[0].bytes = 10;
         return o;
     }},
    {"all_wait_one_for_a_time", Class::healthy, Cause::sleeping,
     [] {
         return still(
             {waiting(100, {.wait = Wait::timer, .call = "clock_nanosleep", .bounded = true}), waiting(101, any_lock)});
     }},
    {"nobody_left_to_wake", Class::hang, Cause::deadlock, [] { return still({waiting(100, any_lock)}); }},
    {"pipes_in_a_circle", Class::hang, Cause::deadlock,
     [] {
         auto o = still({waiting(100, pipe_of(200))});
         o.processes.push_back(process(200, {waiting(200, pipe_of(100))}));
         return o;
     }},
    {"pipe_of_a_sleeper", Class::healthy, Cause::sleeping,
     [] {
         auto o = still({waiting(100, pipe_of(200))});
         o.processes.push_back(
             process(200, {waiting(200, {.wait = Wait::timer, .call = "clock_nanosleep", .bounded = true})}));
         return o;
     }},
    {"fork", Class::hang, Cause::fork_inherited_lock,
     [] {
         auto o = still({waiting(100, any_lock)});
         o.processes[0].forked = true;
         return o;
     }},
    {"fork_with_owner", Class::hang, Cause::fork_inherited_lock,
     [] {
         auto o = still({waiting(100, {.wait = Wait::lock, .call = "futex", .object = "lock 0x1", .owner_gone = 90})});
         o.processes[0].forked = true;
         return o;
     }},
    {"stopped", Class::hang, Cause::stopped,
     [] {
         auto o = still({{.tid = 100, .looks = looks, .stopped = looks}});
         return o;
     }},
    {"frozen", Class::hang, Cause::stopped,
     [] {
         auto o = still({waiting(100, any_lock)});
         o.group.frozen = true;
         return o;
     }},
    {"gone", Class::hang, Cause::ended,
     [] {
         auto o = ended(0, 0);
         o.processes[0].ended[0].pid = 100;
         return o;
     }},
    {"worker_crashed", Class::hang, Cause::worker_crashed, [] { return ended(-11, 0); }},
    {"worker_out_of_memory", Class::hang, Cause::worker_killed_for_memory, [] { return ended(-9, 1); }},
    {"worker_done", Class::hang, Cause::deadlock, [] { return ended(0, 0); }},
    {"descriptors", Class::hang, Cause::descriptor_limit,
     [] {
         auto o = asking({.wait = Wait::timer, .call = "clock_nanosleep", .bounded = true});
         o.processes[0].descriptors = o.processes[0].descriptors_max = 64;
         return o;
     }},
    {"descriptors_left", Class::healthy, Cause::sleeping,
     [] {
         auto o = asking({.wait = Wait::timer, .call = "clock_nanosleep", .bounded = true});
         o.processes[0].descriptors = 60;
         o.processes[0].descriptors_max = 64;
         return o;
     }},
    {"tasks", Class::slow, Cause::process_limit,
     [] {
         auto o = seen();
         o.group.tasks = 20;
         o.group.tasks_max = 20;
         o.group.tasks_refused = 3;
         return o;
     }},
    {"tasks_left", Class::healthy, Cause::busy,
     [] {
         auto o = seen();
         o.group.tasks = 19;
         o.group.tasks_max = 20;
         return o;
     }},
    {"full", Class::hang, Cause::disk_full, [] { return space(0, true); }},
    {"space_left", Class::healthy, Cause::sleeping, [] { return space(10 << 20, false); }},
    {"peer_stopped", Class::hang, Cause::blocked_on_peer,
     [] { return asking({.wait = Wait::socket, .call = "recvfrom", .object = "/run/x", .pids = {9}}, 'T'); }},
    {"peer_far_away", Class::hang, Cause::blocked_on_peer,
     [] { return asking({.wait = Wait::socket, .call = "recvfrom", .object = "10.0.0.3:2049", .outside = true}); }},
    {"server", Class::healthy, Cause::waits_for_requests,
     [] { return asking({.wait = Wait::requests, .call = "accept4", .object = "127.0.0.1:80", .outside = true}); }},
    {"waits_for_peer_for_a_time", Class::healthy, Cause::sleeping,
     [] { return asking({.wait = Wait::socket, .call = "poll", .object = "/run/x", .bounded = true, .pids = {9}}); }},
};
INSTANTIATE_TEST_SUITE_P(Table, Rules, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

// "Unknown" alone is a bug: where nothing can be read, that is the answer, and how to read it.
TEST(Rules, SayWhatCouldNotBeReadInsteadOfGuessing) {
    Observed observed = still({{.tid = 100, .looks = looks}});
    observed.unread = {"/proc/100/task/*/syscall"};
    const Finding finding = explain(observed);
    EXPECT_EQ(finding.cause, Cause::undecided);
    EXPECT_EQ(finding.unread, observed.unread);
    EXPECT_EQ(finding.remedy.what, wording::Diagnosis::do_read_more);
}

TEST(Rules, NameTheCycleAndThePeer) {
    const Finding circle = explain(still({waiting(100, lock_of(101)), waiting(101, lock_of(100))}));
    EXPECT_EQ(text_of(wording::Language::english, circle.summary),
              "job[100] is in a deadlock: job[100] → lock 0x1 → job[100]/101 → lock 0x1 → job[100]");
    const Finding peer =
        explain(asking({.wait = Wait::socket, .call = "recvfrom", .object = "/run/x", .pids = {9}}, 'T'));
    EXPECT_EQ(peer.offender, "peer[9]");
}

// Twice the CPUs would not do for two: the advice counts what the work waits for besides.
TEST(Rules, AdviseAsManyWorkersAsThereAreCpus) {
    EXPECT_EQ(text_of(wording::Language::english, explain(crowd(16, 1, 2.8)).remedy), "workers = 1");
    EXPECT_EQ(text_of(wording::Language::english, explain(quota(30)).remedy),
              "workers = 1, or raise the quota to 1.00 CPUs");
}

}  // namespace
}  // namespace assay::diagnosis
