// long: one function per cause, in the order in which they are asked
#include "diagnosis/rules.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hh"
#include "diagnosis/waits.hh"

namespace assay::diagnosis {
namespace {

using What = wording::Diagnosis;
using Answer = std::optional<Finding>;

// Where a signal begins to mean something; docs/why.md says what was measured around each.
constexpr double throttled_share_min = 0.3;    // of the quota's periods
constexpr double delay_share_min = 0.5;        // of the time its threads wanted to run
constexpr double delay_share_of_neighbour_min = 0.35;
constexpr double runnable_per_cpu_min = 1.75;
constexpr double storage_share_min = 0.4;      // of the looks at one thread
constexpr double metadata_share_min = 0.5;     // of these
constexpr double hang_share_min = 0.95;
constexpr double major_faults_per_s_min = 200;
constexpr double memory_share_min = 0.9;       // of its limit
constexpr double available_share_max = 0.08;   // of the machine's memory
constexpr double livelock_switches_per_cpu_s_min = 8'000;
constexpr double livelock_cpu_min = 0.2;       // of a core
constexpr double spin_share_min = 0.85;        // of the window, running or ready
constexpr std::int64_t spin_faults_max = 50;
constexpr double busy_cpu_min = 0.02;          // cores
constexpr double steal_min = 0.2;
constexpr double gap_s_min = 1, gap_of_median_min = 10;
constexpr std::int64_t full_bytes_max = 64 * 1024;
constexpr double quiet_share_min = 0.8;        // of the window without a sign of work

std::string number(double value) { return fmt::format("{:.2f}", value); }
std::string percent(double share) { return fmt::format("{:.0f}", share * 100); }
double per(double part, double whole) { return whole > 0 ? part / whole : 0; }

// What the rules ask for, of the whole tree.
struct Sums {
    double cpu = 0;          // cores
    double delay_share = 0;
    double runnable = 0;     // threads running or ready at a time
    double storage = 0;      // share of the looks of the thread that waits for storage most
    At storage_at;
    std::int64_t voluntary = 0, forced = 0, major_faults = 0, minor_faults = 0;
    std::optional<std::int64_t> bytes, calls, bytes_written, calls_writing;
    int threads = 0;
};

Sums sums_of(const Observed& seen) {
    Sums sums;
    double cpu_s = 0;
    double delay_s = 0;
    const auto add = [](std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& one) {
        if (one) sum = sum.value_or(0) + *one;
    };
    for (const Process& process : seen.processes) {
        sums.major_faults += process.major_faults;
        sums.minor_faults += process.minor_faults;
        add(sums.bytes, process.bytes);
        add(sums.calls, process.calls);
        add(sums.bytes_written, process.bytes_written);
        add(sums.calls_writing, process.calls_writing);
        for (const Thread& thread : process.threads) {
            ++sums.threads;
            cpu_s += thread.cpu_s;
            delay_s += thread.delay_s;
            sums.runnable += per(thread.running, seen.looks);
            sums.voluntary += thread.voluntary;
            sums.forced += thread.forced;
            const double storage = per(thread.storage, thread.looks);
            if (thread.looks * 2 >= seen.looks && storage > sums.storage) {
                sums.storage = storage;
                sums.storage_at = {&process, &thread};
            }
        }
    }
    sums.cpu = per(cpu_s, seen.window_s);
    sums.delay_share = per(delay_s, cpu_s + delay_s);
    return sums;
}

struct Case {
    const Observed& seen;
    const Sums sums;
    std::string who;

    bool no_work() const { return sums.bytes && sums.calls && *sums.bytes == 0 && *sums.calls == 0; }
    bool quiet() const { return seen.gap_longest_s >= quiet_share_min * seen.window_s; }
    double switches_per_s() const { return per(static_cast<double>(sums.voluntary + sums.forced), seen.window_s); }

