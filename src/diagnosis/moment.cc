#include "diagnosis/moment.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"

namespace assay::diagnosis {
namespace {

using recorder::Section;
using wording::Figure;
constexpr double mib = 1 << 20;
constexpr double group_use_min = 0.01;

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_groups(const recorder::Frame& before, const recorder::Frame& now, Moment& moment) {
    double limit_hits = 0;
    double oom_kills = 0;
    const double seconds = static_cast<double>(now.monotonic_ns - before.monotonic_ns) / 1e9;
    for (const recorder::Cgroup& group : now.cgroups) {
        const recorder::CgroupRates rates = recorder::cgroup_rates(before, now, group);
        const auto was = std::ranges::find(before.cgroups, group.id, &recorder::Cgroup::id);
        double limited = 0;
        if (was != before.cgroups.end()) {
            limited = static_cast<double>(recorder::grown(was->limit_hits_total, group.limit_hits_total));
            limit_hits += limited;
            oom_kills += static_cast<double>(recorder::grown(was->oom_kills_total, group.oom_kills_total));
        }
        // A group that was made since: all it has it took since, though it may be seen some seconds late.
        const bool is_new = was == before.cgroups.end() && !before.cgroups.empty() && seconds > 0;
        const bool is_job = group.job != 0;
        if (!is_job)
            moment.figures[Figure::throttled] = std::max(moment.of(Figure::throttled), rates.throttled_share * 100);
        const double full = std::max(rates.memory_full_share, rates.io_full_share);
        const bool did = rates.cpu_share > group_use_min || rates.read_bytes_per_s > mib / 8 ||
                         rates.written_bytes_per_s > mib / 8 || rates.anon_bytes_per_s > mib / 8 ||
                         is_new || full > group_use_min || limited > 0;
        if (!did) continue;
        moment.groups.push_back({.name = escaped(group.name.view()),
                                 .job = group.job,
                                 .cpu = rates.cpu_share,
                                 .read = rates.read_bytes_per_s,
                                 .written = rates.written_bytes_per_s,
                                 .grown = is_new ? static_cast<double>(group.anon_bytes) / seconds : rates.anon_bytes_per_s,
                                 .limited = limited,
                                 .full = full});
    }
    moment.figures[Figure::limit_hits] = limit_hits;
    moment.figures[Figure::oom_kills] = oom_kills;
}

void add_details(const recorder::Frame& before, const recorder::Frame& now, Moment& moment) {
    if (now.has(Section::cgroups)) add_groups(before, now, moment);
    double blocked = 0;
    constexpr std::int64_t ms_per_tick = 10;  // of USER_HZ
    const std::int64_t boot_ms = moment.at_ms - static_cast<std::int64_t>(now.monotonic_ns / 1'000'000);
    for (const recorder::Task& task : now.tasks) {
        moment.tasks.push_back({.name = escaped(task.name.view()),
                                .pid = task.pid,
                                .born_ms = boot_ms + static_cast<std::int64_t>(task.start_ticks) * ms_per_tick,
                                .cpu_s = static_cast<double>(task.cpu_ms_total) / 1000});
        if (task.state != 'D') continue;
        ++blocked;
        const std::string_view where = task.stack.empty() ? task.wait_channel.view() : task.stack.view();
        moment.blocked.push_back({.name = fmt::format("{}[{}]", escaped(task.name.view()), task.pid),
                                  .where = escaped(where),
                                  .frames = task.in_d_frames});
    }
    if (now.has(Section::tasks)) moment.figures[Figure::waits_in_d] = blocked;
    for (const recorder::SlowRequest& request : now.slow_requests)
        moment.slow.push_back(fmt::format("{} {}", escaped(request.route.view()), request.took_ms));
}

const recorder::Event* event_of(const recorder::Frame& frame, recorder::EventKind kind) {
    const auto is = [kind](const recorder::Event& one) { return one.kind == static_cast<std::uint64_t>(kind); };
    const auto found = std::ranges::find_if(frame.events, is);
    return found == frame.events.end() ? nullptr : &*found;
}

// The recorder goes with its server and comes with the next, whose feed has nothing to tell yet. One that begins anew beside the same
// server is told that one's old events again: only a start since the last frame counts.
bool another_server(const recorder::Frame& before, const recorder::Frame& now) {
    using enum recorder::EventKind;
    if (before.boot != now.boot || !now.has(Section::server) || event_of(now, boot) == nullptr) return false;
    if (event_of(before, server_stopping) != nullptr) return true;
    if (const recorder::Event* const started = event_of(now, server_started)) return started->monotonic_ns > before.monotonic_ns;
    return std::ranges::all_of(now.events, [](const recorder::Event& one) {
        return one.kind == static_cast<std::uint64_t>(boot) || one.kind == static_cast<std::uint64_t>(clock_step);
    });
}

}  // namespace

Moment moment_of(const recorder::Frame& before, const recorder::Frame& now, bool detail) {
    const recorder::Rates rates = recorder::rates_between(before, now);
    Moment moment{.at_ms = now.real_time_ns / 1'000'000};
    auto& figures = moment.figures;
    if (now.has(Section::pressure)) {
        figures[Figure::memory_full] = rates.memory_full_share * 100;
        figures[Figure::io_full] = rates.io_full_share * 100;
        figures[Figure::cpu_some] = rates.cpu_some_share * 100;
    }
    if (now.has(Section::reclaim)) figures[Figure::refaults_per_s] = rates.refaults_per_s;
    if (now.has(Section::memory)) {
        figures[Figure::available] = share(now.memory.available_bytes, now.memory.total_bytes) * 100;
        moment.file_memory =
            share(now.memory.active_file_bytes + now.memory.inactive_file_bytes, now.memory.total_bytes);
    }
    if (now.has(Section::disks)) {
        figures[Figure::disk_busy] = rates.disk_busy_share * 100;
        figures[Figure::read_per_s] = rates.read_bytes_per_s / mib;
        figures[Figure::written_per_s] = rates.written_bytes_per_s / mib;
        figures[Figure::disk_wait_ms] = rates.disk_wait_ms;
        figures[Figure::disk_requests_per_s] = rates.reads_per_s + rates.writes_per_s;
        double flush_ms = 0;
        for (const recorder::Disk& disk : now.disks) {
            const auto was =
                std::ranges::find_if(before.disks, [&](const recorder::Disk& one) { return one.name == disk.name; });
            if (was != before.disks.end())
                flush_ms += static_cast<double>(recorder::grown(was->flush_ms_total, disk.flush_ms_total));
        }
        figures[Figure::flush_ms] = rates.seconds > 0 ? flush_ms / rates.seconds : 0;
    }
    if (now.has(Section::cpu)) figures[Figure::steal] = rates.cpu_steal_share * 100;
    if (now.has(Section::cores)) figures[Figure::core_busiest] = rates.core_busy_share_max * 100;
    if (now.has(Section::net)) {
        figures[Figure::listen_overflows] =
            static_cast<double>(recorder::grown(before.net.listen_overflows_total, now.net.listen_overflows_total) +
                                recorder::grown(before.net.listen_drops_total, now.net.listen_drops_total)) /
            2;
        figures[Figure::open_files] = share(now.net.open_files, now.net.open_files_max) * 100;
    }
    if (now.has(Section::loops)) figures[Figure::loop_lag_ms] = static_cast<double>(rates.loop_lag_ms_max);
    if (now.has(Section::server)) {
        figures[Figure::told_age_ms] = static_cast<double>(now.server.told_age_ms);
        figures[Figure::commit_ms] = static_cast<double>(now.server.commit_ms_max);
        figures[Figure::uploads] = static_cast<double>(now.server.uploads_receiving);
        figures[Figure::connections] = static_cast<double>(now.server.connections);
        figures[Figure::jobs_running] = static_cast<double>(now.server.jobs_running);
    }
    figures[Figure::late_ms] = static_cast<double>(now.late_us) / 1000;
    figures[Figure::gap_s] = rates.seconds;
    figures[Figure::stopped_s] = rates.stopped_seconds;
    figures[Figure::clock_step_s] = rates.clock_step_seconds < 0 ? -rates.clock_step_seconds : rates.clock_step_seconds;
    for (const recorder::Event& event : now.events) {
        const auto kind = static_cast<recorder::EventKind>(event.kind);
        if (kind == recorder::EventKind::runner_lost) moment.runner_lost = true;
        if (kind == recorder::EventKind::admission) moment.decisions.push_back(escaped(event.text.view()));
        // A start of the machine between them: how long it was away is told by the wall clock alone.
        if (kind == recorder::EventKind::boot)
            figures[Figure::gap_s] = std::max(1.0, static_cast<double>(now.real_time_ns - before.real_time_ns) / 1e9);
    }
    moment.server_stopped = another_server(before, now);
    if (detail) add_details(before, now, moment);
    return moment;
}

}  // namespace assay::diagnosis
