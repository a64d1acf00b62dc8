// results.json in gradescope's style. What it reads must have the right type, so that a grader's mistake is found and not guessed
// around; what has no meaning here (leaderboard, extra_data) is read over, with a note where somebody may miss it.
#include <algorithm>
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

constexpr model::JsonBounds results_bounds{.size_max = report_bytes_max, .depth_max = report_depth_max, .values_max = 500'000};

Error wrong(std::string_view path, std::string_view what) { return {Fault::invalid, fmt::format("results.json: {}: {}", path, what)}; }

// nullptr when missing or null.
const json* member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<double>> number(const json& object, const char* key, std::string_view path) {
    const json* const value = member(object, key);
    if (value == nullptr) return std::optional<double>{};
    const std::string where = fmt::format("{}/{}", path, key);
    if (!value->is_number()) return wrong(where, "must be a number");
    const double points = value->get<double>();
    if (!std::isfinite(points) || std::abs(points) > report_points_max) return wrong(where, "is too large a number");
    return std::optional{points};
}

Result<std::string> text(const json& object, const char* key, std::string_view path) {
    const json* const value = member(object, key);
    if (value == nullptr) return std::string{};
    if (!value->is_string()) return wrong(fmt::format("{}/{}", path, key), "must be text");
    return value->get<std::string>();
}

Result<model::Visibility> visibility(const json& object, std::string_view path, model::Visibility otherwise,
                                     const char* key = "visibility") {
    ASSAY_TRY(const std::string word, text(object, key, path));
    if (word.empty()) return otherwise;
    if (word == "visible") return model::Visibility::visible;
    if (word == "hidden") return model::Visibility::hidden;
    if (word == "after_due_date" || word == "after_published") return model::Visibility::after_due;
    return wrong(fmt::format("{}/{}", path, key), "must be visible, hidden, after_due_date or after_published");
}

constexpr std::string_view formats[] = {"text", "html", "simple_format", "md", "ansi"};

// The format that `key` names, else `otherwise`.
Result<std::string> format_at(const json& object, const char* key, std::string_view path, std::string_view otherwise) {
    ASSAY_TRY(const std::string format, text(object, key, path));
    if (format.empty()) return std::string{otherwise};
    if (std::ranges::find(formats, format) != std::end(formats)) return format;
    return wrong(fmt::format("{}/{}", path, key), "must be text, html, simple_format, md or ansi");
}

struct Formats {
    std::string test_output = "text";
    std::string test_name = "text";
};

Result<> check_tags(const json& object, std::string_view path) {
    const json* const tags = member(object, "tags");
    const auto is_text = [](const json& tag) { return tag.is_string(); };
    if (tags == nullptr || (tags->is_array() && std::ranges::all_of(*tags, is_text))) return ok;
    return wrong(fmt::format("{}/tags", path), "must be a list of texts");
}

struct ParsedTest {
    model::TestReport report;
    bool has_score = false;
    bool has_max = false;
};

Result<ParsedTest> parse_test(const json& object, std::size_t index, model::Visibility otherwise, const Formats& defaults) {
    const std::string path = fmt::format("/tests/{}", index);
    if (!object.is_object()) return wrong(path, "must be an object");
    ParsedTest test;
    ASSAY_TRY(const auto score, number(object, "score", path));
    ASSAY_TRY(const auto score_max, number(object, "max_score", path));
    if (score_max && *score_max < 0) return wrong(path + "/max_score", "must not be negative");
    test.has_score = score.has_value();
    test.has_max = score_max.has_value();
    test.report.score = score.value_or(0);
    test.report.score_max = score_max.value_or(0);

    ASSAY_TRY(std::string name, text(object, "name", path));
    if (const json* value = member(object, "number"); value != nullptr && (value->is_string() || value->is_number())) {
        const std::string label = value->is_string() ? value->get<std::string>() : value->dump();
        name = name.empty() ? label : label + " " + name;
    }
    ASSAY_TRY(const std::string name_format, format_at(object, "name_format", path, defaults.test_name));
    test.report.name = report_name(plain_text(name_format, name), index + 1);

    ASSAY_TRY(const std::string output, text(object, "output", path));
    ASSAY_TRY(const std::string output_format, format_at(object, "output_format", path, defaults.test_output));
    test.report.message = kept_text(plain_text(output_format, output), model::test_output_kept_max);
    ASSAY_CHECK(check_tags(object, path));
    ASSAY_TRY(test.report.visibility, visibility(object, path, otherwise));

    ASSAY_TRY(const std::string status, text(object, "status", path));
    if (!status.empty() && status != "passed" && status != "failed") return wrong(path + "/status", "must be passed or failed");
    const bool passed = status.empty() ? test.report.score >= test.report.score_max : status == "passed";
    test.report.verdict = passed ? model::Verdict::passed : model::Verdict::failed;
    return test;
}

}  // namespace

Result<Results> parse_results(std::string_view bytes) {
    auto parsed = model::parse_json(bytes, results_bounds);
    if (!parsed) return Error{Fault::invalid, "results.json: " + parsed.error().text()};
    const json& document = *parsed;
    if (!document.is_object()) return wrong("/", "must be an object");

    Results results;
    ASSAY_TRY(results.score, number(document, "score", ""));
    ASSAY_TRY(const model::Visibility otherwise, visibility(document, "", model::Visibility::visible));
    ASSAY_TRY(const std::string output, text(document, "output", ""));
    ASSAY_TRY(const std::string output_format, format_at(document, "output_format", "", "text"));
    results.output = kept_text(plain_text(output_format, output), model::stage_output_kept_max);
    results.output_visibility = otherwise;
    Formats defaults;
    ASSAY_TRY(defaults.test_output, format_at(document, "test_output_format", "", "text"));
    ASSAY_TRY(defaults.test_name, format_at(document, "test_name_format", "", "text"));
    ASSAY_TRY([[maybe_unused]] const auto seconds, number(document, "execution_time", ""));
    ASSAY_TRY(const model::Visibility printed, visibility(document, "", model::Visibility::hidden, "stdout_visibility"));
    if (printed != model::Visibility::hidden) {
        results.notes.emplace_back("stdout_visibility was read over: what a trusted stage prints is for staff; use `output`");
    }
    if (member(document, "leaderboard") != nullptr) results.notes.emplace_back("the leaderboard was read over: there is none here");

    const json* const tests = member(document, "tests");
    if (tests != nullptr && !tests->is_array()) return wrong("/tests", "must be a list");
    if (tests != nullptr && tests->size() > report_tests_max) return wrong("/tests", fmt::format("at most {} tests", report_tests_max));
    bool any_score = results.score.has_value();
    for (std::size_t i = 0; tests != nullptr && i < tests->size(); ++i) {
        ASSAY_TRY(ParsedTest test, parse_test((*tests)[i], i, otherwise, defaults));
        any_score = any_score || test.has_score;
        if (test.has_max) results.score_max = results.score_max.value_or(0) + test.report.score_max;
        results.tests.push_back(std::move(test.report));
    }
    if (!any_score) return wrong("/score", "is needed when no test has a score");
    return results;
}

}  // namespace assay::grade