    Line cpu() const { return {What::saw_cpu, {number(sums.cpu), number(seen.cpus_allowed)}}; }
    Line delay() const { return {What::saw_delay, {percent(sums.delay_share)}}; }
    Line runnable() const { return {What::saw_runnable, {number(sums.runnable), number(seen.cpus_allowed)}}; }
    Line switches() const {
        return {What::saw_switches,
                {fmt::format("{:.0f}", per(static_cast<double>(sums.voluntary), seen.window_s)),
                 fmt::format("{:.0f}", per(static_cast<double>(sums.forced), seen.window_s))}};
    }
    Line work() const {
        if (no_work()) return {What::saw_no_work, {number(seen.window_s)}};
        const double bytes = per(static_cast<double>(sums.bytes.value_or(0)), seen.window_s);
        return {What::saw_work,
                {size_text(static_cast<std::int64_t>(bytes)),
                 fmt::format("{:.0f}", per(static_cast<double>(sums.calls.value_or(0)), seen.window_s))}};
    }
    Line gap() const { return {What::saw_gap, {number(seen.gap_longest_s), number(seen.gap_median_s)}}; }
    Line storage() const {
        const Thread& thread = *sums.storage_at.thread;
        return {What::saw_storage,
                {name_of(sums.storage_at), percent(sums.storage), percent(per(thread.metadata, thread.storage))}};
    }
    std::vector<Line> pressure() const {
        const Group& group = seen.group;
        if (!group.pressure_cpu) return {};
        return {{What::saw_pressure,
                 {percent(*group.pressure_cpu), percent(group.pressure_io.value_or(0)),
                  percent(group.pressure_memory.value_or(0))}}};
    }
    Line one_window() const { return {What::but_one_window, {number(seen.window_s)}}; }

