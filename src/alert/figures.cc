#include "alert/figures.hh"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.hh"

namespace assay::alert {
namespace {

// Metrics are made in rooms that may not be seen from here: a new one is written down in this list as well as in the two documents.
constexpr std::string_view known[] = {
    // docs/operating/metrics.md
    "assay_build_info",
    "process_start_time_seconds",
    "assay_queue_waiting",
    "assay_queue_oldest_seconds",
    "assay_queue_running",
    "assay_queue_expected_start_error_seconds",
    "assay_queue_expected_start_error_ratio",
    "assay_queue_expected_start_silence_seconds",
    "assay_admission_level",
    "assay_admission_changes_total",
    "assay_slots",
    "assay_modules_paused",
    "assay_attempts_total",
    "assay_verdicts_total",
    "assay_store_commit_changes_count",
    "assay_store_commit_changes_sum",
    "assay_store_commit_seconds_count",
    "assay_store_commit_seconds_sum",
    "assay_pages_rendered_total",
    "assay_pages_from_memory_total",
    "assay_uploads_total",
    "assay_commitments_total",
    "assay_upload_bytes_total",
    "assay_uploads_in_flight_bytes",
    "assay_uploads_held_back",
    "assay_uploads_held_back_total",
    "assay_verify_waiting",
    "assay_verify_oldest_seconds",
    "assay_verify_refused_total",
    "assay_verifiers_started_total",
    "assay_http_connections",
    "assay_http_connections_shed_total",
    "assay_http_requests_total",
    "assay_http_response_seconds_count",
    "assay_http_response_seconds_sum",
    // docs/operating/alerts.md
    "assay_intake_refusing",
    "assay_store_read_only",
    "assay_directories_untrusted",
    "assay_disk_free_bytes",
    "assay_disk_free_files",
    "assay_disk_used_ratio",
    "assay_disk_spare_ratio",
    "assay_deadline_seconds",
    "assay_loop_lag_seconds",
    "assay_memory_available_ratio",
    "assay_trouble",
    "assay_pressure_ratio",
    "assay_clock_step_seconds",
    "assay_alerts_undelivered_seconds",
};

}  // namespace

std::span<const std::string_view> known_figures() { return known; }

std::vector<std::string> split_labels(std::string_view labels) {
    std::vector<std::string> parts;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= labels.size(); ++at) {
        if (at < labels.size()) {
            if (quoted && labels[at] == '\\') {
                ++at;  // What follows is no end of the quote.
                continue;
            }
            if (labels[at] == '"') quoted = !quoted;
            if (quoted || labels[at] != ',') continue;
        }
        if (const std::string_view part = trimmed(labels.substr(begin, std::min(at, labels.size()) - begin));
            !part.empty())
            parts.emplace_back(part);
        begin = at + 1;
    }
    if (begin < labels.size()) parts.emplace_back(labels.substr(begin));  // It ended in a backslash.
    return parts;
}

void Figures::set(std::string_view name, std::string_view labels, double value) {
    if (!std::isfinite(value)) return;
    auto parts = split_labels(labels);
    auto family = series_.find(name);
    if (family == series_.end()) {
        if (count_ >= series_max) return;
        family = series_.emplace(std::string{name}, std::vector<Series>{}).first;
    }
    const auto found = std::ranges::find(family->second, parts, &Series::labels);
    if (found != family->second.end()) {
        found->value = value;
        return;
    }
    if (count_ >= series_max) return;
    ++count_;
    family->second.push_back({std::move(parts), value});
}

std::optional<double> Figures::sum(std::string_view name, const std::vector<std::string>& labels) const {
    const auto family = series_.find(name);
    if (family == series_.end()) return std::nullopt;
    std::optional<double> sum;
    for (const Series& series : family->second) {
        const auto carries = [&](const std::string& label) {
            return std::ranges::find(series.labels, label) != series.labels.end();
        };
        if (std::ranges::all_of(labels, carries)) sum = sum.value_or(0) + series.value;
    }
    return sum;
}

void add_metrics(Figures& figures, std::string_view page) {
    figures.counted = true;
    for (const std::string_view line : split(page, '\n')) {
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t space = line.rfind(' ');
        if (space == std::string_view::npos) continue;
        const std::string_view number = line.substr(space + 1);
        double value = 0;
        const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (failure != std::errc{} || end != number.data() + number.size()) continue;
        const std::string_view series = line.substr(0, space);
        const std::size_t brace = series.find('{');
        const std::string_view name = series.substr(0, brace);
        if (name.ends_with("_bucket")) continue;
        if (brace == std::string_view::npos) figures.set(name, value);
        else if (series.ends_with('}')) figures.set(name, series.substr(brace + 1, series.size() - brace - 2), value);
    }
}

}  // namespace assay::alert
