#include "diagnosis/offender.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.hh"

namespace assay::diagnosis {
namespace {

using wording::Figure;

double used_by(const GroupUse& group, By by) {
    switch (by) {
        case By::nobody: return 0;
        case By::grown: return group.grown;
        case By::limited: return group.limited;
        case By::cpu: return group.cpu;
        case By::read: return group.read;
        case By::written: return group.written;
    }
    return 0;
}

// Processes of one name that used the processors more than twice as much as any group: they are in none that is recorded, for a group
// has used at least what is used in it. Compilers come and go by the dozen, hence by name.
bool name_tasks(std::span<const Moment> during, double of_groups_s, double seconds, Root& root) {
    constexpr std::int64_t same_birth_ms = 1'000;  // the wall clock it is told by is corrected now and then
    struct Seen {
        std::int64_t born_ms = 0;
        double first_s = 0, last_s = 0;
    };
    std::map<std::pair<std::string, std::uint64_t>, Seen> processes;
    for (const Moment& at : during) {
        for (const TaskUse& task : at.tasks) {
            Seen& seen = processes[{task.name, task.pid}];
            if (std::abs(seen.born_ms - task.born_ms) > same_birth_ms) {
                const bool born_in_it = task.born_ms >= during.front().at_ms;
                seen = {.born_ms = task.born_ms, .first_s = born_in_it ? 0 : task.cpu_s};
            }
            seen.last_s = task.cpu_s;
        }
    }
    std::map<std::string, double> sums;
    for (const auto& [who, seen] : processes) sums[who.first] += seen.last_s - seen.first_s;
    const auto most = std::ranges::max_element(sums, {}, [](const auto& entry) { return entry.second; });
    if (most == sums.end() || most->second <= 2 * of_groups_s) return false;
    root.who = Who::process;
    root.offender = most->first;
    root.used = fmt::format("{:.2f} CPU", seconds > 0 ? most->second / seconds : 0);
    return true;
}

}  // namespace

void name_offender(std::span<const Moment> before, std::span<const Moment> during, By by, Root& root) {
    constexpr std::size_t grown_within = 60;
    struct Sum {
        double now = 0;
        double used = 0;  // at its most: who grew and was ended for it has given all of it back
        std::uint64_t job = 0;
    };
    std::map<std::string, Sum> sums;
    double seconds = 0;
    const auto add = [&](const Moment& at) {
        const double lasted_s = at.figures.contains(Figure::gap_s) ? at.of(Figure::gap_s) : 1;
        seconds += lasted_s;
        for (const GroupUse& group : at.groups) {
            Sum& sum = sums[group.name];
            sum.now += used_by(group, by) * (by == By::limited ? 1 : lasted_s);  // a number of times; the others are by the second
            sum.used = std::max(sum.used, sum.now);
            if (group.job != 0) sum.job = group.job;
        }
    };
    if (by == By::grown) {
        for (const Moment& at : before.last(std::min(before.size(), grown_within))) add(at);
    }
    for (const Moment& at : during) add(at);
    const auto most = std::ranges::max_element(sums, {}, [](const auto& entry) { return entry.second.used; });
    if (by == By::cpu && name_tasks(during, most == sums.end() ? 0 : most->second.used, seconds, root)) return;
    if (most == sums.end() || most->second.used <= 0) return;
    auto chosen = most;
    for (auto it = sums.begin(); it != sums.end(); ++it) {
        const bool inside = it->first.size() > chosen->first.size() &&
                            it->first.starts_with(chosen->first == "/" ? "/" : chosen->first + "/");
        if (inside && it->second.used > 0.8 * most->second.used) chosen = it;
    }
    root.who = chosen->second.job != 0 ? Who::job : Who::group;
    root.offender =
        chosen->second.job != 0 ? fmt::format("job {} ({})", chosen->second.job, chosen->first) : chosen->first;
    const double each = seconds > 0 ? chosen->second.used / seconds : 0;
    root.used = by == By::cpu     ? fmt::format("{:.2f} CPU", each)
                : by == By::limited ? fmt::format("{:.0f} times", chosen->second.used)
                : by == By::grown ? "+" + size_text(static_cast<std::int64_t>(chosen->second.used))
                                  : size_text(static_cast<std::int64_t>(each)) + "/s";
}

}  // namespace assay::diagnosis
