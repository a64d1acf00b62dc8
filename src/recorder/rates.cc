#include "recorder/rates.hh"

#include <algorithm>

#include "recorder/feed.hh"

namespace assay::recorder {
namespace {

constexpr double clock_step_min_s = 0.5;  // less is adjusting, not a jump

double per(std::uint64_t before, std::uint64_t now, double unit) {
    return unit > 0 ? static_cast<double>(grown(before, now)) / unit : 0;
}

const auto* same_row(const auto& rows, const auto& wanted, auto&& key) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return key(row) == key(wanted); });
    return found == rows.end() ? nullptr : found;
}

double seconds_between(const Frame& before, const Frame& now) {
    if (before.boot != now.boot || now.monotonic_ns <= before.monotonic_ns) return 0;
    return static_cast<double>(now.monotonic_ns - before.monotonic_ns) / 1e9;
}

void add_disks(const Frame& before, const Frame& now, double s, Rates& rates) {
    std::uint64_t requests = 0;
    std::uint64_t waited_ms = 0;
    for (const Disk& disk : now.disks) {
        const Disk* const was = same_row(before.disks, disk, [](const Disk& d) { return d.name.view(); });
        if (was == nullptr) continue;
        rates.read_bytes_per_s += per(was->read_bytes_total, disk.read_bytes_total, s);
        rates.written_bytes_per_s += per(was->written_bytes_total, disk.written_bytes_total, s);
        rates.reads_per_s += per(was->reads_total, disk.reads_total, s);
        rates.writes_per_s += per(was->writes_total, disk.writes_total, s);
        rates.disk_busy_share =
            std::max(rates.disk_busy_share, std::min(1.0, per(was->busy_ms_total, disk.busy_ms_total, s * 1e3)));
        requests += grown(was->reads_total, disk.reads_total) + grown(was->writes_total, disk.writes_total);
        waited_ms += grown(was->read_ms_total, disk.read_ms_total) + grown(was->write_ms_total, disk.write_ms_total);
    }
    if (requests > 0) rates.disk_wait_ms = static_cast<double>(waited_ms) / static_cast<double>(requests);
}

void add_processors(const Frame& before, const Frame& now, Rates& rates) {
    const Cpu& a = before.cpu;
    const Cpu& b = now.cpu;
    const std::uint64_t user = grown(a.user_ms_total, b.user_ms_total);
    const std::uint64_t system = grown(a.system_ms_total, b.system_ms_total);
    const std::uint64_t iowait = grown(a.iowait_ms_total, b.iowait_ms_total);
    const std::uint64_t steal = grown(a.steal_ms_total, b.steal_ms_total);
    const auto all = static_cast<double>(user + system + iowait + steal + grown(a.idle_ms_total, b.idle_ms_total));
    if (all > 0) {
        rates.cpu_user_share = static_cast<double>(user) / all;
        rates.cpu_system_share = static_cast<double>(system) / all;
        rates.cpu_iowait_share = static_cast<double>(iowait) / all;
        rates.cpu_steal_share = static_cast<double>(steal) / all;
    }
    for (const Core& core : now.cores) {
        const Core* const was = same_row(before.cores, core, [](const Core& c) { return c.number; });
        if (was == nullptr) continue;
        const double share = per(was->busy_ms_total, core.busy_ms_total, rates.seconds * 1e3);
        rates.core_busy_share_max = std::max(rates.core_busy_share_max, std::min(1.0, share));
    }
}

}  // namespace

Rates rates_between(const Frame& before, const Frame& now) {
    Rates rates;
    for (const Loop& loop : now.loops) {
        // Between two beats a loop is not late.
        const std::uint64_t overdue_ms = loop.beat_age_ms > feed_tick_ms ? loop.beat_age_ms - feed_tick_ms : 0;
        rates.loop_lag_ms_max = std::max({rates.loop_lag_ms_max, loop.lag_ms_max, overdue_ms});
    }
    rates.lost_frames = now.sequence > before.sequence + 1 ? now.sequence - before.sequence - 1 : 0;
    const double s = seconds_between(before, now);
    if (s <= 0) return rates;
    rates.seconds = s;
    rates.stopped_seconds = std::max(0.0, static_cast<double>(grown(before.boot_time_ns, now.boot_time_ns)) / 1e9 - s);
    const double step = (static_cast<double>(now.real_time_ns) - static_cast<double>(before.real_time_ns)) / 1e9 - s -
                        rates.stopped_seconds;
    if (step > clock_step_min_s || step < -clock_step_min_s) rates.clock_step_seconds = step;

    const auto share = [s](std::uint64_t a, std::uint64_t b) { return std::min(1.0, per(a, b, s * 1e6)); };
    rates.memory_some_share = share(before.pressure.memory_some_us_total, now.pressure.memory_some_us_total);
    rates.memory_full_share = share(before.pressure.memory_full_us_total, now.pressure.memory_full_us_total);
    rates.io_some_share = share(before.pressure.io_some_us_total, now.pressure.io_some_us_total);
    rates.io_full_share = share(before.pressure.io_full_us_total, now.pressure.io_full_us_total);
    rates.cpu_some_share = share(before.pressure.cpu_some_us_total, now.pressure.cpu_some_us_total);
    rates.refaults_per_s = per(before.reclaim.refaults_file_total, now.reclaim.refaults_file_total, s);
    rates.major_faults_per_s = per(before.reclaim.major_faults_total, now.reclaim.major_faults_total, s);
    const std::uint64_t scanned =
        grown(before.reclaim.scanned_direct_pages_total, now.reclaim.scanned_direct_pages_total);
    if (scanned > 0) {
        rates.direct_steal_ratio = per(before.reclaim.stolen_direct_pages_total, now.reclaim.stolen_direct_pages_total,
                                       static_cast<double>(scanned));
    }
    add_disks(before, now, s, rates);
    add_processors(before, now, rates);
    rates.received_bytes_per_s = per(before.net.received_bytes_total, now.net.received_bytes_total, s);
    rates.sent_bytes_per_s = per(before.net.sent_bytes_total, now.net.sent_bytes_total, s);
    rates.requests_per_s = per(before.server.requests_total, now.server.requests_total, s);
    return rates;
}

CgroupRates cgroup_rates(const Frame& before, const Frame& now, const Cgroup& group) {
    const double s = seconds_between(before, now);
    const Cgroup* was = same_row(before.cgroups, group, [](const Cgroup& g) { return g.id; });
    static const Cgroup nothing;
    if (was == nullptr && group.job != 0) was = &nothing;  // A job's group is as new as what it did.
    if (s <= 0 || was == nullptr) return {};
    return {.cpu_share = per(was->cpu_us_total, group.cpu_us_total, s * 1e6),
            .throttled_share = per(was->throttled_us_total, group.throttled_us_total, s * 1e6),
            .read_bytes_per_s = per(was->read_bytes_total, group.read_bytes_total, s),
            .written_bytes_per_s = per(was->written_bytes_total, group.written_bytes_total, s),
            .refaults_per_s = per(was->refaults_file_total, group.refaults_file_total, s),
            .memory_full_share = std::min(1.0, per(was->memory_full_us_total, group.memory_full_us_total, s * 1e6)),
            .io_full_share = std::min(1.0, per(was->io_full_us_total, group.io_full_us_total, s * 1e6)),
            .anon_bytes_per_s = (static_cast<double>(group.anon_bytes) - static_cast<double>(was->anon_bytes)) / s};
}

}  // namespace assay::recorder
