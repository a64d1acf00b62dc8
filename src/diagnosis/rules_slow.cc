#include <algorithm>
#include <cmath>

#include "diagnosis/case.hh"

namespace assay::diagnosis {
namespace {

constexpr double throttled_share_min = 0.3;    // of the quota's periods
constexpr double delay_share_min = 0.5;        // of the time its threads wanted to run
constexpr double runnable_per_cpu_min = 1.75;
constexpr double storage_share_min = 0.4;      // of the looks at one thread
constexpr double metadata_share_min = 0.5;     // of these
constexpr double major_faults_per_s_min = 200;
constexpr double memory_share_min = 0.9;       // of its limit
constexpr double available_share_max = 0.08;   // of the machine's memory
constexpr double livelock_switches_per_cpu_s_min = 8'000;
constexpr double livelock_cpu_min = 0.2;       // of a core
constexpr double spin_share_min = 0.85;        // of the window, running or ready
constexpr std::int64_t spin_faults_max = 50;
constexpr double steal_min = 0.2;
constexpr double neighbours_cpu_min = 0.2;     // cores

}  // namespace

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
    const bool held_back = limited(it, awaited);
    const double metadata = per(at.thread->metadata, at.thread->storage);
    const bool names = !held_back && metadata >= metadata_share_min;
    Finding finding{.kind = it.quiet() && it.no_work() ? Class::hang : it.slow(),
                    .confidence = held_back || it.sums.storage > 0.7 ? Confidence::high : Confidence::medium,
                    .awaited = awaited.object,
                    .offender = object,
                    .decided_by = {{"storage_wait_share", it.sums.storage},
                                   {"metadata_share", metadata},
                                   {"cpu_cores", it.sums.cpu}},
                    .evidence = {it.storage(), it.work(), it.cpu()}};
    for (Line& line : it.pressure()) finding.evidence.push_back(std::move(line));
    if (held_back) {
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
    // Who ready waits for a CPU shares it with somebody, known by name or not: a compiler starts and ends between two looks.
    const double unnamed = std::max(0.0, it.seen.machine_cpu - it.sums.cpu - used);
    const bool named = used >= neighbours_cpu_min;
    if (!named && unnamed < neighbours_cpu_min) return std::nullopt;
    return Finding{.kind = it.slow(),
                   .cause = Cause::neighbour,
                   .confidence = Confidence::high,
                   .summary = named ? Line{What::is_neighbour, {it.who, names}}
                                    : Line{What::is_neighbour_unnamed, {it.who, number(used + unnamed)}},
                   .awaited = "CPU",
                   .offender = named ? worst : "",
                   .decided_by = {{"run_delay_share", it.sums.delay_share},
                                  {"runnable_per_cpu", per(it.sums.runnable, it.seen.cpus_allowed)},
                                  {"neighbours_cpu_cores", named ? used : used + unnamed}},
                   .evidence = std::move(evidence),
                   .against = {it.one_window()},
                   .remedy = {What::do_neighbour, {}}};
}

}  // namespace assay::diagnosis
