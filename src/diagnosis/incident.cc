#include "diagnosis/incident.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "diagnosis/offender.hh"

namespace assay::diagnosis {
namespace {

using wording::Figure;
using wording::Trouble;
using wording::TroubleLine;

// What is a stall. The first kind alone; the second when two moments within five seconds show it.
bool strong_sign(const Moment& at) {
    // A recorder that alone is late was kept from running, and harmed nobody: the server tells how late its loops were in that time.
    const bool in_time = at.figures.contains(Figure::loop_lag_ms) && at.of(Figure::loop_lag_ms) <= 200;
    return (at.of(Figure::late_ms) > 1000 && !in_time) || at.of(Figure::gap_s) > 3 || at.of(Figure::stopped_s) > 1 ||
           at.of(Figure::clock_step_s) > 2 || at.of(Figure::told_age_ms) > 3000 || at.of(Figure::loop_lag_ms) > 1000 ||
           at.of(Figure::commit_ms) > 2000 || at.runner_lost || at.decided("disk_reserve") ||
           at.decided("store_read_only") || at.decided("image");  // said once, when it begins
}
bool weak_sign(const Moment& at) {
    return at.of(Figure::loop_lag_ms) > 200 || at.of(Figure::memory_full) > 20 || at.of(Figure::io_full) > 20 ||
           at.of(Figure::commit_ms) > 500 || at.of(Figure::listen_overflows) > 0 || at.of(Figure::steal) > 20 ||
           at.of(Figure::open_files) > 95 ||
           at.of(Figure::limit_hits) > 0 || at.of(Figure::uploads) > 500;
}
// Whether it would be a stall but for a server that did not run.
bool stalled_besides(Moment at) {
    if (at.server_stopped) at.figures.erase(Figure::gap_s);
    return strong_sign(at) || weak_sign(at);
}
constexpr std::int64_t weak_within_ms = 5'000;
constexpr int weak_signs_min = 2;

// What is usual: medians over the calm before.
struct Usual {
    std::map<Figure, double> medians;
    double file_memory = 0;
    double of(Figure figure) const {
        const auto found = medians.find(figure);
        return found == medians.end() ? 0 : found->second;
    }
};

template <class Values>
double median(Values values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Usual usual_of(std::span<const Moment> calm) {
    Usual usual;
    std::map<Figure, std::vector<double>> all;
    std::vector<double> file_memory;
    for (const Moment& at : calm) {
        for (const auto& [figure, value] : at.figures) all[figure].push_back(value);
        file_memory.push_back(at.file_memory);
    }
    for (auto& [figure, values] : all) usual.medians[figure] = median(std::move(values));
    usual.file_memory = median(std::move(file_memory));
    return usual;
}

bool thrashes(const Moment& at) {
    return at.of(Figure::refaults_per_s) > 200 && (at.of(Figure::memory_full) > 5 || at.of(Figure::io_full) > 30);
}
bool low_memory(const Moment& at) { return at.figures.contains(Figure::available) && at.of(Figure::available) < 8; }
bool disk_is_full_of_work(const Moment& at) {
    return at.of(Figure::disk_busy) > 95 && at.of(Figure::refaults_per_s) < 200;
}
bool blocked_in(const Moment& at, std::initializer_list<std::string_view> places) {
    return std::ranges::any_of(at.blocked, [&](const BlockedTask& task) {
        return std::ranges::any_of(places, [&](std::string_view place) { return task.where.contains(place); });
    });
}
bool unpressed(const Moment& at) {
    return at.of(Figure::memory_full) < 1 && at.of(Figure::io_full) < 1 && at.of(Figure::cpu_some) < 20 &&
           at.blocked.empty() && at.of(Figure::steal) < 5;
}
bool late(const Moment& at) { return at.of(Figure::loop_lag_ms) > 200 || at.of(Figure::told_age_ms) > 3000; }

struct Rule {
    Trouble trouble;
    bool (*holds)(const Moment&, const Usual&);
    double share_min;  // of the incident's moments; 0: one is enough
    By by;
    std::initializer_list<Figure> figures;
};

// Facts and limits of each: docs/why.md. The order is that of roots: what stands above causes what stands below.
const Rule rules[] = {
    {Trouble::blackout,
     [](const Moment& at, const Usual&) {
         return (at.of(Figure::gap_s) > 3 && !at.server_stopped) || at.of(Figure::stopped_s) > 3;
     },
     0,
     By::nobody,
     {Figure::gap_s, Figure::stopped_s, Figure::late_ms}},
    {Trouble::clock_jump,
     [](const Moment& at, const Usual&) { return at.of(Figure::clock_step_s) > 2 && at.of(Figure::gap_s) <= 3; },
     0,
     By::nobody,
     {Figure::clock_step_s, Figure::late_ms, Figure::loop_lag_ms}},
    {Trouble::steal,
     [](const Moment& at, const Usual&) {
         return at.of(Figure::steal) > 20 || (at.of(Figure::stopped_s) > 1 && at.of(Figure::stopped_s) <= 3);
     },
     0.2,
     By::nobody,
     {Figure::steal, Figure::cpu_some, Figure::late_ms}},
    {Trouble::memory_thrash,
     [](const Moment& at, const Usual& usual) {
         return thrashes(at) && low_memory(at) && (usual.file_memory == 0 || at.file_memory < usual.file_memory);
     },
     0.1,
     By::grown,
     {Figure::refaults_per_s, Figure::memory_full, Figure::available, Figure::io_full}},
    {Trouble::job_at_limit,
     [](const Moment& at, const Usual&) {
         return (at.of(Figure::limit_hits) > 0 || at.of(Figure::oom_kills) > 0) && !low_memory(at);
     },
     0,
     By::limited,
     {Figure::limit_hits, Figure::oom_kills, Figure::available}},
    {Trouble::cache_refill,
     [](const Moment& at, const Usual&) {
         return at.of(Figure::memory_full) > 5 && at.of(Figure::refaults_per_s) < 50 && at.of(Figure::available) > 15 &&
                at.of(Figure::limit_hits) == 0;
     },
     0.2,
     By::nobody,
     {Figure::memory_full, Figure::refaults_per_s, Figure::available}},
    {Trouble::disk_full,
     [](const Moment& at, const Usual&) { return at.decided("disk_reserve"); },
     0,
     By::nobody,
     {Figure::written_per_s, Figure::commit_ms, Figure::uploads}},
    {Trouble::disk_writer,
     [](const Moment& at, const Usual&) {
         return disk_is_full_of_work(at) && at.of(Figure::written_per_s) > 1 &&
                at.of(Figure::written_per_s) > at.of(Figure::read_per_s);
     },
     0.3,
     By::written,
     {Figure::disk_busy, Figure::written_per_s, Figure::io_full, Figure::disk_wait_ms}},
    {Trouble::disk_reader,
     [](const Moment& at, const Usual&) {
         return disk_is_full_of_work(at) && at.of(Figure::read_per_s) > 1 &&
                at.of(Figure::read_per_s) >= at.of(Figure::written_per_s) && !low_memory(at);
     },
     0.3,
     By::read,
     {Figure::disk_busy, Figure::read_per_s, Figure::io_full, Figure::disk_wait_ms}},
    {Trouble::nfs_slow,
     [](const Moment& at, const Usual&) { return blocked_in(at, {"rpc_wait", "nfs", "__rpc_execute"}); },
     0.2,
     By::nobody,
     {Figure::waits_in_d, Figure::disk_busy, Figure::loop_lag_ms}},
    {Trouble::fsync_convoy,
     [](const Moment& at, const Usual&) {
         return blocked_in(at, {"jbd2", "wait_transaction"}) &&
                (at.of(Figure::flush_ms) > 300 || at.of(Figure::commit_ms) > 500);
     },
     0.2,
     By::written,
     {Figure::flush_ms, Figure::commit_ms, Figure::waits_in_d}},
    {Trouble::disk_slow,
     [](const Moment& at, const Usual& usual) {
         return at.of(Figure::disk_wait_ms) > 10 * std::max(1.0, usual.of(Figure::disk_wait_ms)) &&
                at.of(Figure::disk_requests_per_s) > 0 &&
                at.of(Figure::read_per_s) + at.of(Figure::written_per_s) < 20 && at.of(Figure::refaults_per_s) < 200;
     },
     0.3,
     By::nobody,
     {Figure::disk_wait_ms, Figure::disk_requests_per_s, Figure::disk_busy}},
    {Trouble::cgroup_throttled,
     [](const Moment& at, const Usual&) { return at.of(Figure::throttled) > 20; },
     0.3,
     By::nobody,
     {Figure::throttled, Figure::cpu_some, Figure::loop_lag_ms}},
    {Trouble::cpu_starved,
     [](const Moment& at, const Usual&) {
         return at.of(Figure::cpu_some) > 50 && at.of(Figure::steal) < 10 && at.of(Figure::throttled) <= 20;
     },
     0.3,
     By::cpu,
     {Figure::cpu_some, Figure::core_busiest, Figure::steal, Figure::jobs_running}},
    {Trouble::core_pinned,
     [](const Moment& at, const Usual&) {
         return at.of(Figure::core_busiest) > 97 && at.of(Figure::cpu_some) < 20 && late(at);
     },
     0.5,
     By::cpu,
     {Figure::core_busiest, Figure::cpu_some, Figure::loop_lag_ms}},
    {Trouble::commit_stalled,
     [](const Moment& at, const Usual&) { return at.of(Figure::commit_ms) > 500; },
     0,
     By::nobody,
     {Figure::commit_ms, Figure::io_full, Figure::flush_ms}},
    {Trouble::accept_queue_full,
     [](const Moment& at, const Usual&) { return at.of(Figure::listen_overflows) > 0; },
     0,
     By::nobody,
     {Figure::listen_overflows, Figure::loop_lag_ms, Figure::connections}},
    {Trouble::descriptors_gone,
     [](const Moment& at, const Usual&) { return at.of(Figure::open_files) > 90; },
     0.2,
     By::nobody,
     {Figure::open_files, Figure::connections, Figure::uploads}},
    {Trouble::slow_clients,
     [](const Moment& at, const Usual& usual) {
         return at.of(Figure::uploads) > 100 && at.of(Figure::uploads) > 5 * std::max(1.0, usual.of(Figure::uploads)) &&
                at.of(Figure::disk_busy) < 50;  // whatever the processors do: cpu_starved stands above
     },
     0.3,
     By::nobody,
     {Figure::uploads, Figure::connections, Figure::loop_lag_ms}},
    {Trouble::runner_lost,
     [](const Moment& at, const Usual&) { return at.runner_lost; },
     0,
     By::nobody,
     {Figure::jobs_running, Figure::oom_kills, Figure::late_ms}},
    {Trouble::image_missing,
     [](const Moment& at, const Usual&) { return at.decided("image"); },
     0,
     By::nobody,
     {Figure::jobs_running, Figure::connections, Figure::loop_lag_ms}},
    {Trouble::server_stopped,
     [](const Moment& at, const Usual&) { return at.server_stopped && at.of(Figure::gap_s) > 3; },
     0,
     By::nobody,
     {Figure::gap_s}},
    {Trouble::own_bug,
     [](const Moment& at, const Usual&) {
         return late(at) && unpressed(at) && at.of(Figure::throttled) <= 20 && at.of(Figure::late_ms) < 500;
     },
     0.3,
     By::nobody,
     {Figure::loop_lag_ms, Figure::told_age_ms, Figure::cpu_some}},
};

// Where nobody waits for a processor, a server that is late does not wait for one either: a core that a job or a stranger keeps busy is not
// why. Only a thread of its own can be, which has more to do than one core does.
bool can_be_the_server(const Root& root) {
    return root.who == Who::group || root.who == Who::unknown ||
           (root.who == Who::process && root.offender.starts_with("assay"));
}

// The kernel books the time a group was held back when it lets it run again, up to a second at once: frames that come faster would show it
// in one of five, and in the others a group that waits for nothing but a processor.
std::vector<Moment> spread(std::span<const Moment> during) {
    constexpr std::int64_t period_ms_max = 1'000;
    std::vector<Moment> moments(during.begin(), during.end());
    auto first = during.begin();
    for (Moment& at : moments) {
        if (!at.figures.contains(Figure::throttled)) continue;
        while (first->at_ms < at.at_ms - period_ms_max) ++first;
        double sum = 0;
        double seconds = 0;
        for (const Moment& near : std::ranges::subrange(first, during.end())) {
            if (near.at_ms > at.at_ms + period_ms_max) break;
            const double lasted_s = near.figures.contains(Figure::gap_s) ? near.of(Figure::gap_s) : 1;
            sum += near.of(Figure::throttled) * lasted_s;
            seconds += lasted_s;
        }
        if (seconds > 0) at.figures[Figure::throttled] = sum / seconds;
    }
    return moments;
}

// What nearly was a cause, where none was: the server is not to be blamed for what came beside pressure, however short that was.
Root weakly(std::span<const Moment> during) {
    double cpu = 0;
    const Moment* disk = nullptr;
    for (const Moment& at : during) {
        cpu = std::max(cpu, at.of(Figure::cpu_some));
        if (disk == nullptr || at.of(Figure::io_full) > disk->of(Figure::io_full)) disk = &at;
    }
    constexpr double cpu_some_min = 50;
    constexpr double io_full_min = 20;
    Root root{.trouble = Trouble::own_bug, .confidence = Confidence::low};
    if (cpu > cpu_some_min) root.trouble = Trouble::cpu_starved;
    else if (disk != nullptr && disk->of(Figure::io_full) > io_full_min)
        root.trouble = disk->of(Figure::written_per_s) > disk->of(Figure::read_per_s) ? Trouble::disk_writer
                                                                                      : Trouble::disk_reader;
    return root;
}

// Memory and free places are worst when low.
bool low_is_bad(Figure figure) {
    return figure == Figure::available || figure == Figure::disk_requests_per_s || figure == Figure::jobs_running;
}

Sight sight(std::span<const Moment> during, const Usual& usual, Figure figure) {
    Sight seen{.figure = figure, .usual = usual.of(figure)};
    bool first = true;
    for (const Moment& at : during) {
        const auto found = at.figures.find(figure);
        if (found == at.figures.end()) continue;
        const bool worse = low_is_bad(figure) ? found->second < seen.worst : found->second > seen.worst;
        if (!std::exchange(first, false) && !worse) continue;
        seen.worst = found->second;
        seen.at_ms = at.at_ms;
    }
    return seen;
}

// What stayed at nearly nothing shows nothing: clocks that are read one after the other differ by some nanoseconds.
void add_sight(std::span<const Moment> during, const Usual& usual, Figure figure, Root& root) {
    constexpr double worth_telling_min = 0.01;
    const Sight seen = sight(during, usual, figure);
    if (low_is_bad(figure) || seen.worst >= worth_telling_min) root.evidence.push_back(seen);
}

}  // namespace

void Stalls::add(const Moment& at) {
    bool stalled = strong_sign(at);
    std::int64_t since_ms = at.at_ms;
    if (!stalled && weak_sign(at)) {
        if (weak_ == 0 || at.at_ms - weak_ms_ > weak_within_ms) weak_ = 0, weak_ms_ = at.at_ms;
        stalled = ++weak_ >= weak_signs_min;
        since_ms = std::min(weak_ms_, at.at_ms);
    }
    if (!stalled) return;
    // A gap is part of the incident: it began with the last frame before.
    since_ms -= static_cast<std::int64_t>(at.of(Figure::gap_s) > 3 ? at.of(Figure::gap_s) * 1000 : 0);
    if (!found_.empty() && since_ms - found_.back().to_ms <= incident_joined_ms && at.at_ms >= found_.back().from_ms)
        found_.back().to_ms = std::max(found_.back().to_ms, at.at_ms);
    else found_.push_back({.from_ms = since_ms, .to_ms = at.at_ms});
}

Incident explain(std::span<const Moment> moments, const Interval& when) {
    const auto begin = std::ranges::find_if(moments, [&](const Moment& at) { return at.at_ms >= when.from_ms; });
    const auto end = std::find_if(begin, moments.end(), [&](const Moment& at) { return at.at_ms > when.to_ms; });
    const std::span<const Moment> before{moments.begin(), begin};
    const std::vector<Moment> during = spread({begin, end});
    const Usual usual = usual_of(before);
    Incident incident{.when = when};
    for (const Rule& rule : rules) {
        Root root{.trouble = rule.trouble};
        std::size_t seen = 0;
        for (const Moment& at : during) {
            if (!rule.holds(at, usual)) continue;
            if (seen++ == 0) root.since_ms = at.at_ms;
        }
        root.share = during.empty() ? 0 : static_cast<double>(seen) / static_cast<double>(during.size());
        if (seen == 0 || root.share < rule.share_min) continue;
        root.confidence = root.share > 0.6 || rule.share_min == 0 ? Confidence::high
                          : root.share > 0.3                      ? Confidence::medium
                                                                  : Confidence::low;
        for (const Figure figure : rule.figures) add_sight(during, usual, figure, root);
        if (rule.by != By::nobody) name_offender(before, during, rule.by, root);
        if (rule.trouble == Trouble::core_pinned && !can_be_the_server(root)) continue;
        if (rule.trouble == Trouble::own_bug && !incident.causes.empty() &&
            incident.causes.back().trouble == Trouble::core_pinned)
            continue;
        incident.causes.push_back(std::move(root));
    }
    if (incident.causes.empty()) {  // It stalled, and no rule says why.
        Root root = weakly(during);
        root.since_ms = when.from_ms;
        const By by = std::ranges::find(rules, root.trouble, &Rule::trouble)->by;
        if (by != By::nobody) name_offender(before, during, by, root);
        for (const Figure figure :
             {Figure::loop_lag_ms, Figure::late_ms, Figure::cpu_some, Figure::io_full, Figure::memory_full})
            add_sight(during, usual, figure, root);
        incident.causes.push_back(std::move(root));
    }
    // Where all that happened is a restart, whatever the machine did meanwhile held up nobody.
    const bool restart_alone =
        std::ranges::find(incident.causes, Trouble::server_stopped, &Root::trouble) != incident.causes.end() &&
        std::ranges::none_of(during, stalled_besides);
    if (restart_alone)
        std::erase_if(incident.causes, [](const Root& root) { return root.trouble != Trouble::server_stopped; });
    // The first in time is the root; of those that began together, what stands above. Memory that runs out is made by none of what
    // stands below it, however long that has been seen: on a machine that grades all processors are often taken.
    constexpr std::int64_t together_ms = 15'000;
    const std::int64_t first_ms = std::ranges::min_element(incident.causes, {}, &Root::since_ms)->since_ms;
    std::ranges::sort(incident.causes, {}, [&](const Root& root) {
        return std::pair{root.trouble != Trouble::memory_thrash && root.since_ms - first_ms > together_ms, root.trouble};
    });

    std::map<std::string, double> held;
    for (const Moment& at : during) {
        for (const GroupUse& group : at.groups) held[group.name] += group.full;
        for (const BlockedTask& task : at.blocked) {
            const auto known = std::ranges::find(incident.blocked, task.name, &BlockedTask::name);
            if (known != incident.blocked.end()) known->frames = std::max(known->frames, task.frames);
            else if (incident.blocked.size() < 5) incident.blocked.push_back(task);
        }
        for (const std::string& slow : at.slow) {
            if (incident.slow.size() < 5 && std::ranges::find(incident.slow, slow) == incident.slow.end())
                incident.slow.push_back(slow);
        }
    }
    for (const auto& [name, full] : held) {
        const bool offends = incident.causes.front().offender.contains(name) && name.size() > 1;
        if (full > 0.1 * static_cast<double>(during.size()) && !offends && !restart_alone && incident.victims.size() < 5)
            incident.victims.push_back(name);
    }
    const auto lacks = [&](Figure figure) {
        return std::ranges::none_of(during, [&](const Moment& at) { return at.figures.contains(figure); });
    };
    constexpr std::pair<Figure, const char*> sections[] = {
        {Figure::memory_full, "/proc/pressure"},     {Figure::refaults_per_s, "/proc/vmstat"},
        {Figure::disk_busy, "/proc/diskstats"},      {Figure::limit_hits, "control groups"},
        {Figure::loop_lag_ms, "the server's loops"}, {Figure::listen_overflows, "/proc/net/netstat"}};
    for (const auto& [figure, name] : sections) {
        if (lacks(figure)) incident.unread.emplace_back(name);
    }
    return incident;
}

std::vector<std::string> to_lines(const Incident& incident, wording::Language language, const std::string& zone,
                                  std::string (*time_text)(std::int64_t, const std::string&)) {
    std::vector<std::string> lines;
    lines.push_back(
        fmt::format("{} – {}", time_text(incident.when.from_ms, zone), time_text(incident.when.to_ms, zone)));
    const auto say = [&](TroubleLine it, const std::vector<std::string>& arguments) {
        return wording::say(language, it, arguments);
    };
    for (std::size_t i = 0; i < incident.causes.size(); ++i) {
        const Root& root = incident.causes[i];
        const std::string indent = i == 0 ? "" : "  ";
        lines.push_back(fmt::format("{}{}: {} ({})", indent, wording::to_string(root.trouble),
                                    wording::summary(language, root.trouble), to_string(root.confidence)));
        if (!root.offender.empty())
            lines.push_back(indent + "  " + say(TroubleLine::offender, {root.offender, root.used}));
        for (const Sight& seen : root.evidence) {
            if (seen.at_ms != 0)
                lines.push_back(indent + "  " +
                                say(TroubleLine::evidence,
                                    {wording::label(language, seen.figure), fmt::format("{:.4g}", seen.worst),
                                     time_text(seen.at_ms, zone), fmt::format("{:.4g}", seen.usual)}));
        }
        lines.push_back(indent + "  " +
                        (root.share < 0.6 ? say(TroubleLine::against_share, {fmt::format("{:.0f}", root.share * 100)})
                                          : say(TroubleLine::nothing_against, {})));
        lines.push_back(indent + "  → " + wording::remedy(language, root.trouble));
    }
    for (const BlockedTask& task : incident.blocked)
        lines.push_back("  " + say(TroubleLine::d_state, {task.name, task.where, std::to_string(task.frames)}));
    for (const std::string& slow : incident.slow)
        lines.push_back(
            "  " + say(TroubleLine::slow_request, {slow.substr(0, slow.rfind(' ')), slow.substr(slow.rfind(' ') + 1)}));
    if (!incident.victims.empty())
        lines.push_back("  " + say(TroubleLine::victims, {fmt::format("{}", fmt::join(incident.victims, ", "))}));
    if (!incident.unread.empty())
        lines.push_back("  " + say(TroubleLine::unread, {fmt::format("{}", fmt::join(incident.unread, ", "))}));
    return lines;
}

std::string to_json(const Incident& incident, wording::Language language, const std::string& zone,
                    std::string (*time_text)(std::int64_t, const std::string&)) {
    using Json = nlohmann::ordered_json;
    Json causes = Json::array();
    for (const Root& root : incident.causes) {
        Json evidence = Json::array();
        for (const Sight& seen : root.evidence) {
            if (seen.at_ms != 0)
                evidence.push_back({{"figure", wording::to_string(seen.figure)},
                                    {"worst", seen.worst},
                                    {"at", time_text(seen.at_ms, zone)},
                                    {"usual", seen.usual}});
        }
        causes.push_back({{"cause", wording::to_string(root.trouble)},
                          {"confidence", to_string(root.confidence)},
                          {"summary", wording::summary(language, root.trouble)},
                          {"since", time_text(root.since_ms, zone)},
                          {"share", root.share},
                          {"offender", root.offender.empty() ? Json{} : Json(root.offender)},
                          {"used", root.used.empty() ? Json{} : Json(root.used)},
                          {"evidence", std::move(evidence)},
                          {"remedy", wording::remedy(language, root.trouble)}});
    }
    Json blocked = Json::array();
    for (const BlockedTask& task : incident.blocked)
        blocked.push_back({{"task", task.name}, {"where", task.where}, {"frames", task.frames}});
    return Json{{"type", "assay-incident/1"},
                {"from", time_text(incident.when.from_ms, zone)},
                {"to", time_text(incident.when.to_ms, zone)},
                {"causes", std::move(causes)},
                {"victims", incident.victims},
                {"blocked", std::move(blocked)},
                {"slow_requests", incident.slow},
                {"unread", incident.unread}}
        .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::diagnosis
