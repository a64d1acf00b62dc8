#include "grade/regrade.hh"

#include <algorithm>
#include <map>
#include <string_view>

#include "grade/grade.hh"
#include "grade/reports.hh"

namespace assay::grade {
namespace {

// What running depends on, and nothing else.
model::Plan only_running(model::Plan plan) {
    plan.title.clear();
    plan.upload = {};
    plan.pass.reset();
    plan.opens_ms.reset();
    plan.due_ms.reset();
    plan.closes_ms.reset();
    plan.late.reset();
    plan.upload_grace_ms = 0;
    plan.submissions_max.reset();
    plan.supersede = true;
    plan.counts = model::Counts::last;
    for (model::StagePlan& stage : plan.stages) {
        stage.points.reset();
        for (model::TestPlan& test : stage.tests) {
            test.points = 0;
            test.visibility = model::Visibility::visible;
        }
    }
    return plan;
}

using TestsByName = std::map<std::string_view, const model::TestPlan*>;

TestsByName by_name(const std::vector<model::TestPlan>& tests) {
    TestsByName found;
    for (const model::TestPlan& test : tests) found.emplace(test.name, &test);
    return found;
}

// Both the plan's tests and the reported ones get what the current plan says of them.
void revalue_tests(model::StagePlan& plan, const model::StagePlan& current, model::StageReport* reached) {
    const TestsByName now = by_name(current.tests);
    for (model::TestPlan& test : plan.tests) {
        if (const auto found = now.find(test.name); found != now.end()) test.points = found->second->points;
    }
    if (reached == nullptr) return;
    reached->score.reset();
    reached->score_max.reset();
    for (model::TestReport& test : reached->tests) {
        const auto found = now.find(test.name);
        if (found == now.end()) continue;
        const double share = test.score_max > 0 ? test.score / test.score_max : test.verdict == model::Verdict::passed ? 1 : 0;
        test.score_max = found->second->points;
        test.score = share * test.score_max;
        test.visibility = found->second->visibility;
    }
}

// A report says its own score; only what `points` said of its maximum, and what an exit code was worth, is made anew.
void revalue_report(model::StagePlan& plan, const model::StagePlan& current, model::StageReport* reached) {
    if (plan.points == current.points) return;
    if (reached != nullptr && plan.report_format == model::ReportFormat::exit) {
        const bool all = reached->score.value_or(0) > 0;
        reached->score_max = current.points.value_or(report_points_default);
        reached->score = all ? *reached->score_max : 0;
    } else if (reached != nullptr && !current.points) {
        const double sum = sum_of_maxima(reached->tests);
        reached->score_max = sum > 0 ? std::optional{sum} : std::nullopt;
    }
    plan.points = current.points;
}

}  // namespace

bool runs_alike(const model::Plan& a, const model::Plan& b) {
    model::Plan one = only_running(a), other = only_running(b);
    if (one.files_sha256.empty() || other.files_sha256.empty()) one.files_sha256 = other.files_sha256 = "";  // Not known.
    return model::to_json(one) == model::to_json(other);
}

model::Report regraded(model::Report report, const model::Plan& run, const model::Plan& current) {
    model::Plan merged = run;
    merged.pass = current.pass;
    for (model::StagePlan& stage : merged.stages) {
        const auto now = std::ranges::find(current.stages, stage.name, &model::StagePlan::name);
        if (now == current.stages.end()) continue;
        const auto found = std::ranges::find(report.stages, stage.name, &model::StageReport::name);
        model::StageReport* const reached = found == report.stages.end() ? nullptr : &*found;
        if (stage.has_tests() && now->has_tests()) {
            revalue_tests(stage, *now, reached);
            stage.points = now->points;
        } else if (stage.has_report() && now->has_report()) {
            revalue_report(stage, *now, reached);
        }
    }
    conclude(merged, report);
    return report;
}

}  // namespace assay::grade
