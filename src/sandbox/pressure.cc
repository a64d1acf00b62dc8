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
    if (stalls.cpu_us) {
        stalls.memory_us = group.stalled_us("memory");
        stalls.io_us = group.stalled_us("io");
    } else {
        stalls.cpu_us = of_machine("/proc/pressure/cpu");
        stalls.memory_us = of_machine("/proc/pressure/memory");
        stalls.io_us = of_machine("/proc/pressure/io");
    }
    const std::string stat = read_control("/proc/stat");
    const std::int64_t ticks_per_second = ::sysconf(_SC_CLK_TCK);
    stalls.stolen_us = stolen_us(stat, ticks_per_second);
    stalls.busy_us = busy_us(stat, ticks_per_second);
    if (job.has(Controller::cpuacct)) stalls.own_us = job.cpu_usage().total_ns / 1000;
    if (const std::optional<std::int64_t> throttled_ns = group.throttled_ns()) stalls.throttled_us = *throttled_ns / 1000;
    return stalls;
}

std::optional<bool> timing_is_trustworthy(const Stalls& before, const Stalls& after, std::int64_t wall_us) {
    if (!before.cpu_us || !after.cpu_us) return std::nullopt;
    std::int64_t cpu_us = grown(before.cpu_us, after.cpu_us) - grown(before.throttled_us, after.throttled_us);
    if (before.busy_us && after.busy_us && before.own_us && after.own_us) {
        const std::int64_t others_us = grown(before.busy_us, after.busy_us) - grown(before.own_us, after.own_us);
        cpu_us = std::min(cpu_us, std::max<std::int64_t>(others_us, 0) + busy_slack_us);
    }
    for (const std::int64_t stalled_us : {cpu_us, grown(before.memory_us, after.memory_us), grown(before.io_us, after.io_us), grown(before.stolen_us, after.stolen_us)}) {
        if (stalled_us > stall_us_ignored && stalled_us * 100 > wall_us * stall_percent_max) return false;
    }
    return true;
}

}  // namespace assay::sandbox
