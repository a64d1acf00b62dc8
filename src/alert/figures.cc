#include "alert/figures.hh"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.hh"

namespace assay::alert {

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
