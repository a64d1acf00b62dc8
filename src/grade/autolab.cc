// What an Autolab driver prints: feedback for people, and in its last line the scores as JSON.
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "grade/grade.hh"
#include "grade/reports.hh"
#include "model/json.hh"

namespace assay::grade {
namespace {

using nlohmann::json;

constexpr model::JsonBounds line_bounds{.size_max = report_bytes_max, .depth_max = report_depth_max, .values_max = 100'000};

Error wrong(std::string_view what) { return {Fault::invalid, fmt::format("autolab: {}", what)}; }

// Takes the last line that is not blank off `text`.
std::string_view take_last_line(std::string_view& text) {
    while (!text.empty()) {
        const std::size_t newline = text.rfind('\n');
        const std::string_view line = trimmed(newline == std::string_view::npos ? text : text.substr(newline + 1));
        text = newline == std::string_view::npos ? std::string_view{} : text.substr(0, newline);
        if (!line.empty()) return line;
    }
    return {};
}

// The structured feedback, when the line is one: {"_presentation": "semantic", "stages": […], stage: {test: {"passed", "hint"}}}.
std::optional<json> feedback_of(std::string_view line) {
    if (!line.starts_with('{')) return std::nullopt;
    auto parsed = model::parse_json(line, line_bounds);
    if (!parsed || !parsed->is_object() || parsed->value("_presentation", json{}) != "semantic") return std::nullopt;
    return std::move(*parsed);
}

// Tests that show how it went; the points are the problems'.
Result<std::vector<model::TestReport>> tests_of(const json& feedback) {
    std::vector<model::TestReport> tests;
    for (const auto& [stage, entries] : feedback.items()) {
        if (!entries.is_object()) continue;
        for (const auto& [name, entry] : entries.items()) {
            if (!entry.is_object()) continue;  // A timing.
            if (tests.size() == report_tests_max) return wrong(fmt::format("more than {} tests", report_tests_max));
            model::TestReport& test = tests.emplace_back();
            test.name = report_name(fmt::format("{}: {}", stage, name), tests.size());
            test.verdict = entry.value("passed", json{}) == true ? model::Verdict::passed : model::Verdict::failed;
            const json hint = entry.value("hint", json{});
            if (hint.is_string()) test.message = kept_text(hint.get<std::string>(), model::test_output_kept_max);
        }
    }
    return tests;
}

}  // namespace

Result<Results> parse_autolab(std::string_view text) {
    if (text.size() > report_bytes_max) return wrong(fmt::format("{} bytes; at most {}", text.size(), report_bytes_max));
    const std::string_view last = take_last_line(text);
    if (last.empty()) return wrong("is empty");
    const auto parsed = model::parse_json(last, line_bounds);
    if (!parsed) return wrong("the last line: " + parsed.error().text());
    const auto scores = parsed->is_object() ? parsed->find("scores") : parsed->end();
    if (!parsed->is_object() || scores == parsed->end() || !scores->is_object() || scores->empty()) {
        return wrong("the last line must be {\"scores\": {\"problem\": number}}");
    }
    Results results;
    double sum = 0;
    std::string listed;
    for (const auto& [problem, value] : scores->items()) {
        if (!value.is_number()) return wrong(fmt::format("the score of '{}' is no number", escaped(problem, 100)));
        const auto points = value.get<double>();
        if (!std::isfinite(points) || std::abs(points) > report_points_max) return wrong(fmt::format("the score of '{}' is too large", escaped(problem, 100)));
        sum += points;
        listed += fmt::format("{}: {}\n", escaped(problem, 200), points);
    }
    if (!std::isfinite(sum) || std::abs(sum) > report_points_max) return wrong("the scores are too large");
    results.score = sum;
    if (parsed->contains("scoreboard")) results.notes.emplace_back("the scoreboard was read over");
    std::string_view before = text;
    if (const auto feedback = feedback_of(take_last_line(before))) {
        ASSAY_TRY(results.tests, tests_of(*feedback));
        text = before;
    }
    results.output = kept_text(listed + std::string{trimmed(text)}, model::stage_output_kept_max);
    return results;
}

}  // namespace assay::grade
