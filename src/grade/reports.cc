#include "grade/reports.hh"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/assert.hh"
#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Verdict;

constexpr std::size_t name_size_max = 200;
constexpr std::size_t fault_bytes_max = 4096;

Result<Results> parse(model::ReportFormat format, std::string_view text) {
    switch (format) {
        case model::ReportFormat::results: return parse_results(text);
        case model::ReportFormat::junit: return parse_junit(text);
        case model::ReportFormat::tap: return parse_tap(text);
        case model::ReportFormat::autolab: return parse_autolab(text);
        case model::ReportFormat::exit: break;
    }
    return Error{Fault::internal, "an exit code is no text to read"};
}

}  // namespace

std::string report_name(std::string_view text, std::size_t number) {
    const std::string_view name = trimmed(text);
    return escaped(name.empty() ? fmt::format("test {}", number) : name, name_size_max);
}

std::optional<double> report_number(std::string_view text) {
    std::string digits;
    for (const char c : trimmed(text)) {
        if (c != ',') digits += c;
    }
    double number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
    if (!std::isfinite(number) || std::abs(number) > report_points_max) return std::nullopt;
    return number;
}

void score_test(model::TestReport& test, bool passed, std::optional<double> points, std::optional<double> points_max) {
    test.score_max = points_max.value_or(points.value_or(1));
    test.score = points && points_max ? *points : passed ? test.score_max : 0;
    test.verdict = passed ? Verdict::passed : Verdict::failed;
}

void skip_test(model::TestReport& test, std::string_view word, std::string_view reason) {
    test.verdict = Verdict::passed;
    test.score = test.score_max = 0;
    test.message = kept_text(reason.empty() ? std::string{word} : fmt::format("{}: {}", word, reason), model::test_output_kept_max);
}

double sum_of_maxima(const std::vector<model::TestReport>& tests) {
    double sum = 0;
    for (const model::TestReport& test : tests) sum += test.score_max;
    return sum;
}

void take(Results results, model::StageReport& stage) {
    stage.score = results.score;
    stage.score_max = results.score_max;
    stage.message = std::move(results.output);
    stage.message_visibility = results.output_visibility;
    stage.tests = std::move(results.tests);
    stage.notes = std::move(results.notes);
}

void judge_trusted(const model::StagePlan& plan, const model::Outcome& outcome, const Result<std::string>& file, model::StageReport& stage) {
    const bool by_exit = plan.report_format == model::ReportFormat::exit;
    stage.verdict = verdict_of(outcome, true, false);
    const std::string problem = stage.verdict == Verdict::system_fault ? outcome.fault : grader_problem(outcome, by_exit ? 1 : 0);
    if (stage.verdict == Verdict::system_fault || !problem.empty()) {
        stage.fault = kept_text(problem, fault_bytes_max);
        return;
    }
    stage.verdict = Verdict::passed;
    if (!plan.has_report()) return;
    if (by_exit) {
        stage.score_max = plan.points.value_or(report_points_default);
        stage.score = *outcome.exit_code == 0 ? *stage.score_max : 0;
        return;
    }
    Result<Results> read = file ? parse(*plan.report_format, *file) : Result<Results>{file.error()};
    if (!read) {
        stage.verdict = Verdict::grader_fault;
        stage.fault = kept_text(read.take_error().in("report " + plan.report).text(), fault_bytes_max);
        return;
    }
    take(std::move(*read), stage);
}

}  // namespace assay::grade
