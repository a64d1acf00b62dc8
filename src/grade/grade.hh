// Grade: outcomes in, verdict out. Pure: no clock, no I/O. It parses what hostile programs and graders wrote, so every
// parser is bounded and total.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"
#include "model/plan.hh"
#include "model/report.hh"

namespace assay::grade {

constexpr std::size_t results_json_max = 4u << 20;   // of a report file
constexpr std::size_t results_tests_max = 10'000;
constexpr std::size_t results_depth_max = 32;

// The first of the SPEC's rules that applies to what one command did. `before_tests`: an untrusted stage before the first
// tests or score stage, whose plain failure is `build_failed`.
model::Verdict verdict_of(const model::Outcome&, bool trusted, bool before_tests);

struct Compared {
    bool equal = false;
    std::string message;  // where the first difference is; empty when equal
};
// exact: byte for byte. whitespace: runs of blanks and newlines count as one, leading and trailing ones not at all.
Compared compare(model::Compare, std::string_view expected, std::string_view got);

// A test's outcome against its plan. `got` is the whole stdout (at most limits.output_bytes).
model::TestReport grade_test(const model::TestPlan&, const model::Outcome&, std::string_view got);

// results.json of a trusted stage (gradescope style). Errors: invalid (with place and reason): the stage is `grader_fault`.
struct Results {
    std::optional<double> score;      // overrides the sum of tests
    std::optional<double> score_max;  // sum of max_score when any test has one
    std::string output;
    std::vector<model::TestReport> tests;
};
Result<Results> parse_results(std::string_view json);

// What the plan says of stage `index` after it ended: does the job go on? (SPEC "Flow and score")
bool goes_on(const model::Plan&, std::size_t index, model::Verdict);

// Fills verdict, score and score_max of a report whose stages are complete as far as they were reached.
void conclude(const model::Plan&, model::Report&);

// Whether `score` against `score_max` makes the submission `passed` under the plan's `pass`.
bool passes(const model::Plan&, double score, double score_max);

}  // namespace assay::grade
