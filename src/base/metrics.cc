#include "base/metrics.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace assay::metrics {
namespace {

std::string written(Labels labels) {
    std::string text;
    for (const Label& label : labels) {
        text += fmt::format("{}{}=\"", text.empty() ? "" : ",", label.name);
        for (const char c : label.value) {
            if (c == '\n') {
                text += "\\n";
                continue;
            }
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text;
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds) : bounds_{bounds.begin(), bounds.end()}, counts_(bounds.size() + 1) {
    ASSAY_ASSERT(std::ranges::is_sorted(bounds_));
}

void Histogram::observe(double value) {
    const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

void Page::family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Page::line(std::string_view name, std::string_view labels, double value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

void Page::sample(std::string_view name, Labels labels, double value) { line(name, written(labels), value); }

void Page::gauge(std::string_view name, std::string_view help, double value) {
    family(name, "gauge", help);
    line(name, {}, value);
}

bool Histogram::empty() const {
    return std::ranges::all_of(counts_, [](const auto& count) { return count.load(std::memory_order_relaxed) == 0; });
}

void Histogram::write(Page& page, const std::string& name, const std::string& labels) const {
    const std::string before = labels.empty() ? "" : labels + ",";
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        total += counts_[i].load(std::memory_order_relaxed);
        const std::string bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
        page.line(name + "_bucket", fmt::format("{}le=\"{}\"", before, bound), static_cast<double>(total));
    }
    page.line(name + "_sum", labels, sum_.load(std::memory_order_relaxed));
    page.line(name + "_count", labels, static_cast<double>(total));
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock{mutex_};
    Family& family = families_[std::string{name}];
    ASSAY_ASSERT(family.histograms.empty() && family.gauges.empty());
    const std::string key = written(labels);
    if (const auto found = family.counters.find(key); found != family.counters.end()) return *found->second;
    if (series_ >= series_max) return beyond_;
    ++series_;
    family.help = help;
    return *family.counters.emplace(key, std::make_unique<Counter>()).first->second;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock{mutex_};
    Family& family = families_[std::string{name}];
    ASSAY_ASSERT(family.histograms.empty() && family.counters.empty());
    const std::string key = written(labels);
    if (const auto found = family.gauges.find(key); found != family.gauges.end()) return *found->second;
    if (series_ >= series_max) return gauge_beyond_;
    ++series_;
    family.help = help;
    return *family.gauges.emplace(key, std::make_unique<Gauge>()).first->second;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds, Labels labels) {
    const std::lock_guard lock{mutex_};
    Family& family = families_[std::string{name}];
    ASSAY_ASSERT(family.counters.empty() && family.gauges.empty());
    const std::string key = written(labels);
    if (const auto found = family.histograms.find(key); found != family.histograms.end()) return *found->second;
    family.help = help;
    const std::size_t series = bounds.size() + 1;
    if (series_ + series > series_max) return histogram_beyond_;
    series_ += series;
    return *family.histograms.emplace(key, std::make_unique<Histogram>(bounds)).first->second;
}

void Registry::write(Page& page) const {
    const std::lock_guard lock{mutex_};
    for (const auto& [name, family] : families_) {
        if (!family.counters.empty()) page.family(name, "counter", family.help);
        for (const auto& [labels, counter] : family.counters) page.line(name, labels, static_cast<double>(counter->value()));
        if (!family.gauges.empty()) page.family(name, "gauge", family.help);
        for (const auto& [labels, gauge] : family.gauges) page.line(name, labels, static_cast<double>(gauge->value()));
        bool told = false;
        for (const auto& [labels, histogram] : family.histograms) {
            if (!labels.empty() && histogram->empty()) continue;
            if (!std::exchange(told, true)) page.family(name, "histogram", family.help);
            histogram->write(page, name, labels);
        }
    }
}

Registry& registry() {
    static Registry of_this_process;
    return of_this_process;
}

}  // namespace assay::metrics
