// The front end of metrics: counters and histograms by name, and the page that shows them (Prometheus text 0.0.4).
//
// A metric is made once and lives as long as its registry; to count is one atomic addition, from any thread. Label values are
// words of closed sets and route templates, never ids, names of people, or paths. Names are told in docs/operating/metrics.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::metrics {

struct Label {
    std::string_view name;
    std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Counter {
public:
    void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// What is there now and comes and goes.
class Gauge {
public:
    void add(std::int64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

// Counts itself in a gauge as long as it is there.
class Present {
public:
    explicit Present(Gauge& gauge) : gauge_{gauge} { gauge_.add(1); }
    ~Present() { gauge_.add(-1); }
    Present(const Present&) = delete;
    Present& operator=(const Present&) = delete;

private:
    Gauge& gauge_;
};

class Page;

class Histogram {
public:
    // `bounds`: upper ones, inclusive, rising; what is above the last is counted as well.
    explicit Histogram(std::span<const double> bounds);
    void observe(double value);

private:
    friend class Registry;
    bool empty() const;
    void write(Page& page, const std::string& name, const std::string& labels) const;
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;  // one more than bounds
    std::atomic<double> sum_{0};
};

// Prometheus text: a family once, then its samples.
class Page {
public:
    void family(std::string_view name, std::string_view type, std::string_view help);
    void sample(std::string_view name, Labels labels, double value);
    // A family of one sample, measured now.
    void gauge(std::string_view name, std::string_view help, double value);
    const std::string& text() const { return text_; }

private:
    friend class Histogram;
    friend class Registry;
    void line(std::string_view name, std::string_view labels, double value);
    std::string text_;
};

constexpr std::size_t series_max = 4000;  // of one registry; what is beyond is counted where nobody sees it

class Registry {
public:
    // The same name and labels give the same metric.
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds, Labels labels = {});
    void write(Page& page) const;  // without labelled histograms in which nothing was observed yet

private:
    struct Family {
        std::string help;
        std::map<std::string, std::unique_ptr<Counter>> counters;      // by labels as they are written
        std::map<std::string, std::unique_ptr<Gauge>> gauges;
        std::map<std::string, std::unique_ptr<Histogram>> histograms;  // a family is of one kind
    };
    mutable std::mutex mutex_;
    std::map<std::string, Family, std::less<>> families_;
    std::size_t series_ = 0;
    Counter beyond_;
    Gauge gauge_beyond_;
    Histogram histogram_beyond_{{}};
};

Registry& registry();  // of this process

}  // namespace assay::metrics
