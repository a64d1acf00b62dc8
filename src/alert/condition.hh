// Condition: when a rule holds, over named figures.
//
//   condition  = all { "or" all }
//   all        = one { "and" one }
//   one        = "not" one | "(" condition ")" | value ("<" | "<=" | ">" | ">=" | "==" | "!=") number
//   value      = figure | ("rate" | "increase" | "change" | "avg" | "max" | "min") "(" figure "," window ")"
//   figure     = name [ "{" name="value" { "," name="value" } "}" ]        the sum of all series that carry these labels
//   window     = a duration from 1s to 24h, such as 10min;   number = a decimal
//
// `rate` (a second) and `increase` are of counters and know that those begin at 0 again; `change` is of gauges, last less first.
// A figure that is missing (but for a counter of a page of metrics, which is 0 then) leaves what it decides open, and an open condition changes nothing: what fires goes on firing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/figures.hh"
#include "alert/history.hh"
#include "base/result.hh"

namespace assay::alert {

class Condition {
public:
    static constexpr std::size_t size_max = 1000;  // bytes of its text
    static constexpr int depth_max = 16;  // of parentheses and "not"

    // Errors: invalid, naming the place.
    static Result<Condition> parse(std::string_view text);

    // Remembers the figures for its windows and judges. nullopt: open.
    std::optional<bool> judge(const Figures&, std::int64_t now_ms);

    // What was compared at the last judging: "assay_queue_oldest_seconds = 734 (> 600)", one a comparison; "not known" where it is.
    std::vector<std::string> evidence() const;

    std::vector<std::string> figures() const;  // the names it asks for

    const std::string& text() const { return text_; }

private:
    friend class ConditionParser;
    enum class Kind { any, all, negated, comparison };
    enum class Over { now, rate, increase, change, average, largest, smallest };
    enum class Relation { less, less_equal, greater, greater_equal, equal, unequal };
    struct Node {
        Kind kind = Kind::comparison;
        std::vector<Node> parts;  // of any, all, negated
        std::string shown;  // the rest is of a comparison: its left side as written
        std::string figure;
        std::vector<std::string> labels;
        Over over = Over::now;
        std::optional<History> history;
        Relation relation = Relation::greater;
        double bound = 0;
        std::optional<double> value;  // at the last judging
    };
    static std::optional<bool> judge(Node&, const Figures&, std::int64_t now_ms);
    static void add_evidence(const Node&, std::vector<std::string>& lines);
    static void add_figures(const Node&, std::vector<std::string>& names);
    std::string text_;
    Node root_;
};

}  // namespace assay::alert