    // Slow, unless it stands still for long and then goes on.
    Class slow() const {
        const bool pauses =
            seen.gap_longest_s >= gap_s_min && seen.gap_longest_s > gap_of_median_min * seen.gap_median_s && !no_work();
        return pauses ? Class::intermittent : Class::slow;
    }
};

Line waits_line(const At& at) {
    return {What::saw_wait, {name_of(at), at.thread->awaited.call, at.thread->awaited.object}};
}

std::string how_ended(const Ended& one) {
    return one.exit_code < 0 ? fmt::format("signal {}", -one.exit_code) : fmt::format("exit code {}", one.exit_code);
}

Answer ended(const Case& it) {
    if (it.seen.processes.empty()) return std::nullopt;
    const Process& process = it.seen.processes.front();
    const auto self = std::ranges::find(process.ended, process.pid, &Ended::pid);
    if (self == process.ended.end()) return std::nullopt;
    return Finding{.kind = Class::hang,
                   .cause = Cause::ended,
                   .confidence = Confidence::high,
                   .summary = {What::is_ended, {name_of(process), how_ended(*self)}},
                   .offender = name_of(process),
                   .decided_by = {{"exit_code", static_cast<double>(self->exit_code)},
                                  {"cpu_cores", it.sums.cpu},
                                  {"switches_per_s", it.switches_per_s()}},
                   .evidence = {{What::saw_ended, {name_of(process), how_ended(*self)}}},
                   .remedy = {What::do_collect, {std::to_string(process.parent)}}};
}

Answer stopped(const Case& it) {
    if (it.seen.group.frozen) {
        return Finding{
            .kind = Class::hang,
            .cause = Cause::stopped,
            .confidence = Confidence::high,
            .summary = {What::is_stopped, {it.who, "cgroup " + it.seen.group.name}},
            .offender = it.seen.group.name,
            .decided_by = {{"group_frozen", 1}, {"cpu_cores", it.sums.cpu}, {"switches_per_s", it.switches_per_s()}},
            .evidence = {it.cpu(), it.switches()},
            .remedy = {What::do_thaw, {}}};
    }
    for (const Process& process : it.seen.processes) {
        int looks = 0;
        int held = 0;
        for (const Thread& thread : process.threads) looks += thread.looks, held += thread.stopped;
        if (looks == 0 || held < hang_share_min * looks) continue;
        const std::string by = process.tracer != 0 ? "ptrace [" + std::to_string(process.tracer) + "]" : "SIGSTOP";
        Finding finding{.kind = Class::hang,
                        .cause = Cause::stopped,
                        .confidence = Confidence::high,
                        .summary = {What::is_stopped, {name_of(process), by}},
                        .offender = name_of(process),
                        .decided_by = {{"stopped_share", per(held, looks)},
                                       {"cpu_cores", it.sums.cpu},
                                       {"switches_per_s", it.switches_per_s()}},
                        .evidence = {it.cpu(), it.switches()}};
        finding.remedy = process.tracer != 0 ? Line{What::do_attach, {std::to_string(process.tracer)}}
                                             : Line{What::do_continue, {std::to_string(process.pid)}};
        return finding;
    }
    return std::nullopt;
}

Answer lost_worker(const Case& it) {
    if (!it.quiet() || it.sums.cpu > 0.5) return std::nullopt;  // The others go on without it.
    for (const Process& process : it.seen.processes) {
        for (const Ended& one : process.ended) {
            if (one.exit_code == 0) continue;
            const std::string name = fmt::format("{}[{}]", one.name, one.pid);
            const bool memory = one.exit_code == -9 && it.seen.group.oom_kills > 0;
            const std::string group = it.seen.group.memory_of.empty() ? it.seen.group.name : it.seen.group.memory_of;
            Finding finding{.kind = Class::hang,
                            .cause = memory ? Cause::worker_killed_for_memory : Cause::worker_crashed,
                            .confidence = Confidence::high,
                            .awaited = name,
                            .offender = name,
                            .decided_by = {{"exit_code", static_cast<double>(one.exit_code)},
                                           {"oom_kills", static_cast<double>(it.seen.group.oom_kills)},
                                           {"quiet_s", it.seen.gap_longest_s}},
                            .evidence = {{What::saw_ended, {name, how_ended(one)}}, it.gap()}};
            if (memory) finding.evidence.push_back({What::saw_oom, {std::to_string(it.seen.group.oom_kills), group}});
            finding.summary = memory ? Line{What::is_killed_for_memory, {name_of(process), name, group}}
                                     : Line{What::is_crashed, {name_of(process), name, how_ended(one)}};
            finding.remedy = memory ? Line{What::do_raise_memory, {group}} : Line{What::do_look_at_exit, {}};
            return finding;
        }
    }
    return std::nullopt;
}

Answer storage_hang(const Case& it) {
    for (const Process& process : it.seen.processes) {
        for (const Thread& thread : process.threads) {
            const bool still = thread.looks * 10 >= it.seen.looks * 9 &&
                               thread.storage >= hang_share_min * thread.looks &&
                               thread.voluntary + thread.forced <= 2 && thread.same >= hang_share_min * thread.looks;
            if (!still || !it.seen.group.io_limits.empty() || thread.awaited.wait == Wait::pipe) continue;
            const At at{&process, &thread};
            Finding finding{.kind = Class::hang,
                            .cause = Cause::storage_hang,
                            .confidence = Confidence::high,
                            .summary = {What::is_storage_hang,
                                        {name_of(at), thread.awaited.object.empty() ? "?" : thread.awaited.object,
                                         thread.awaited.mount_type.empty() ? "?" : thread.awaited.mount_type}},
                            .awaited = thread.awaited.object,
                            .offender = thread.awaited.object,
                            .decided_by = {{"storage_wait_share", per(thread.storage, thread.looks)},
                                           {"switches", static_cast<double>(thread.voluntary + thread.forced)},
                                           {"cpu_cores", it.sums.cpu}},
                            .evidence = {waits_line(at), it.gap()},
                            .remedy = {What::do_storage, {thread.awaited.object}}};
            if (it.seen.group.pressure_io)
                finding.against.push_back({What::but_pressure_low, {percent(*it.seen.group.pressure_io)}});
            else finding.against.push_back(it.one_window());
            return finding;
        }
    }
    return std::nullopt;
}

Answer deadlock(const Case& it) {
    const std::vector<At> set = stuck(it.seen);
    if (set.empty()) return std::nullopt;
    // One whom nobody of its process can wake, in a process that was forked: the lock came with it.
    const auto orphan = std::ranges::find_if(set, [&](const At& at) {
        const Awaited& awaited = at.thread->awaited;
        const bool alone = at.process->threads.size() == 1 && awaited.wait == Wait::lock && awaited.pids.empty() &&
                           awaited.tids.empty();
        return at.process->forked && awaited.wait == Wait::lock && (awaited.owner_gone || alone);
    });
    Finding finding{.kind = Class::hang,
                    .confidence = Confidence::high,
                    .decided_by = {{"threads_nobody_can_wake", static_cast<double>(set.size())},
                                   {"switches_per_s", it.switches_per_s()},
                                   {"cpu_cores", it.sums.cpu}}};
    for (std::size_t i = 0; i < set.size() && i < 4; ++i) finding.evidence.push_back(waits_line(set[i]));
    finding.evidence.push_back(it.gap());
    if (orphan != set.end()) {
        const Awaited& awaited = orphan->thread->awaited;
        finding.cause = Cause::fork_inherited_lock;
        finding.summary = {
            What::is_fork_lock,
            {name_of(*orphan), awaited.object, awaited.owner_gone ? fmt::format("[{}]", *awaited.owner_gone) : "?"}};
        finding.awaited = awaited.object;
        finding.offender = name_of(*orphan->process);
        finding.against = {{awaited.owner_gone ? What::but_owner_memory : What::but_own_threads, {}}};
        finding.remedy = {What::do_fork_lock, {}};
        return finding;
    }
    finding.cause = Cause::deadlock;
    finding.summary = {What::is_deadlock, {it.who, cycle(it.seen, set)}};
    finding.awaited = set.front().thread->awaited.object;
    finding.offender = name_of(set.front());
    const bool named = std::ranges::any_of(set, [](const At& at) { return !at.thread->awaited.tids.empty(); });
    finding.against = {{named ? What::but_owner_memory : What::but_own_threads, {}}};
    if (it.sums.cpu > busy_cpu_min) finding.against.push_back({What::but_others_run, {percent(it.sums.cpu)}});
    finding.remedy = {What::do_deadlock, {}};
    return finding;
}

Answer descriptor_limit(const Case& it) {
    for (const Process& process : it.seen.processes) {
        if (!process.descriptors || !process.descriptors_max || *process.descriptors < *process.descriptors_max)
            continue;
        return Finding{.kind = it.quiet() ? Class::hang : Class::slow,
                       .cause = Cause::descriptor_limit,
                       .confidence = Confidence::high,
                       .summary = {What::is_descriptor_limit,
                                   {name_of(process), std::to_string(*process.descriptors),
                                    std::to_string(*process.descriptors_max)}},
                       .awaited = "descriptor",
                       .offender = name_of(process),
                       .decided_by = {{"descriptors", static_cast<double>(*process.descriptors)},
                                      {"descriptors_max", static_cast<double>(*process.descriptors_max)},
                                      {"cpu_cores", it.sums.cpu}},
                       .evidence = {it.work(), it.gap()},
                       .against = {it.one_window()},
                       .remedy = {What::do_raise_descriptors, {}}};
    }
    return std::nullopt;
}

Answer process_limit(const Case& it) {
    const Group& group = it.seen.group;
    if (!group.tasks_max || group.tasks < *group.tasks_max) return std::nullopt;
    return Finding{.kind = it.quiet() ? Class::hang : Class::slow,
                   .cause = Cause::process_limit,
                   .confidence = group.tasks_refused > 0 ? Confidence::high : Confidence::medium,
                   .summary = {What::is_process_limit,
                               {it.who, std::to_string(group.tasks), std::to_string(*group.tasks_max), group.tasks_of}},
                   .awaited = "process",
                   .offender = group.tasks_of,
                   .decided_by = {{"tasks", static_cast<double>(group.tasks)},
                                  {"tasks_max", static_cast<double>(*group.tasks_max)},
                                  {"refused", static_cast<double>(group.tasks_refused)}},
                   .evidence = {it.cpu(), it.gap()},
                   .against = {it.one_window()},
                   .remedy = {What::do_raise_processes, {group.tasks_of}}};
}

Answer disk_full(const Case& it) {
    const bool vain =
        it.sums.calls_writing && it.sums.bytes_written && *it.sums.calls_writing > 0 && *it.sums.bytes_written == 0;
    for (const Mount& mount : it.seen.mounts) {
        if (mount.free_bytes > full_bytes_max && mount.free_files > 0) continue;
        if (!vain && !mount.written) continue;
        return Finding{
            .kind = it.quiet() ? Class::hang : it.slow(),
            .cause = Cause::disk_full,
            .confidence = vain ? Confidence::high : Confidence::medium,
            .summary = {What::is_disk_full, {it.who, mount.path}},
            .awaited = mount.path,
            .offender = mount.path,
            .decided_by = {{"free_bytes", static_cast<double>(mount.free_bytes)},
                           {"free_names", static_cast<double>(mount.free_files)},
                           {"bytes_written", static_cast<double>(it.sums.bytes_written.value_or(0))}},
            .evidence = {{What::saw_space, {mount.path, size_text(mount.free_bytes), std::to_string(mount.free_files)}},
                         {What::saw_failed_writes, {std::to_string(vain ? *it.sums.calls_writing : 0)}}},
            .against = {it.one_window()},
            .remedy = {What::do_free_space, {mount.path}}};
    }
    return std::nullopt;
}

Answer memory_thrash(const Case& it) {
    const double faults = per(static_cast<double>(it.sums.major_faults), it.seen.window_s);
    const Group& group = it.seen.group;
    const bool own = group.memory_max &&
                     static_cast<double>(group.memory) >= memory_share_min * static_cast<double>(*group.memory_max);
    const bool machine =
        it.seen.memory_total > 0 &&
        static_cast<double>(it.seen.memory_available) < available_share_max * static_cast<double>(it.seen.memory_total);
    if (faults < major_faults_per_s_min || (!own && !machine)) return std::nullopt;
    const std::int64_t used = own ? group.memory : it.seen.memory_total - it.seen.memory_available;
    const std::int64_t limit = own ? *group.memory_max : it.seen.memory_total;
    Finding finding{
        .kind = it.slow(),
        .cause = Cause::memory_thrash,
        .confidence = own ? Confidence::high : Confidence::medium,
        .summary = {What::is_memory_thrash, {it.who, size_text(used), size_text(limit)}},
        .awaited = "memory",
        .offender = own ? group.memory_of : "",
        .decided_by = {{"major_faults_per_s", faults},
                       {"memory_share", per(static_cast<double>(used), static_cast<double>(limit))},
                       {"refaults", static_cast<double>(group.refaults)}},
        .evidence = {{What::saw_faults, {fmt::format("{:.0f}", faults)}},
                     {What::saw_memory, {size_text(used), size_text(limit), own ? group.memory_of : "/"}}},
        .against = {it.one_window()},
        .remedy = {What::do_less_memory, {std::to_string(std::max<std::size_t>(1, it.seen.processes.size() / 2))}}};
    for (Line& line : it.pressure()) finding.evidence.push_back(std::move(line));
    return finding;
}

Answer throttled(const Case& it) {
    const Group& group = it.seen.group;
    const double share = per(static_cast<double>(group.throttled), static_cast<double>(group.periods));
    if (share < throttled_share_min || !group.quota_cpus) return std::nullopt;
    const int workers = std::max(1, static_cast<int>(std::ceil(*group.quota_cpus)));
    Finding finding{
        .kind = it.slow(),
        .cause = Cause::throttled_by_quota,
        .confidence = Confidence::high,
        .summary = {What::is_throttled, {it.who, number(*group.quota_cpus), group.quota_of}},
        .awaited = "CPU",
        .offender = group.quota_of,
        .decided_by = {{"throttled_share", share},
                       {"run_delay_share", it.sums.delay_share},
                       {"runnable_per_cpu", per(it.sums.runnable, it.seen.cpus_allowed)}},
        .evidence = {{What::saw_throttled,
                      {std::to_string(group.throttled), std::to_string(group.periods), number(group.throttled_s)}},
                     it.cpu(),
                     it.delay(),
                     it.runnable()},
        .against = {it.one_window()},
        .remedy = {What::do_quota,
                   {std::to_string(workers),
                    number(std::min(std::ceil(std::max(1.0, it.sums.runnable)), it.seen.cpus_allowed))}}};
    return finding;
}

Answer storage(const Case& it) {
    if (it.sums.storage < storage_share_min) return std::nullopt;
    const At at = it.sums.storage_at;
    const Awaited& awaited = at.thread->awaited;
    const std::string object = awaited.object.empty() ? "?" : awaited.object;
    const bool limited = !it.seen.group.io_limits.empty();
    const double metadata = per(at.thread->metadata, at.thread->storage);
    const bool names = !limited && metadata >= metadata_share_min;
    Finding finding{.kind = it.quiet() && it.no_work() ? Class::hang : it.slow(),
                    .confidence = limited || it.sums.storage > 0.7 ? Confidence::high : Confidence::medium,
                    .awaited = awaited.object,
                    .offender = object,
                    .decided_by = {{"storage_wait_share", it.sums.storage},
                                   {"metadata_share", metadata},
                                   {"cpu_cores", it.sums.cpu}},
                    .evidence = {it.storage(), it.work(), it.cpu()}};
    for (Line& line : it.pressure()) finding.evidence.push_back(std::move(line));
    if (limited) {
        finding.cause = Cause::io_limit;
        finding.offender = it.seen.group.io_limits.front();
        finding.summary = {What::is_io_limit, {it.who, it.seen.group.io_limits.front()}};
        finding.remedy = {What::do_raise_io, {}};
    } else {
        finding.cause = names ? Cause::storage_metadata : Cause::storage_data;
        finding.summary = {names ? What::is_storage_metadata : What::is_storage_data,
                           {name_of(at), object, awaited.mount_type.empty() ? "?" : awaited.mount_type}};
        finding.remedy = {names ? What::do_metadata : What::do_data, {}};
    }
    if (names && it.seen.group.pressure_io && *it.seen.group.pressure_io < 0.1)
        finding.against.push_back({What::but_pressure_low, {percent(*it.seen.group.pressure_io)}});
    else finding.against.push_back(it.one_window());
    return finding;
}

Answer livelock(const Case& it) {
    const double switches = it.switches_per_s();
    const bool in_vain = it.sums.bytes && *it.sums.bytes == 0;
    if (!in_vain || it.sums.cpu < livelock_cpu_min || per(switches, it.sums.cpu) < livelock_switches_per_cpu_s_min)
        return std::nullopt;
    return Finding{.kind = Class::hang,
                   .cause = Cause::livelock,
                   .confidence = Confidence::medium,
                   .summary = {What::is_livelock, {it.who, fmt::format("{:.0f}", switches)}},
                   .offender = it.who,
                   .decided_by = {{"switches_per_s", switches}, {"cpu_cores", it.sums.cpu}, {"bytes_per_s", 0}},
                   .evidence = {it.switches(), it.cpu(), it.work()},
                   .against = {{What::but_silent_work, {}}},
                   .remedy = {What::do_livelock, {}}};
}

Answer spin(const Case& it) {
    if (!it.no_work() || it.sums.minor_faults + it.sums.major_faults > spin_faults_max) return std::nullopt;
    for (const Process& process : it.seen.processes) {
        for (const Thread& thread : process.threads) {
            const double wanted = per(thread.cpu_s + thread.delay_s, it.seen.window_s);
            if (wanted < spin_share_min || thread.voluntary > 3) continue;
            const At at{&process, &thread};
            const bool awaited = std::ranges::any_of(it.seen.processes, [&](const Process& one) {
                return std::ranges::any_of(one.threads, [&](const Thread& other) {
                    return waits(other) && !other.awaited.bounded && !other.awaited.outside;
                });
            });
            return Finding{.kind = Class::hang,
                           .cause = Cause::spin,
                           .confidence = awaited ? Confidence::high : Confidence::medium,
                           .summary = {What::is_spin, {name_of(at)}},
                           .offender = name_of(at),
                           .decided_by = {{"cpu_cores", it.sums.cpu},
                                          {"bytes_and_calls", 0},
                                          {"voluntary_switches", static_cast<double>(thread.voluntary)}},
                           .evidence = {it.cpu(), it.work(), it.switches()},
                           .against = {{What::but_silent_work, {}}},
                           .remedy = {What::do_spin, {std::to_string(process.pid)}}};
        }
    }
    return std::nullopt;
}

Answer spin_undisturbed(const Case& it) {
    return it.sums.delay_share < delay_share_of_neighbour_min ? spin(it) : std::nullopt;
}

Answer stolen(const Case& it) {
    if (!it.seen.steal || *it.seen.steal < steal_min || it.sums.cpu < busy_cpu_min) return std::nullopt;
    return Finding{.kind = it.slow(),
                   .cause = Cause::stolen,
                   .confidence = Confidence::high,
                   .summary = {What::is_stolen, {it.who, percent(*it.seen.steal)}},
                   .awaited = "CPU",
                   .offender = "hypervisor",
                   .decided_by = {{"steal_share", *it.seen.steal},
                                  {"run_delay_share", it.sums.delay_share},
                                  {"cpu_cores", it.sums.cpu}},
                   .evidence = {it.cpu(), it.delay()},
                   .against = {it.one_window()},
                   .remedy = {What::do_provider, {}}};
}

Answer oversubscribed(const Case& it) {
    const double ratio = per(it.sums.runnable, it.seen.cpus_allowed);
    if (it.sums.delay_share < delay_share_min || ratio < runnable_per_cpu_min) return std::nullopt;
    const double storage_to_cpu = per(it.sums.storage, it.sums.cpu);  // ceil(CPUs · (1 + IO time / CPU time))
    const int workers = static_cast<int>(std::ceil(it.seen.cpus_allowed * (1 + storage_to_cpu)));
    return Finding{
        .kind = it.slow(),
        .cause = Cause::oversubscribed,
        .confidence = Confidence::high,
        .summary = {What::is_oversubscribed, {it.who, number(it.sums.runnable), number(it.seen.cpus_allowed)}},
        .awaited = "CPU",
        .offender = it.who,
        .decided_by = {{"runnable_per_cpu", ratio}, {"run_delay_share", it.sums.delay_share}, {"throttled_share", 0}},
        .evidence = {it.runnable(), it.delay(), it.cpu(), it.switches()},
        .against = {it.one_window()},
        .remedy = {What::do_workers, {std::to_string(workers)}}};
}

Answer neighbour(const Case& it) {
    if (it.sums.delay_share < delay_share_of_neighbour_min || it.sums.runnable < 0.3) return std::nullopt;
    std::string names;
    std::string worst;
    double used = 0;
    double most = 0;
    std::vector<Line> evidence{it.delay(), it.cpu()};
    for (const auto& [pid, other] : it.seen.others) {
        if (other.cpu <= 0) continue;
        const std::string name = fmt::format("{}[{}]", other.name, pid);
        names += (names.empty() ? "" : ", ") + name;
        if (other.cpu > most) worst = name;
        most = std::max(most, other.cpu);
        used += other.cpu;
        evidence.push_back({What::saw_neighbour, {name, number(other.cpu)}});
    }
    if (used < 0.2) return std::nullopt;
    return Finding{.kind = it.slow(),
                   .cause = Cause::neighbour,
                   .confidence = Confidence::high,
                   .summary = {What::is_neighbour, {it.who, names}},
                   .awaited = "CPU",
                   .offender = worst,
                   .decided_by = {{"run_delay_share", it.sums.delay_share},
                                  {"runnable_per_cpu", per(it.sums.runnable, it.seen.cpus_allowed)},
                                  {"neighbours_cpu_cores", used}},
                   .evidence = std::move(evidence),
                   .against = {it.one_window()},
                   .remedy = {What::do_neighbour, {}}};
}

Answer peer(const Case& it) {
    const At at = end_of_chain(it.seen);
    if (!at || !waits(*at.thread)) return std::nullopt;
    const Awaited& awaited = at.thread->awaited;
    const bool on_somebody = awaited.wait == Wait::socket || awaited.wait == Wait::pipe ||
                             awaited.wait == Wait::file_lock || (awaited.wait == Wait::child && !awaited.pids.empty());
    if (!on_somebody || awaited.bounded || awaited.own_process) return std::nullopt;
    std::string peer;
    for (const int pid : awaited.pids) {
        if (std::ranges::any_of(it.seen.processes, [&](const Process& one) { return one.pid == pid; })) continue;
        if (peer.size() < 200) peer += (peer.empty() ? "" : ", ") + name_of_peer(it.seen, pid);
    }
    const bool unseen = peer.empty();
    if (unseen) peer = awaited.object;
    Finding finding{.kind = Class::hang,
                    .cause = Cause::blocked_on_peer,
                    .confidence = unseen ? Confidence::medium : Confidence::high,
                    .summary = {What::is_blocked_on_peer, {name_of(at), awaited.object, peer}},
                    .awaited = awaited.object,
                    .offender = peer,
                    .decided_by = {{"same_wait_share", per(at.thread->same, at.thread->looks)},
                                   {"switches_per_s", it.switches_per_s()},
                                   {"cpu_cores", it.sums.cpu}},
                    .evidence = {waits_line(at), it.gap()},
                    .remedy = {What::do_peer, {peer}}};
    for (const int pid : awaited.pids) {
        const auto other = it.seen.others.find(pid);
        if (other == it.seen.others.end()) continue;
        const char state = other->second.state;
        finding.evidence.push_back({What::saw_peer,
                                    {name_of_peer(it.seen, pid), state == 'T'   ? "stopped (T)"
                                                                 : state == 'R' ? "running (R)"
                                                                 : state == 'D' ? "waiting for storage (D)"
                                                                 : state == 'Z' ? "dead (Z)"
                                                                                : "waiting (S)"}});
    }
    finding.against.push_back({unseen ? What::but_peer_unseen : What::but_idle_connection, {}});
    return finding;
}

Finding healthy(const Case& it) {
    Finding finding{.kind = Class::healthy,
                    .confidence = Confidence::medium,
                    .decided_by = {{"cpu_cores", it.sums.cpu},
                                   {"run_delay_share", it.sums.delay_share},
                                   {"switches_per_s", it.switches_per_s()}},
                    .evidence = {it.cpu(), it.delay(), it.work()},
                    .remedy = {What::do_nothing, {}}};
    const At at = end_of_chain(it.seen);
    if (at) {
        const Awaited& awaited = at.thread->awaited;
        finding.awaited = awaited.object;
        if (waits(*at.thread)) finding.evidence.push_back(waits_line(at));
        const bool asked = awaited.wait == Wait::requests || awaited.wait == Wait::terminal ||
                           (awaited.wait == Wait::events && awaited.outside);
        if (it.sums.cpu >= busy_cpu_min && !waits(*at.thread)) finding.cause = Cause::busy;
        else if (asked && waits(*at.thread)) finding.cause = Cause::waits_for_requests;
        else if (awaited.bounded || awaited.wait == Wait::signal || awaited.wait == Wait::timer)
            finding.cause = Cause::sleeping;
        else if (awaited.wait == Wait::requests) finding.cause = Cause::waits_for_requests;
        else if (!awaited.call.empty() && awaited.wait != Wait::none)
            finding.cause = it.sums.cpu >= busy_cpu_min ? Cause::busy : Cause::sleeping;
        else finding.cause = it.sums.cpu > 0 ? Cause::busy : Cause::undecided;
    }
    switch (finding.cause) {
        case Cause::busy: finding.summary = {What::is_busy, {it.who, number(it.sums.cpu)}}; break;
        case Cause::waits_for_requests:
            finding.summary = {What::is_waiting_for_requests, {name_of(at), finding.awaited}};
            break;
        case Cause::sleeping: finding.summary = {What::is_sleeping, {name_of(at)}}; break;
        default:
            finding.summary = {What::is_undecided, {it.who}};
            finding.confidence = Confidence::low;
            finding.remedy = {What::do_read_more, {}};
    }
    finding.against.push_back(it.one_window());
    return finding;
}

// The order matters where two could be said: a limit that is certain before what merely looks like it, the wait for a disk before the
// CPU that is shared, and a peer only when nothing of one's own explains the wait.
constexpr Answer (*rules[])(const Case&) = {
    ended,          stopped,       lost_worker, storage_hang, deadlock, descriptor_limit, process_limit,
    disk_full,      memory_thrash, livelock,    throttled,    storage,  spin_undisturbed, stolen,
    oversubscribed, neighbour,     spin,        peer,
};

}  // namespace

Finding explain(const Observed& seen) {
    const Case it{
        .seen = seen, .sums = sums_of(seen), .who = seen.processes.empty() ? "?" : name_of(seen.processes.front())};
    for (const auto rule : rules) {
        if (Answer answer = rule(it)) {
            if (answer->against.empty()) answer->against.push_back({What::but_nothing, {}});
            answer->unread = seen.unread;
            return std::move(*answer);
        }
    }
    Finding finding = healthy(it);
    finding.unread = seen.unread;
    return finding;
}

}  // namespace assay::diagnosis
