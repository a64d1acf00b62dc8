#include <algorithm>

#include "diagnosis/case.hh"

namespace assay::diagnosis {
namespace {

constexpr std::int64_t full_bytes_max = 64 * 1024;

std::string how_ended(const Ended& one) {
    return one.exit_code < 0 ? fmt::format("signal {}", -one.exit_code) : fmt::format("exit code {}", one.exit_code);
}

}  // namespace

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
            if (!still || limited(it, thread.awaited) || thread.awaited.wait == Wait::pipe) continue;
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

}  // namespace assay::diagnosis
