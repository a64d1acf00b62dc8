// Grade: outcomes in, verdict out. Pure: no clock, no I/O. It parses what hostile programs and graders wrote, so every
// parser is bounded and total.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"
#include "model/plan.hh"
#include "model/report.hh"

namespace assay::grade {

// The first of the SPEC's rules that applies to what one command did. `before_tests`: an untrusted stage before the first
// tests or score stage, whose plain failure is `build_failed`.
model::Verdict verdict_of(const model::Outcome&, bool trusted, bool before_tests);

// Whether a command is to be run once more, alone: a limit of time ended it while what else the machine did could have stretched
// its times. Of any other end the first outcome stands.
bool deserves_another_try(const model::Outcome&);

model::Usage usage_of(const model::Outcome&);

// A test's outcome against its plan. `got` is the whole stdout (at most limits.output_bytes); `files`: what it left of
// plan.files, in their order, nullopt where there is no regular file; fewer: those are missing. Texts are cut to
// test_output_kept_max and valid UTF-8; `input` is the command line, then what was fed.
model::TestReport grade_test(const model::TestPlan&, const model::Outcome&, std::string_view got,
                             std::span<const std::optional<std::string>> files = {});

// Whether a checker has the last word on a test that was graded: it is the test's way to compare, and the program ended as it
// must. Until judge_checked has it, such a test is a grader_fault: nobody gets or loses points for a checker that was not run.
bool wants_checker(const model::TestPlan&, const model::TestReport&);

// What the checker says of it. `checker`: how its trusted command ended; `score_text`: what it left in /out/score, nullopt:
// nothing. Exit code 0 gives all points, 1 none; a score from 0 to 1 is the share of the points, with either exit code. Anything
// else is a grader_fault (`fault` says which, for staff), and so is a score that cannot be read. The beginning of what it printed
// becomes the test's message.
constexpr std::size_t checker_message_max = 4u << 10;
constexpr std::size_t checker_score_max = 256;  // bytes of /out/score
model::TestReport judge_checked(const model::TestPlan&, model::TestReport, const model::Outcome& checker,
                                const std::optional<std::string>& score_text);

// What a trusted command did wrong, in a sentence for staff; empty: it ended by itself with an exit code up to `exit_code_max`,
// inside its limits.
std::string grader_problem(const model::Outcome&, int exit_code_max = 0);

// Of a stage of tests: passed when all are, else a fault of ours, else the first failing test's.
model::Verdict verdict_of_tests(std::span<const model::TestReport>);

// `text` as a report keeps it: at most about `size_max` bytes, the middle left out and said so, invalid UTF-8 replaced.
std::string kept_text(std::string_view text, std::size_t size_max);

// What the plan says of stage `index` after it ended: is there a next stage, and is it run? A stage without tests that did not
// end `passed` ends the job unless it is not required; failed tests never end it; our own fault always does.
bool goes_on(const model::Plan&, std::size_t index, model::Verdict);

constexpr double report_points_default = 100;  // of a stage whose report does not say what it is worth

// Fills verdict, score and score_max of a report whose stages are complete as far as they were reached, and of its stages.
//
// score and score_max are sums over the plan's stages; one that was not reached gives 0 of its maximum. A stage with a report
// gives `points`, else the sum of its tests' maxima, else 100 as maximum, and the report's score, else the sum of its tests. A
// stage of tests gives its tests' points, scaled to `points` when set; without `points` it counts 0 where any stage has a report.
// Verdict: a fault in a stage that is required or gives points (the score is then not known: null); passed by passes(), or
// without any points when all required stages passed (score null); else the first failing required stage's; else failed.
void conclude(const model::Plan&, model::Report&);

// Whether `score` against `score_max` makes the submission `passed` under the plan's `pass`.
bool passes(const model::Plan&, double score, double score_max);

}  // namespace assay::grade
