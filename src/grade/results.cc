// results.json in gradescope's style. Keys this version has no use for (leaderboard, formats, tags, extra_data) are skipped; those
// it reads must have the right type, so that a grader's mistake is found and not guessed around.
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "grade/grade.hh"
#include "model/json.hh"

namespace assay::grade {
namespace {

using nlohmann::json;

constexpr model::JsonBounds results_bounds{.size_max = results_json_max, .depth_max = results_depth_max, .values_max = 500'000};
constexpr double points_limit = 1e9;  // larger numbers are mistakes; sums of these stay exact enough
constexpr std::size_t name_size_max = 200;

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
    if (!std::isfinite(points) || std::abs(points) > points_limit) return wrong(where, "is too large a number");
    return std::optional{points};
}

Result<std::string> text(const json& object, const char* key, std::string_view path) {
    const json* const value = member(object, key);
    if (value == nullptr) return std::string{};
    if (!value->is_string()) return wrong(fmt::format("{}/{}", path, key), "must be text");
    return value->get<std::string>();
}

Result<model::Visibility> visibility(const json& object, std::string_view path, model::Visibility otherwise) {
    ASSAY_TRY(const std::string word, text(object, "visibility", path));
    if (word.empty()) return otherwise;
    if (word == "visible") return model::Visibility::visible;
    if (word == "hidden") return model::Visibility::hidden;
    if (word == "after_due_date" || word == "after_published") return model::Visibility::after_due;
    return wrong(fmt::format("{}/visibility", path), "must be visible, hidden, after_due_date or after_published");
}

struct ParsedTest {
    model::TestReport report;
    bool has_score = false;
    bool has_max = false;
};

Result<ParsedTest> parse_test(const json& object, std::size_t index, model::Visibility otherwise) {
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
    test.report.name = escaped(name.empty() ? fmt::format("test {}", index + 1) : name, name_size_max);

    ASSAY_TRY(const std::string output, text(object, "output", path));
    test.report.message = kept_text(output, model::test_output_kept_max);
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
    if (otherwise == model::Visibility::visible) results.output = kept_text(output, model::stage_output_kept_max);

    const json* const tests = member(document, "tests");
    if (tests != nullptr && !tests->is_array()) return wrong("/tests", "must be a list");
    if (tests != nullptr && tests->size() > results_tests_max) return wrong("/tests", fmt::format("at most {} tests", results_tests_max));
    bool any_score = results.score.has_value();
    for (std::size_t i = 0; tests != nullptr && i < tests->size(); ++i) {
        ASSAY_TRY(ParsedTest test, parse_test((*tests)[i], i, otherwise));
        any_score = any_score || test.has_score;
        if (test.has_max) results.score_max = results.score_max.value_or(0) + test.report.score_max;
        results.tests.push_back(std::move(test.report));
    }
    if (!any_score) return wrong("/score", "is needed when no test has a score");
    return results;
}

void take(Results results, model::StageReport& stage) {
    stage.score = results.score;
    stage.score_max = results.score_max;
    stage.message = std::move(results.output);
    stage.tests = std::move(results.tests);
}

}  // namespace assay::grade
