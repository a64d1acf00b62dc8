// The Test Anything Protocol, versions 12 to 14, line by line.
#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/grade.hh"
#include "grade/reports.hh"

namespace assay::grade {
namespace {

constexpr std::string_view block_indent = "  ";

bool take_word(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

// The digits at the beginning, taken off. nullopt: none, or more than fit.
std::optional<std::size_t> take_number(std::string_view& text) {
    std::size_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return number;
}

// "name # SKIP why" at its first '#' that is not escaped: the name without escapes, the directive.
std::pair<std::string, std::string_view> parts_of(std::string_view description) {
    std::string name;
    for (std::size_t at = 0; at < description.size(); ++at) {
        const char c = description[at];
        if (c == '\\' && at + 1 < description.size() && (description[at + 1] == '#' || description[at + 1] == '\\')) {
            name += description[++at];
        } else if (c == '#') {
            return {name, trimmed(description.substr(at + 1))};
        } else {
            name += c;
        }
    }
    return {name, {}};
}

struct Line {
    bool passed = false;
    std::string name;
    std::string directive;
    std::string block;  // its YAML
};

// "  points: 2"
std::optional<double> value_of(std::string_view block, std::string_view key) {
    for (const std::string_view line : split(block, '\n')) {
        std::string_view rest = trimmed(line);
        if (!take_word(rest, key) || !take_word(rest, ":")) continue;
        const auto number = report_number(rest);
        if (number && *number >= 0) return number;
    }
    return std::nullopt;
}

class Reader {
public:
    Result<Results> read(std::string_view text) {
        for (const std::string_view line : split(text, '\n')) {
            ++number_;
            ASSAY_CHECK(take(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line));
        }
        if (!planned_) return wrong("has no plan such as 1..5, so that nobody knows whether it is whole");
        if (*planned_ == 0) return wrong("plans no test");
        if (!lines_.empty() && (lines_.size() > *planned_ || lines_.rbegin()->first > *planned_)) return wrong(fmt::format("more tests than the plan of {} says", *planned_));
        Results results;
        for (std::size_t i = 1; i <= *planned_; ++i) results.tests.push_back(test(i));
        results.score_max = sum_of_maxima(results.tests);
        return results;
    }

private:
    Error wrong(std::string_view what) const { return {Fault::invalid, fmt::format("TAP: line {}: {}", number_, what)}; }

    Result<> take(std::string_view line) {
        if (in_block_) {
            if (trimmed(line) == "..." && line.starts_with(block_indent)) {
                in_block_ = false;
            } else if (open_ != nullptr && open_->block.size() < model::test_output_kept_max) {
                open_->block += std::string{line.starts_with(block_indent) ? line.substr(block_indent.size()) : line} + '\n';
            }
            return ok;
        }
        if (line.starts_with(block_indent) && trimmed(line) == "---") {
            in_block_ = !line.starts_with("    ");  // Of a subtest: not ours.
            return ok;
        }
        if (line.starts_with("Bail out!")) return wrong("the grader bailed out: " + escaped(trimmed(line.substr(9)), 200));
        if (take_word(line, "1..")) return plan(line);
        std::string_view rest = line;
        const bool failed = take_word(rest, "not ok"), passed = !failed && take_word(rest, "ok");
        if ((failed || passed) && (rest.empty() || rest.front() == ' ')) return test_line(passed, trimmed(rest));
        return ok;  // Comments, versions, pragmas, subtests, and what a program printed between.
    }

    Result<> plan(std::string_view rest) {
        const auto count = take_number(rest);
        if (!count || !(trimmed(rest).empty() || trimmed(rest).starts_with('#'))) return wrong("a plan that is none");
        if (planned_) return wrong("a second plan");
        if (*count > report_tests_max) return wrong(fmt::format("at most {} tests", report_tests_max));
        planned_ = *count;
        return ok;
    }

    Result<> test_line(bool passed, std::string_view rest) {
        std::string_view description = rest;
        const auto given = take_number(description);
        const bool numbered = given && (description.empty() || description.front() == ' ');
        const std::size_t number = numbered ? *given : last_ + 1;
        if (!numbered) description = rest;
        if (number == 0 || number > report_tests_max) return wrong(fmt::format("test {} is outside of 1 to {}", number, report_tests_max));
        description = trimmed(description);
        if (description.starts_with("- ")) description.remove_prefix(2);
        auto [name, directive] = parts_of(description);
        const auto [entry, fresh] = lines_.emplace(number, Line{passed, std::move(name), std::string{directive}, {}});
        if (!fresh) return wrong(fmt::format("test {} a second time", number));
        open_ = &entry->second;
        last_ = number;
        return ok;
    }

    model::TestReport test(std::size_t number) const {
        model::TestReport report;
        const auto found = lines_.find(number);
        if (found == lines_.end()) {
            report.name = report_name("", number);
            report.message = "it was not run";
            score_test(report, false, {}, {});
            return report;
        }
        const Line& line = found->second;
        report.name = report_name(line.name, number);
        const std::string word = lower_ascii(line.directive.substr(0, 4));
        if (word == "skip" || word == "todo") {
            const std::size_t end = std::min(line.directive.find(' '), line.directive.size());
            skip_test(report, word == "skip" ? "skipped" : "to do", trimmed(std::string_view{line.directive}.substr(end)));
            return report;
        }
        score_test(report, line.passed, value_of(line.block, "points"), value_of(line.block, "max_points"));
        report.message = kept_text(trimmed(line.block), model::test_output_kept_max);
        return report;
    }

    std::size_t number_ = 0;  // of the line
    std::optional<std::size_t> planned_;
    std::map<std::size_t, Line> lines_;  // by the test's number
    std::size_t last_ = 0;
    Line* open_ = nullptr;    // whose block may follow
    bool in_block_ = false;
};

}  // namespace

Result<Results> parse_tap(std::string_view text) {
    if (text.size() > report_bytes_max) return Error{Fault::invalid, fmt::format("TAP: {} bytes; at most {}", text.size(), report_bytes_max)};
    return Reader{}.read(text);
}

}  // namespace assay::grade
