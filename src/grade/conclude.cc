#include <algorithm>
#include <cmath>

#include "base/assert.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Verdict;

constexpr double tolerance = 1e-6;  // of sums of decimal fractions

bool is_fault(Verdict verdict) { return verdict == Verdict::system_fault || verdict == Verdict::grader_fault; }

// Sums like 0.1 + 0.2 as a person would write them.
double rounded(double points) { return std::round(points * 1e6) / 1e6; }

double sum_of(const auto& tests, auto points) {
    double sum = 0;
    for (const auto& test : tests) sum += test.*points;
    return sum;
}

struct Points {
    double score = 0;
    double score_max = 0;
};

// `reached` is null when the job ended before the stage.
Points points_of(const model::StagePlan& plan, const model::StageReport* reached, bool any_report) {
    if (plan.has_report()) {
        Points points{.score = 0, .score_max = plan.points.value_or(report_points_default)};
        if (reached == nullptr) return points;
        if (!plan.points && reached->score_max) points.score_max = *reached->score_max;
        points.score = reached->score.value_or(sum_of(reached->tests, &model::TestReport::score));
        return points;
    }
    if (!plan.has_tests() || (any_report && !plan.points)) return {};
    const double total = sum_of(plan.tests, &model::TestPlan::points);
    const double earned = reached == nullptr ? 0 : sum_of(reached->tests, &model::TestReport::score);
    if (!plan.points) return {earned, total};
    return {total > 0 ? earned / total * *plan.points : 0, *plan.points};
}

}  // namespace

bool goes_on(const model::Plan& plan, std::size_t index, Verdict verdict) {
    ASSAY_ASSERT(index < plan.stages.size());
    if (index + 1 == plan.stages.size() || verdict == Verdict::system_fault) return false;
    const model::StagePlan& stage = plan.stages[index];
    return stage.has_tests() || !stage.required || verdict == Verdict::passed;
}

bool passes(const model::Plan& plan, double score, double score_max) {
    return score >= plan.pass.value_or(score_max) - tolerance;
}

void conclude(const model::Plan& plan, model::Report& report) {
    const bool any_report = std::ranges::any_of(plan.stages, [](const auto& stage) { return stage.has_report(); });
    Points sum;
    std::optional<Verdict> fault, first_failing;
    bool all_reached = true;  // of those that are required
    for (const model::StagePlan& stage : plan.stages) {
        const auto found = std::ranges::find(report.stages, stage.name, &model::StageReport::name);
        model::StageReport* const reached = found == report.stages.end() ? nullptr : &*found;
        const Points points = points_of(stage, reached, any_report);
        sum.score += points.score;
        sum.score_max += points.score_max;
        if (reached == nullptr) {
            all_reached = all_reached && !stage.required;
            continue;
        }
        if (points.score_max > 0 || points.score != 0) {
            reached->score = rounded(points.score);
            reached->score_max = rounded(points.score_max);
        }
        const bool matters = stage.required || points.score_max > 0;
        if (matters && is_fault(reached->verdict) && !fault) fault = reached->verdict;
        if (stage.required && reached->verdict != Verdict::passed && !first_failing) first_failing = reached->verdict;
    }

    report.score.reset();
    report.score_max.reset();
    const bool has_points = sum.score_max > 0 || sum.score != 0;
    if (has_points) report.score_max = rounded(sum.score_max);
    if (has_points && !fault) report.score = rounded(sum.score);

    const bool passed = has_points ? passes(plan, sum.score, sum.score_max) : all_reached && !first_failing;
    report.verdict = fault ? *fault : passed ? Verdict::passed : first_failing.value_or(Verdict::failed);
}

}  // namespace assay::grade
