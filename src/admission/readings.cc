#include "admission/readings.hh"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hh"

namespace assay::admission {
namespace {

constexpr std::int64_t kib = 1024;

// The number after `name` at the beginning of a line, past spaces.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
    for (std::string_view line : split(text, '\n')) {
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        std::uint64_t value = 0;
        const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), value);
        if (failure == std::errc{} && end != line.data()) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> total_of(std::string_view text, std::string_view kind) {
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t at = line.find(" total=");
        if (!line.starts_with(kind) || at == std::string_view::npos) continue;
        const std::string_view number = line.substr(at + 7);
        std::uint64_t value = 0;
        const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (failure == std::errc{} && end != number.data()) return value;
    }
    return std::nullopt;
}

// A counter that fell began anew.
double grown(std::uint64_t before, std::uint64_t now) { return now > before ? static_cast<double>(now - before) : 0; }

std::optional<Stall> stall_between(const std::optional<StallTotals>& before, const std::optional<StallTotals>& now, double seconds) {
    if (!before || !now || seconds <= 0) return std::nullopt;
    const double us = seconds * 1e6;
    return Stall{.some = std::min(grown(before->some_us, now->some_us) / us, 1.0), .full = std::min(grown(before->full_us, now->full_us) / us, 1.0)};
}

}  // namespace

std::optional<StallTotals> parse_pressure(std::string_view text) {
    const auto some = total_of(text, "some ");
    if (!some) return std::nullopt;
    return StallTotals{.some_us = *some, .full_us = total_of(text, "full ").value_or(0)};
}

std::optional<Memory> parse_meminfo(std::string_view text) {
    const auto total = number_after(text, "MemTotal:");
    const auto available = number_after(text, "MemAvailable:");
    constexpr std::uint64_t kib_max = std::uint64_t{1} << 50;
    if (!total || !available || *total == 0 || *total > kib_max || *available > *total) return std::nullopt;
    return Memory{.total_bytes = static_cast<std::int64_t>(*total) * kib, .available_bytes = static_cast<std::int64_t>(*available) * kib};
}

std::optional<std::uint64_t> parse_refaults(std::string_view vmstat) {
    if (const auto files = number_after(vmstat, "workingset_refault_file ")) return files;
    return number_after(vmstat, "workingset_refault ");  // before Linux 5.9, together with swap
}

std::optional<std::int64_t> parse_anonymous(std::string_view memory_stat) {
    // Version 1 has the sum over the groups below, version 2 counts so by itself.
    for (const std::string_view name : {"total_rss ", "anon "}) {
        const auto bytes = number_after(memory_stat, name);
        if (bytes && std::in_range<std::int64_t>(*bytes)) return static_cast<std::int64_t>(*bytes);
    }
    return std::nullopt;
}

Samples samples_between(const Reading& before, const Reading& now) {
    Samples samples;
    samples.seconds = std::max(std::chrono::duration<double>(now.at - before.at).count(), 0.0);
    samples.blind = !now.memory_stall;
    samples.cpu = stall_between(before.cpu, now.cpu, samples.seconds);
    samples.memory_stall = stall_between(before.memory_stall, now.memory_stall, samples.seconds);
    samples.io = stall_between(before.io, now.io, samples.seconds);
    samples.memory = now.memory;
    if (before.refaults && now.refaults && samples.seconds > 0) {
        samples.refaults_per_s = grown(*before.refaults, *now.refaults) / samples.seconds;
    }
    return samples;
}

}  // namespace assay::admission
