// Figures: what is known at one moment, as numbers by name. Rules look at nothing else.
//
// A series is named as /metrics names it (docs/operating/metrics.md): `assay_slots`, `assay_queue_waiting{reason="slot"}`. Whoever
// knows more (the recorder, diagnosis) adds its own as a Source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::alert {

// What a person is told of a rule's matter besides its numbers. Never holds a token, a key or a path with one.
struct Finding {
    std::string cause;  // "the grader failed five times in a row"; empty: not known
    std::string offender;  // "ICS2024/PA1"; empty: nobody in particular
    std::int64_t age_ms = 0;  // how long it has gone on by now, where it is noticed late: an incident that begins with it began then
    bool operator==(const Finding&) const = default;
};

class Figures {
public:
    static constexpr std::size_t series_max = 8000;  // what is beyond is left out

    // `labels` as they are written: `reason="slot",x="y"`, may be empty. What is not a finite number is left out.
    void set(std::string_view name, std::string_view labels, double value);
    void set(std::string_view name, double value) { set(name, {}, value); }

    // The sum of all series of the name that carry at least these labels. nullopt: there are none.
    std::optional<double> sum(std::string_view name, const std::vector<std::string>& labels) const;

    bool counted = false;  // a whole page of metrics is in: a counter it lacks stands at 0
    std::map<std::string, Finding, std::less<>> findings;  // by rule

private:
    struct Series {
        std::vector<std::string> labels;  // each `name="value"`
        double value = 0;
    };
    std::map<std::string, std::vector<Series>, std::less<>> series_;
    std::size_t count_ = 0;
};

// Every name that a rule of a server may look at: the metrics, and what is known besides (docs/operating/).
std::span<const std::string_view> known_figures();

using Source = std::function<void(Figures&)>;

// `reason="slot",x="y"` into its parts; a comma inside quotes parts nothing.
std::vector<std::string> split_labels(std::string_view labels);

// Adds what a page of Prometheus text (0.0.4) says, and notes that it is `counted`; a line that cannot be read is left out. Buckets of
// histograms are, too.
void add_metrics(Figures&, std::string_view page);

}  // namespace assay::alert
