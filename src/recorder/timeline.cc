#include "recorder/timeline.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/shown.hh"
#include "base/text.hh"
#include "recorder/suspicion.hh"
#include "sys/zone.hh"

namespace assay::recorder {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t groups_kept_max = 512;      // of a long recording; later ones are not drawn
constexpr double gap_min_s = 3;                   // a hole in the recording worth a word

struct SignWord {
    Sign sign;
    std::string_view word;
};
constexpr SignWord sign_words[] = {
    {Sign::memory_stall, "memory stall"}, {Sign::refaults, "page cache thrash"}, {Sign::memory_low, "memory low"},
    {Sign::io_stall, "disk stall"},       {Sign::cpu_stall, "cpu stall"},        {Sign::loop_lag, "server late"},
    {Sign::late, "recorder late"},        {Sign::blocked, "tasks blocked"},      {Sign::trigger, "pressure trigger"},
};

void worst_of(Rates& all, const Rates& now) {
    const auto most = [&](double Rates::* field) { all.*field = std::max(all.*field, now.*field); };
    for (const auto field : {&Rates::seconds,           &Rates::stopped_seconds,     &Rates::memory_some_share,
                             &Rates::memory_full_share, &Rates::io_some_share,       &Rates::io_full_share,
                             &Rates::cpu_some_share,    &Rates::refaults_per_s,      &Rates::major_faults_per_s,
                             &Rates::read_bytes_per_s,  &Rates::written_bytes_per_s, &Rates::reads_per_s,
                             &Rates::writes_per_s,      &Rates::disk_busy_share,     &Rates::disk_wait_ms,
                             &Rates::cpu_user_share,    &Rates::cpu_system_share,    &Rates::cpu_iowait_share,
                             &Rates::cpu_steal_share,   &Rates::core_busy_share_max, &Rates::received_bytes_per_s,
                             &Rates::sent_bytes_per_s,  &Rates::requests_per_s}) {
        most(field);
    }
    if (std::abs(now.clock_step_seconds) > std::abs(all.clock_step_seconds))
        all.clock_step_seconds = now.clock_step_seconds;
    all.direct_steal_ratio = std::min(all.direct_steal_ratio, now.direct_steal_ratio);
    all.loop_lag_ms_max = std::max(all.loop_lag_ms_max, now.loop_lag_ms_max);
    all.lost_frames += now.lost_frames;
}

// Eight steps of a bar for a share.
std::string_view bar(double share) {
    constexpr std::string_view steps[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int step = share < 0.005 ? 0 : 1 + static_cast<int>(std::min(share, 0.999) * 8);
    return steps[step];
}

std::string clock_text(std::int64_t time_ns, const std::string& zone) {
    const sys::LocalTime t = sys::local_time(sys::wall_from_ms(time_ns / 1'000'000), zone);
    return fmt::format("{:02}:{:02}:{:02}.{}", t.hour, t.minute, t.second, t.millisecond / 100);
}

}  // namespace

std::string words_of_signs(std::uint64_t signs) {
    std::string words;
    for (const SignWord& one : sign_words) {
        if ((signs & static_cast<std::uint64_t>(one.sign)) == 0) continue;
        if (!words.empty()) words += ", ";
        words += one.word;
    }
    return words;
}

std::string words_of_event(const Event& event) {
    const std::string text = escaped(event.text.view());
    switch (static_cast<EventKind>(event.kind)) {
        case EventKind::none: return "nothing";
        case EventKind::job_started: return fmt::format("job {} started", event.subject);
        case EventKind::job_ended: return fmt::format("job {} ended: {}", event.subject, text);
        case EventKind::admission: return fmt::format("admission at level {}: {}", event.value, text);
        case EventKind::alarm: return fmt::format("alarm {} {}", text, event.value != 0 ? "fires" : "resolved");
        case EventKind::server_started: return "server started";
        case EventKind::server_stopping: return "server stops";
        case EventKind::runner_lost: return "runner lost";
        case EventKind::clock_step:
            return fmt::format("wall clock jumped by {:.3f} s",
                               static_cast<double>(static_cast<std::int64_t>(event.value)) / 1e3);
        case EventKind::boot: return "recorder started";
    }
    return fmt::format("event {} of {}", event.kind, event.subject);
}

std::int64_t step_for(std::int64_t from_ns, std::int64_t to_ns) {
    const double length = std::max(0.0, static_cast<double>(to_ns) - static_cast<double>(from_ns));
    const double wanted = length / static_cast<double>(points_max);
    if (wanted <= static_cast<double>(suspicious_interval_ms) * 1e6)
        return static_cast<std::int64_t>(suspicious_interval_ms) * 1'000'000;
    return static_cast<std::int64_t>(std::min(std::ceil(wanted / 1e9), 1e9)) * second_ns;
}

void Timeline::add(const Frame& frame) {
    const bool first = before_.sequence == 0;
    const Rates rates = first ? Rates{} : rates_between(before_, frame);
    // Rows rise by the order of frames; a clock that was set back begins no row of the past.
    constexpr std::int64_t latest_ns =
        4'000'000'000 * second_ns;  // the year 2096: what a damaged clock says beyond that cannot be drawn
    const std::int64_t time_ns =
        std::clamp(frame.real_time_ns, std::min(std::max<std::int64_t>(from_ns_, 0), latest_ns), latest_ns);
    const bool fresh =
        points_.empty() || time_ns >= points_.back().time_ns + step_ns_ || time_ns < points_.back().time_ns;
    if (fresh && points_.size() < 2 * points_max) points_.push_back({.time_ns = time_ns});
    Point& point = points_.back();
    const double usual_s = static_cast<double>(std::max<std::uint64_t>(before_.recorder.interval_ms, 1)) / 1e3;
    const bool gap = !first && rates.seconds > std::max(gap_min_s, 3 * usual_s);
    ++point.frames;
    point.signs |= signs_of(rates, frame);
    worst_of(point.worst, rates);
    if (frame.memory.total_bytes > 0) {
        point.available_share = std::min(point.available_share, static_cast<double>(frame.memory.available_bytes) /
                                                                    static_cast<double>(frame.memory.total_bytes));
    }
    point.late_ms = std::max<std::uint64_t>(point.late_ms, frame.late_us / 1'000);
    point.jobs_running = std::max(point.jobs_running, frame.server.jobs_running);
    point.jobs_waiting = std::max(point.jobs_waiting, frame.server.jobs_waiting);
    if (gap) point.gap_s = std::max(point.gap_s, rates.seconds);
    for (const Event& event : frame.events) {
        if (events_.size() == line_events_max) break;
        const std::int64_t ago_ns = event.monotonic_ns <= frame.monotonic_ns
                                        ? static_cast<std::int64_t>(std::min<std::uint64_t>(
                                              frame.monotonic_ns - event.monotonic_ns, 10ULL * second_ns))
                                        : 0;
        events_.push_back({.time_ns = time_ns - ago_ns, .event = event});
    }
    add_groups(frame, time_ns, first);
    last_ns_ = std::max(last_ns_, time_ns);
    before_ = frame;
}

void Timeline::add_groups(const Frame& frame, std::int64_t time_ns, bool first) {
    for (const Cgroup& group : frame.cgroups) {
        auto found = groups_.find(group.id);
        if (found == groups_.end()) {
            if (groups_.size() == groups_kept_max) continue;
            found = groups_.emplace(group.id, LineGroup{.name = std::string{group.name.view()}}).first;
        }
        LineGroup& line = found->second;
        line.memory_bytes_max = std::max(line.memory_bytes_max, group.memory_bytes);
        if (!first) add_use(line, group, time_ns, frame);
        if (line.memory.empty() || time_ns >= line.memory.back().first + step_ns_) {
            if (line.memory.size() < 2 * points_max) line.memory.emplace_back(time_ns, group.memory_bytes);
        } else {
            line.memory.back().second = std::max(line.memory.back().second, group.memory_bytes);
        }
    }
}

void Timeline::add_use(LineGroup& line, const Cgroup& group, std::int64_t time_ns, const Frame& frame) const {
    constexpr double worth_cpu_s = 0.01;
    constexpr double worth_bytes = 64 * 1024;
    const double seconds = rates_between(before_, frame).seconds;
    const CgroupRates rates = cgroup_rates(before_, frame, group);
    const GroupUse use{.time_ns = time_ns,
                       .job = group.job,
                       .cpu_s = rates.cpu_share * seconds,
                       .disk_bytes = (rates.read_bytes_per_s + rates.written_bytes_per_s) * seconds,
                       .grown_bytes = rates.anon_bytes_per_s * seconds};
    if (use.cpu_s < worth_cpu_s && use.disk_bytes < worth_bytes && std::abs(use.grown_bytes) < worth_bytes) return;
    const bool joins = !line.uses.empty() && line.uses.back().job == use.job && time_ns < line.uses.back().time_ns + step_ns_;
    if (joins) {
        line.uses.back().cpu_s += use.cpu_s;
        line.uses.back().disk_bytes += use.disk_bytes;
        line.uses.back().grown_bytes += use.grown_bytes;
    } else if (line.uses.size() < 2 * points_max) {
        line.uses.push_back(use);
    }
}

std::string Timeline::offender_of(const Band& band) const {
    constexpr std::int64_t grown_before_ns = 30 * second_ns;  // memory grew before anything stalled
    constexpr double nearly_all = 0.8;
    const auto has = [&band](std::initializer_list<Sign> signs) {
        return std::ranges::any_of(signs, [&](Sign sign) { return (band.signs & static_cast<std::uint64_t>(sign)) != 0; });
    };
    double GroupUse::* what = &GroupUse::cpu_s;
    double worth = 0.1;
    if (has({Sign::memory_stall, Sign::refaults, Sign::memory_low, Sign::trigger})) what = &GroupUse::grown_bytes, worth = 8 << 20;
    else if (has({Sign::io_stall, Sign::blocked})) what = &GroupUse::disk_bytes, worth = 1 << 20;
    struct Sum {
        double now = 0;
        double used = 0;  // at its most: who grew and was ended for it has given all of it back
        std::uint64_t job = 0;
    };
    std::map<std::string, Sum> sums;  // by name: a group that was made again for the same job is one
    for (const auto& [id, group] : groups_) {
        for (const GroupUse& use : group.uses) {
            const std::int64_t from_ns = band.from_ns - (what == &GroupUse::grown_bytes ? grown_before_ns : 0);
            if (use.time_ns < from_ns || use.time_ns > band.to_ns) continue;
            Sum& sum = sums[use.job == 0 ? group.name : fmt::format("{}\n{}", group.name, use.job)];
            sum.now += use.*what;
            sum.used = std::max(sum.used, sum.now);
            sum.job = use.job;
        }
    }
    const auto most = std::ranges::max_element(sums, {}, [](const auto& entry) { return entry.second.used; });
    if (most == sums.end() || most->second.used < worth) return "";
    const auto name_of = [](const auto& entry) { return entry.first.substr(0, entry.first.find('\n')); };
    auto chosen = most;
    for (auto it = sums.begin(); it != sums.end(); ++it) {
        if (name_of(*it).starts_with(name_of(*chosen) + "/") && it->second.used > nearly_all * most->second.used) chosen = it;
    }
    const std::string who = chosen->second.job != 0 ? fmt::format("job {} (group {})", chosen->second.job, name_of(*chosen)) : "group " + name_of(*chosen);
    const double used = chosen->second.used;
    if (what == &GroupUse::cpu_s) return fmt::format("{} used {:.1f} s of processor time", who, used);
    return fmt::format("{} {} {}", who, what == &GroupUse::grown_bytes ? "grew by" : "read and wrote", size_text(static_cast<std::int64_t>(used)));
}

std::vector<LineGroup> Timeline::groups() const {
    std::vector<LineGroup> all;
    for (const auto& [id, group] : groups_) all.push_back(group);
    std::ranges::sort(all,
                      [](const LineGroup& a, const LineGroup& b) { return a.memory_bytes_max > b.memory_bytes_max; });
    if (all.size() > line_groups_max) all.resize(line_groups_max);
    return all;
}

std::vector<Band> Timeline::bands() const {
    constexpr std::int64_t joined_ns = 5 * second_ns;
    constexpr std::uint64_t alone = static_cast<std::uint64_t>(Sign::cpu_stall);
    std::vector<Band> bands;
    for (const Point& point : points_) {
        if ((point.signs & ~alone) == 0) continue;
        const std::int64_t end_ns = point.time_ns + step_ns_;
        if (bands.empty() || point.time_ns > bands.back().to_ns + std::max(joined_ns, 2 * step_ns_)) {
            bands.push_back({.from_ns = point.time_ns, .worst = {.time_ns = point.time_ns}});
        }
        Band& band = bands.back();
        band.to_ns = end_ns;
        band.signs |= point.signs;
        worst_of(band.worst.worst, point.worst);
        band.worst.available_share = std::min(band.worst.available_share, point.available_share);
        band.worst.late_ms = std::max(band.worst.late_ms, point.late_ms);
        band.worst.gap_s = std::max(band.worst.gap_s, point.gap_s);
    }
    return bands;
}

std::vector<LineJob> Timeline::jobs() const {
    std::vector<LineJob> jobs;
    std::map<std::uint64_t, std::size_t> running;
    for (const LineEvent& one : events_) {
        const auto kind = static_cast<EventKind>(one.event.kind);
        const std::uint64_t job = one.event.subject;
        if (kind == EventKind::job_started && jobs.size() < line_jobs_max) {
            running[job] = jobs.size();
            jobs.push_back({.job = job, .from_ns = one.time_ns, .to_ns = std::max(last_ns_, one.time_ns)});
        } else if (kind == EventKind::job_ended) {
            const auto found = running.find(job);
            if (found != running.end()) {
                jobs[found->second].to_ns = one.time_ns;
                jobs[found->second].verdict = one.event.text.view();
                running.erase(found);
            } else if (jobs.size() < line_jobs_max && !points_.empty()) {
                jobs.push_back({.job = job,
                                .from_ns = points_.front().time_ns,
                                .to_ns = one.time_ns,
                                .verdict = std::string{one.event.text.view()}});
            }
        }
    }
    std::ranges::sort(jobs, [](const LineJob& a, const LineJob& b) { return a.from_ns < b.from_ns; });
    return jobs;
}

std::string rows_header() {
    return "time        memory some full  io some full  cpu   free   refault/s     disk  read/s   write/s    lag ms  "
           "jobs  late ms  signs\n";
}

std::string row_of(const Point& p, const std::string& zone) {
    const Rates& r = p.worst;
    const auto share = [](double value) { return fmt::format("{}{:>3.0f}%", bar(value), value * 100); };
    std::string row;
    if (p.gap_s > 0) row = fmt::format("{:10}  no frame for {:.1f} s\n", "", p.gap_s);
    row += fmt::format(
        "{:10}   {} {}   {} {}  {}  {:>3.0f}%  {:>9.0f}   {}  {:>9} {:>9}  {:>6}  {:>2}+{:<3} {:>5}  {}\n",
        clock_text(p.time_ns, zone), share(r.memory_some_share), share(r.memory_full_share), share(r.io_some_share),
        share(r.io_full_share), share(r.cpu_some_share), p.available_share * 100, r.refaults_per_s,
        share(r.disk_busy_share), size_text(static_cast<std::int64_t>(r.read_bytes_per_s)),
        size_text(static_cast<std::int64_t>(r.written_bytes_per_s)), r.loop_lag_ms_max, p.jobs_running, p.jobs_waiting,
        p.late_ms, words_of_signs(p.signs));
    return row;
}

std::string row_of(const LineEvent& event, const std::string& zone) {
    return fmt::format("{:10}   ▸ {}\n", clock_text(event.time_ns, zone), words_of_event(event.event));
}

}  // namespace assay::recorder
