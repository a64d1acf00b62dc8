#include "sandbox/pressure.hh"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>

#include "base/text.hh"
#include "sandbox/control.hh"

namespace assay::sandbox {
namespace {

std::optional<std::int64_t> number_at(std::string_view text) {
    const std::optional<std::int64_t> value = to_number(text);
    return value && *value >= 0 ? value : std::nullopt;
}

std::optional<std::int64_t> of_machine(const char* path) { return total_stalled_us(read_control(path)); }

// Of the numbers at these places (1-based) of the first line.
std::optional<std::int64_t> sum_us(std::string_view stat, std::int64_t ticks_per_second,
                                   std::initializer_list<std::size_t> places) {
    const auto words = split(stat.substr(0, stat.find('\n')), ' ');  // "cpu", an empty one, ten numbers
    if (words.size() < 10 || words[0] != "cpu" || ticks_per_second <= 0) return std::nullopt;
    std::int64_t ticks = 0;
    for (const std::size_t place : places) {
        const std::optional<std::int64_t> one = number_at(words[place + 1]);
        if (!one) return std::nullopt;
        ticks += *one;
    }
    return ticks * 1'000'000 / ticks_per_second;
}

std::int64_t grown(const std::optional<std::int64_t>& before, const std::optional<std::int64_t>& after) {
    return before && after ? std::max<std::int64_t>(0, *after - *before) : 0;
}

}  // namespace

std::optional<std::int64_t> total_stalled_us(std::string_view pressure) {
    if (!pressure.starts_with("some ")) return std::nullopt;
    const std::string_view line = pressure.substr(0, pressure.find('\n'));
    const std::size_t at = line.find(" total=");
    return at == line.npos ? std::nullopt : number_at(line.substr(at + 7));
}

std::optional<std::int64_t> stolen_us(std::string_view stat, std::int64_t ticks_per_second) {
    return sum_us(stat, ticks_per_second, {8});
}

std::optional<std::int64_t> busy_us(std::string_view stat, std::int64_t ticks_per_second) {
    return sum_us(stat, ticks_per_second, {1, 2, 3, 6, 7});  // user, nice, system, interrupts and their rest
}

Stalls read_stalls(const Group& group, const Group& job) {
    Stalls stalls;
    stalls.cpu_us = group.stalled_us("cpu");
    stalls.of_group = stalls.cpu_us.has_value();
    if (stalls.of_group) {
        stalls.memory_us = group.stalled_us("memory");
        stalls.io_us = group.stalled_us("io");
    } else {
        stalls.cpu_us = of_machine("/proc/pressure/cpu");
        stalls.memory_us = of_machine("/proc/pressure/memory");
        stalls.io_us = of_machine("/proc/pressure/io");
    }
    stalls.refaulted_bytes = group.memory_refaulted_bytes();
    const std::string stat = read_control("/proc/stat");
    const std::int64_t ticks_per_second = ::sysconf(_SC_CLK_TCK);
    stalls.stolen_us = stolen_us(stat, ticks_per_second);
    stalls.busy_us = busy_us(stat, ticks_per_second);
    if (job.has(Controller::cpuacct)) stalls.own_us = job.cpu_usage().total_ns / 1000;
    if (const std::optional<std::int64_t> throttled_ns = group.throttled_ns()) stalls.throttled_us = *throttled_ns / 1000;
    return stalls;
}

std::optional<std::int64_t> memory_stalled_us(const Stalls& before, const Stalls& after, std::int64_t full_bytes) {
    if (!before.of_group || !after.of_group || !before.memory_us || !after.memory_us) return std::nullopt;
    const std::int64_t memory_us = grown(before.memory_us, after.memory_us);
    // The kernel calls it a wait for memory only where the page would have stayed with little more of it.
    const bool again = grown(before.refaulted_bytes, after.refaulted_bytes) >= full_bytes / 2;
    return again ? std::max(memory_us, grown(before.io_us, after.io_us)) : memory_us;
}

std::optional<bool> timing_is_trustworthy(const Stalls& before, const Stalls& after, std::int64_t wall_us,
                                          std::optional<std::int64_t> full_bytes) {
    if (!before.cpu_us || !after.cpu_us) return std::nullopt;
    std::int64_t cpu_us = grown(before.cpu_us, after.cpu_us) - grown(before.throttled_us, after.throttled_us);
    if (before.busy_us && after.busy_us && before.own_us && after.own_us) {
        const std::int64_t others_us = grown(before.busy_us, after.busy_us) - grown(before.own_us, after.own_us);
        cpu_us = std::min(cpu_us, std::max<std::int64_t>(others_us, 0) + busy_slack_us);
    }
    const auto is_long = [&](std::int64_t stalled_us) {
        return stalled_us > stall_us_ignored && stalled_us * 100 > wall_us * stall_percent_max;
    };
    if (is_long(cpu_us) || is_long(grown(before.stolen_us, after.stolen_us))) return false;
    if (full_bytes && is_long(memory_stalled_us(before, after, *full_bytes).value_or(0))) return true;
    return !is_long(grown(before.memory_us, after.memory_us)) && !is_long(grown(before.io_us, after.io_us));
}

}  // namespace assay::sandbox
