#include "serve/host_figures.hh"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::serve {
namespace {

constexpr std::size_t proc_bytes_max = 64 * 1024;

std::optional<double> number_after(std::string_view line, std::string_view name) {
    const std::size_t at = line.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view text = trimmed(line.substr(at + name.size()));
    double value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
    return value;
}

}  // namespace

std::map<std::string, double> stall_totals(const std::string& pressure) {
    std::map<std::string, double> totals;
    for (const std::string_view line : split(pressure, '\n')) {
        const auto total = number_after(line, "total=");
        if (total) totals[std::string{line.substr(0, line.find(' '))}] = *total;
    }
    return totals;
}

std::optional<double> available_ratio(const std::string& meminfo) {
    std::optional<double> total, available;
    for (const std::string_view line : split(meminfo, '\n')) {
        if (line.starts_with("MemTotal:")) total = number_after(line, ":");
        if (line.starts_with("MemAvailable:")) available = number_after(line, ":");
    }
    if (!total || !available || *total <= 0) return std::nullopt;
    return *available / *total;
}

void HostFigures::add_to(alert::Figures& figures, sys::TimePoint now, sys::WallTime wall) {
    if (const auto meminfo = sys::read_file("/proc/meminfo", proc_bytes_max)) {
        if (const auto ratio = available_ratio(*meminfo)) figures.set("assay_memory_available_ratio", *ratio);
    }
    const double passed_us = last_ ? sys::ms_of(now - *last_) * 1000 : 0;
    for (const char* const resource : {"cpu", "memory", "io"}) {
        const auto pressure = sys::read_file(fmt::format("/proc/pressure/{}", resource), proc_bytes_max);
        if (!pressure) continue;
        for (const auto& [kind, total] : stall_totals(*pressure)) {
            const std::string labels = fmt::format("resource=\"{}\",kind=\"{}\"", resource, kind);
            const auto before = stalled_us_.find(labels);
            if (before != stalled_us_.end() && passed_us > 0)
                figures.set("assay_pressure_ratio", labels, (total - before->second) / passed_us);
            stalled_us_[labels] = total;
        }
    }
    last_ = now;
    const std::int64_t apart_ms =
        sys::to_ms(wall) - std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    if (wall_less_steady_ms_)
        figures.set("assay_clock_step_seconds", std::abs(static_cast<double>(apart_ms - *wall_less_steady_ms_)) / 1000);
    wall_less_steady_ms_ = apart_ms;
}

}  // namespace assay::serve
