#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Verdict;

model::StagePlan stage(const char* name, bool required = true) {
    model::StagePlan plan;
    plan.name = name;
    plan.required = required;
    return plan;
}
model::StagePlan tests_stage(const char* name, std::initializer_list<double> points, std::optional<double> scaled = {}) {
    model::StagePlan plan = stage(name);
    for (const double p : points) plan.tests.emplace_back().points = p;
    plan.points = scaled;
    return plan;
}
model::StagePlan report_stage(const char* name, std::optional<double> points = {}) {
    model::StagePlan plan = stage(name);
    plan.trusted = true;
    plan.report = "results.json";
    plan.report_format = model::ReportFormat::results;
    plan.points = points;
    return plan;
}
model::StageReport ended(const char* name, Verdict verdict, std::initializer_list<double> scores = {}) {
    model::StageReport report;
    report.name = name;
    report.verdict = verdict;
    for (const double score : scores) report.tests.emplace_back().score = score;
    return report;
}
model::StageReport scored(const char* name, std::optional<double> score, std::optional<double> score_max, std::initializer_list<double> scores = {}) {
    model::StageReport report = ended(name, Verdict::passed, scores);
    report.score = score;
    report.score_max = score_max;
    return report;
}

std::string concluded(std::vector<model::StagePlan> stages, std::vector<model::StageReport> reached, std::optional<double> pass = {}) {
    model::Plan plan;
    plan.stages = std::move(stages);
    plan.pass = pass;
    model::Report report;
    report.stages = std::move(reached);
    conclude(plan, report);
    const auto text = [](std::optional<double> points) { return points ? fmt::format("{}", *points) : "null"; };
    return fmt::format("{} {}/{}", to_string(report.verdict), text(report.score), text(report.score_max));
}

TEST(Conclude, SumsAndJudgesAsTheModuleSays) {
    const auto build = stage("build");
    const auto built = ended("build", Verdict::passed);
    // Without any points the stages alone decide, and there is no score.
    EXPECT_EQ(concluded({build}, {built}), "passed null/null");
    EXPECT_EQ(concluded({build}, {ended("build", Verdict::build_failed)}), "build_failed null/null");
    EXPECT_EQ(concluded({build, stage("lint", false)}, {built, ended("lint", Verdict::failed)}), "passed null/null");
    EXPECT_EQ(concluded({build, stage("run")}, {built}), "failed null/null");
    EXPECT_EQ(concluded({build}, {}), "failed null/null");

    // Tests give their points; a stage that was not reached gives none of its maximum.
    const auto tests = tests_stage("tests", {1, 2, 0.1, 0.2});
    EXPECT_EQ(concluded({build, tests}, {built, ended("tests", Verdict::passed, {1, 2, 0.1, 0.2})}), "passed 3.3/3.3");
    EXPECT_EQ(concluded({build, tests}, {built, ended("tests", Verdict::crashed, {0, 2, 0.1, 0.2})}), "crashed 2.3/3.3");
    EXPECT_EQ(concluded({build, tests}, {ended("build", Verdict::build_failed)}), "build_failed 0/3.3");
    EXPECT_EQ(concluded({build, tests}, {built, ended("tests", Verdict::failed, {0, 2, 0.1, 0.2})}, 2.0), "passed 2.3/3.3");
    EXPECT_EQ(concluded({build, tests}, {built, ended("tests", Verdict::failed, {1})}, 2.0), "failed 1/3.3");

    // A report gives its own score, else the sum of its tests; the maximum is points, else its tests', else 100.
    const auto score = report_stage("score");
    EXPECT_EQ(concluded({build, score}, {built, scored("score", 87, {})}), "failed 87/100");
    EXPECT_EQ(concluded({build, score}, {built, scored("score", 100, {})}), "passed 100/100");
    EXPECT_EQ(concluded({build, score}, {built, scored("score", {}, 8, {3, 5})}), "passed 8/8");
    EXPECT_EQ(concluded({build, score}, {built, scored("score", 2, 8, {3, 5})}), "failed 2/8");
    EXPECT_EQ(concluded({build, report_stage("score", 40)}, {built, scored("score", 30, 8)}), "failed 30/40");
    EXPECT_EQ(concluded({build, report_stage("score", 40)}, {built, scored("score", 45, 8)}), "passed 45/40");  // a bonus
    EXPECT_EQ(concluded({build, report_stage("score", 40)}, {ended("build", Verdict::build_failed)}), "build_failed 0/40");

    // Beside a report, tests count only when they say for how much.
    EXPECT_EQ(concluded({tests, score}, {ended("tests", Verdict::failed, {1}), scored("score", 50, {})}), "failed 50/100");
    EXPECT_EQ(concluded({tests, score}, {ended("tests", Verdict::failed, {1}), scored("score", 100, {})}), "passed 100/100");
    EXPECT_EQ(concluded({tests_stage("tests", {1, 3}, 20), score}, {ended("tests", Verdict::failed, {0, 3}), scored("score", 50, {})}), "failed 65/120");

    // A fault of ours or of the grader leads, and never counts as zero.
    EXPECT_EQ(concluded({build, score}, {built, ended("score", Verdict::grader_fault)}), "grader_fault null/100");
    EXPECT_EQ(concluded({tests, score}, {ended("tests", Verdict::failed, {1}), ended("score", Verdict::grader_fault)}), "grader_fault null/100");
    EXPECT_EQ(concluded({build, stage("note", false), tests}, {built, ended("note", Verdict::grader_fault), ended("tests", Verdict::passed, {1, 2, 0.1, 0.2})}),
              "passed 3.3/3.3");
}

TEST(Conclude, WritesTheStagesPoints) {
    model::Plan plan;
    plan.stages = {stage("build"), tests_stage("tests", {1, 3}), report_stage("score", 40)};
    model::Report report;
    report.stages = {ended("build", Verdict::passed), ended("tests", Verdict::failed, {1, 0}), scored("score", {}, 8, {3, 5})};
    conclude(plan, report);
    EXPECT_FALSE(report.stages[0].score_max);
    EXPECT_FALSE(report.stages[1].score_max);  // counts 0 beside a report
    EXPECT_EQ(report.stages[2].score, 8);
    EXPECT_EQ(report.stages[2].score_max, 40);
}

TEST(GoesOn, StopsAtARequiredStageThatDidNotPass) {
    model::Plan plan;
    plan.stages = {stage("build"), stage("lint", false), tests_stage("tests", {1}), report_stage("score")};
    EXPECT_TRUE(goes_on(plan, 0, Verdict::passed));
    EXPECT_FALSE(goes_on(plan, 0, Verdict::build_failed));
    EXPECT_TRUE(goes_on(plan, 1, Verdict::failed));
    EXPECT_FALSE(goes_on(plan, 1, Verdict::system_fault));
    EXPECT_TRUE(goes_on(plan, 2, Verdict::crashed));
    EXPECT_FALSE(goes_on(plan, 2, Verdict::system_fault));
    EXPECT_FALSE(goes_on(plan, 3, Verdict::passed));
}

}  // namespace
}  // namespace assay::grade
