// Reports: what a trusted stage leaves, in the formats graders write. A grader may have run the submission's code beside it, so
// its report is hostile bytes: every reader is total, bounded by the limits below, and refuses rather than guesses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/plan.hh"
#include "model/report.hh"

namespace assay::grade {

constexpr std::size_t report_bytes_max = 4u << 20;
constexpr std::size_t report_tests_max = 10'000;
constexpr std::size_t report_depth_max = 32;      // of nested JSON, nested XML elements
constexpr double report_points_max = 1e9;         // larger numbers are mistakes; sums of these stay exact enough

struct Results {
    std::optional<double> score;      // overrides the sum of tests
    std::optional<double> score_max;  // sum of the tests' maxima when any test has one
    std::string output;               // the message to the participant,
    model::Visibility output_visibility = model::Visibility::visible;  // and when he sees it
    std::vector<model::TestReport> tests;
    std::vector<std::string> notes;   // for staff: what was read over, and why
};

// Gradescope's results.json. A test is worth its max_score; a score on top overrides their sum. `after_published` is read as
// `after_due`: nothing here publishes. Formats html and ansi become plain text. Errors (here and below): invalid, with place and
// reason.
Result<Results> parse_results(std::string_view json);

// JUnit's XML, the union of its dialects: <testsuites> or <testsuite>, nested as they like. A case is worth 1, or what its
// properties say: `max_points`, or `points` alone; with both, `points` is what it earned. Failed when it has a <failure> or
// <error>; a skipped one gives and takes nothing. A document type is refused.
Result<Results> parse_junit(std::string_view xml);

// TAP 12 to 14: 1 for each `ok`; tests of the plan that were not run have failed; what is skipped or still to do gives and takes nothing. `points` and
// `max_points` in a test's YAML block mean what they mean above. Subtests count through the test that sums them up. A report without
// plan, with a number twice or outside of it, or with `Bail out!` is refused.
Result<Results> parse_tap(std::string_view text);

// Autolab's: the last line is JSON, {"scores": {problem: number}}; the line before may be its structured feedback, whose tests are
// listed; what stands above is the message.
Result<Results> parse_autolab(std::string_view text);

// Puts them into the stage's report: score, score_max, message, tests, notes.
void take(Results, model::StageReport&);

// What a trusted command stage did, once it ended and its report (if the plan names one) was looked for: fills verdict, fault, and of a
// stage with a report score, score_max, message and tests. A report that was read makes the stage `passed` whatever its score; of
// ReportFormat::exit, 0 gives all points, 1 none, and anything else is the grader's fault.
void judge_trusted(const model::StagePlan&, const model::Outcome&, const Result<std::string>& report, model::StageReport&);

// --- What the readers share.

// `text` of a report as a name: one clean line, never empty.
std::string report_name(std::string_view text, std::size_t number);
// 1,234.5 and the like, in seconds or points. nullopt: no finite number up to report_points_max either way.
std::optional<double> report_number(std::string_view text);
// Fills verdict, score and score_max of a test that is worth `points_max` (else `points`, else 1) and passed or not. With both,
// `points` is what it earned.
void score_test(model::TestReport&, bool passed, std::optional<double> points, std::optional<double> points_max);
// A test that gives and takes nothing, and why: "skipped: no network".
void skip_test(model::TestReport&, std::string_view word, std::string_view reason);
// Sum of the tests' maxima.
double sum_of_maxima(const std::vector<model::TestReport>&);
// Markup to plain text: `html` without tags and entities, `ansi` without control sequences, others as they are.
std::string plain_text(std::string_view format, std::string_view text);

}  // namespace assay::grade
