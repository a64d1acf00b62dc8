// The last word on a test whose output only a program of the module's can judge.
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Verdict;

constexpr std::size_t errors_kept_max = 1000;  // of what the checker said on stderr, for staff

// A share of the points. nullopt: no number from 0 to 1.
std::optional<double> share_of(std::string_view text) {
    text = trimmed(text);
    double share = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), share);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    if (!(share >= 0 && share <= 1)) return std::nullopt;
    return share;
}

// Why its word cannot be taken; empty: it can.
std::string problem_of(const model::Outcome& checker, const std::optional<std::string>& score_text) {
    if (const std::string problem = grader_problem(checker, 1); !problem.empty()) return "the checker: " + problem;
    if (score_text && score_text->size() > checker_score_max) return fmt::format("/out/score is longer than {} bytes", checker_score_max);
    if (score_text && !share_of(*score_text)) return fmt::format("/out/score is no number from 0 to 1: \"{}\"", escaped(trimmed(*score_text), 60));
    return {};
}

}  // namespace

std::string grader_problem(const model::Outcome& outcome, int exit_code_max) {
    if (outcome.oom_killed) return "the command was ended because it went over its memory limit";
    if (outcome.cpu_exceeded) return "the command was ended because it used more CPU time than its limit";
    if (outcome.wall_exceeded) return "the command was ended because it ran longer than its limit";
    if (outcome.io_exceeded) return "the command was ended because it read or wrote more than its limit";
    if (outcome.output_exceeded) return "the command was ended because it printed more than its limit";
    if (outcome.forbidden) return "the command was ended by the system-call filter";
    if (outcome.signal) return fmt::format("the command was ended by signal {}", *outcome.signal);
    if (const int code = outcome.exit_code.value_or(-1); code < 0 || code > exit_code_max) {
        return fmt::format("the command ended with exit code {}", code);
    }
    return {};
}

bool wants_checker(const model::TestPlan& plan, const model::TestReport& report) {
    return plan.compare == model::Compare::checker && report.verdict == Verdict::grader_fault;  // No program earns that by itself.
}

model::TestReport judge_checked(const model::TestPlan& plan, model::TestReport report, const model::Outcome& checker,
                                const std::optional<std::string>& score_text) {
    const auto verdict = [&](Verdict word, double score) {
        report.verdict = word;
        report.score = score;
        return std::move(report);
    };
    if (verdict_of(checker, false, false) == Verdict::system_fault) {
        report.fault = "the checker: " + (checker.fault.empty() ? std::string{"it did not start"} : kept_text(checker.fault, errors_kept_max));
        return verdict(Verdict::system_fault, 0);
    }
    if (const std::string problem = problem_of(checker, score_text); !problem.empty()) {
        report.fault = problem;
        if (const std::string said = checker.errors.text(); !said.empty()) report.fault += "\n" + kept_text(said, errors_kept_max);
        return verdict(Verdict::grader_fault, 0);
    }
    report.fault.clear();
    report.message = kept_text(std::string_view{checker.output.head}.substr(0, checker_message_max), checker_message_max);
    const double share = score_text ? *share_of(*score_text) : *checker.exit_code == 0 ? 1 : 0;
    return verdict(share == 1 ? Verdict::passed : Verdict::failed, plan.points * share);
}

}  // namespace assay::grade
