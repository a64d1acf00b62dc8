#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/check.hh"

namespace assay::runner {
namespace {

using model::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> codes(const std::vector<Concern>& concerns) {
    std::vector<std::string> found;
    for (const Concern& concern : concerns) found.push_back(concern.code);
    return found;
}

model::StagePlan stage(std::string name) {
    model::StagePlan plan;
    plan.name = std::move(name);
    plan.command = {"make"};
    return plan;
}

model::TestPlan test(std::optional<std::string> expected, model::Visibility visibility = model::Visibility::hidden) {
    model::TestPlan plan;
    plan.name = "t";
    plan.stdout_bytes = std::move(expected);
    plan.visibility = visibility;
    return plan;
}

model::StagePlan tests(std::vector<model::TestPlan> all) {
    model::StagePlan plan = stage("tests");
    plan.tests = std::move(all);
    return plan;
}

model::Plan plan_of(std::vector<model::StagePlan> stages) {
    model::Plan plan;
    plan.stages = std::move(stages);
    return plan;
}

TEST(Forgeable, AVerdictByAnUntrustedExitCode) {
    EXPECT_THAT(codes(forgeable(plan_of({stage("build")}))), ElementsAre("exit_code_decides"));
    model::StagePlan score = stage("score");
    score.trusted = true;
    score.report_format = model::ReportFormat::results;
    EXPECT_THAT(forgeable(plan_of({stage("build"), score})), IsEmpty());
}

TEST(Forgeable, ATestThatAsksNothing) {
    EXPECT_THAT(codes(forgeable(plan_of({tests({test(std::nullopt)})}))), ElementsAre("asks_nothing"));
    EXPECT_THAT(codes(forgeable(plan_of({tests({test(" \n")})}))), ElementsAre("asks_nothing")) << "an empty program prints that as well";
    EXPECT_THAT(forgeable(plan_of({tests({test("7\n")})})), IsEmpty());
    model::TestPlan refuses = test("");
    refuses.exit_code = 3;
    EXPECT_THAT(forgeable(plan_of({tests({refuses})})), IsEmpty());
    model::TestPlan writes = test(std::nullopt);
    writes.files = {{"out", "x"}};
    model::TestPlan checked = test(std::nullopt);
    checked.compare = model::Compare::checker;
    model::TestPlan worthless = test(std::nullopt);
    worthless.points = 0;
    EXPECT_THAT(forgeable(plan_of({tests({writes, checked, worthless})})), IsEmpty());
}

TEST(Forgeable, AnswersThatEverybodySees) {
    EXPECT_THAT(codes(forgeable(plan_of({tests({test("7", model::Visibility::visible)})}))), ElementsAre("answers_seen"));
    EXPECT_THAT(forgeable(plan_of({tests({test("7", model::Visibility::visible), test("8", model::Visibility::after_due)})})), IsEmpty());
    model::StagePlan score = stage("score");
    score.report_format = model::ReportFormat::results;
    EXPECT_THAT(forgeable(plan_of({tests({test("7", model::Visibility::visible)}), score})), IsEmpty()) << "such tests give no points";
}

model::Report report_of(Verdict verdict, std::optional<double> score, std::vector<model::TestReport> all = {}) {
    model::Report report;
    report.verdict = verdict;
    report.score = score;
    model::StageReport stage_report;
    stage_report.name = "tests";
    stage_report.verdict = verdict;
    stage_report.tests = std::move(all);
    report.stages.push_back(std::move(stage_report));
    return report;
}

model::TestReport done(Verdict verdict, std::string got, double cpu_ms = 1) {
    model::TestReport report;
    report.name = "t";
    report.verdict = verdict;
    report.got = std::move(got);
    report.score = verdict == Verdict::passed ? 1 : 0;
    report.usage.cpu_ms = cpu_ms;
    return report;
}

TEST(EndsAs, ComparesVerdictAndScoreWhereOneIsSaid) {
    EXPECT_TRUE(ends_as(Verdict::failed, 85, report_of(Verdict::failed, 85.00001)));
    EXPECT_TRUE(ends_as(Verdict::failed, std::nullopt, report_of(Verdict::failed, 3)));
    EXPECT_FALSE(ends_as(Verdict::failed, 85, report_of(Verdict::failed, 80)));
    EXPECT_FALSE(ends_as(Verdict::failed, 85, report_of(Verdict::passed, 85)));
}

TEST(Unsteady, TellsWhatDiffersOnce) {
    const model::Plan plan = plan_of({tests({test("7")})});
    const model::Report good = report_of(Verdict::passed, 1, {done(Verdict::passed, "7")});
    EXPECT_THAT(unsteady(plan, std::vector{good, good, good}), IsEmpty());
    const model::Report bad = report_of(Verdict::failed, 0, {done(Verdict::failed, "8")});
    EXPECT_THAT(codes(unsteady(plan, std::vector{good, bad, bad})),
                ElementsAre("verdict_differs", "score_differs", "verdict_differs", "verdict_differs", "score_differs", "output_differs"));
    const model::Report other = report_of(Verdict::passed, 1, {done(Verdict::passed, "7 ")});
    EXPECT_THAT(codes(unsteady(plan, std::vector{good, other, other})), ElementsAre("output_differs"));
}

// How far a program came until a limit ended it is chance, and no fault of the module's.
TEST(Unsteady, OutputOfWhatALimitEndedMayDiffer) {
    const model::Plan plan = plan_of({tests({test("7")})});
    const auto ended = [](const char* got) { return report_of(Verdict::output_limit, 0, {done(Verdict::output_limit, got)}); };
    EXPECT_THAT(unsteady(plan, std::vector{ended("yyy"), ended("yyyyyy")}), IsEmpty());
}

TEST(Unsteady, TellsWhatComesNearItsLimit) {
    model::Plan plan = plan_of({tests({test("7")})});
    plan.stages[0].tests[0].limits.cpu_ms = 100;
    const auto used = [](double cpu_ms, Verdict verdict = Verdict::passed) { return report_of(verdict, 1, {done(verdict, "7", cpu_ms)}); };
    EXPECT_THAT(unsteady(plan, std::vector{used(69), used(69)}), IsEmpty());
    EXPECT_THAT(codes(unsteady(plan, std::vector{used(60), used(70), used(80)})), ElementsAre("near_limit")) << "told once";
    EXPECT_THAT(unsteady(plan, std::vector{used(101, Verdict::time_limit)}), IsEmpty()) << "that is what limits are for";
}

TEST(Hollow, HasTheRequiredNamesAndNothingElse) {
    model::UploadRules rules;
    EXPECT_THAT(hollow_paths(rules), ElementsAre("x"));
    rules.required = {"src/*.c", "Makefile", "src/?.c"};
    EXPECT_THAT(hollow_paths(rules), ElementsAre("Makefile", "src/x.c"));
}

}  // namespace
}  // namespace assay::runner
