#include "grade/regrade.hh"

#include <gtest/gtest.h>

#include <functional>

#include <fmt/format.h>

#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Verdict;

model::StagePlan tests(std::initializer_list<std::pair<const char*, double>> names) {
    model::StagePlan stage;
    stage.name = "tests";
    for (const auto& [name, points] : names) {
        model::TestPlan& test = stage.tests.emplace_back();
        test.name = name;
        test.points = points;
        test.command = {"./calc"};
    }
    return stage;
}

model::StagePlan scorer(model::ReportFormat format, std::optional<double> points) {
    model::StagePlan stage;
    stage.name = "score";
    stage.trusted = true;
    stage.report_format = format;
    stage.points = points;
    return stage;
}

model::Plan plan_of(std::initializer_list<model::StagePlan> stages) {
    model::Plan plan;
    plan.stages = stages;
    return plan;
}

// A report as it is stored: two tests, of which the first was passed and the second half, under `run`.
model::Report ran(const model::Plan& run) {
    model::Report report;
    for (const model::StagePlan& stage : run.stages) {
        model::StageReport& reached = report.stages.emplace_back();
        reached.name = stage.name;
        reached.verdict = stage.has_tests() ? Verdict::failed : Verdict::passed;
        double share = 1;
        for (const model::TestPlan& plan : stage.tests) {
            model::TestReport& test = reached.tests.emplace_back();
            test.name = plan.name;
            test.verdict = share == 1 ? Verdict::passed : Verdict::failed;
            test.score = share * plan.points;
            test.score_max = plan.points;
            share = 0.5;
        }
        if (stage.report_format == model::ReportFormat::exit) reached.score = reached.score_max = stage.points.value_or(report_points_default);
        if (stage.report_format == model::ReportFormat::results) {
            reached.score = 30;
            model::TestReport& test = reached.tests.emplace_back();
            test.name = "inside";
            test.score = 30;
            test.score_max = 40;
            reached.score_max = 40;
        }
    }
    conclude(run, report);
    return report;
}

std::string told(const model::Report& report) {
    return fmt::format("{} {}/{}", to_string(report.verdict), report.score.value_or(-1), report.score_max.value_or(-1));
}

TEST(Regrade, RecomputesPointsWithoutRunning) {
    const model::Plan run = plan_of({tests({{"a", 1}, {"b", 2}})});
    const model::Report stored = ran(run);
    ASSERT_EQ(told(stored), "failed 2/3");
    EXPECT_EQ(told(regraded(stored, run, run)), "failed 2/3");
    EXPECT_EQ(told(regraded(stored, run, plan_of({tests({{"a", 10}, {"b", 2}})}))), "failed 11/12");
    EXPECT_EQ(told(regraded(stored, run, plan_of({tests({{"b", 4}, {"a", 1}})}))), "failed 3/5") << "by name, not by place";
    EXPECT_EQ(told(regraded(stored, run, plan_of({tests({{"a", 5}, {"c", 9}})}))), "failed 6/7") << "what is gone keeps its points";

    model::Plan scaled = run;
    scaled.stages[0].points = 30;
    EXPECT_EQ(told(regraded(stored, run, scaled)), "failed 20/30");
    EXPECT_EQ(told(regraded(ran(scaled), scaled, run)), "failed 2/3");

    model::Plan lenient = run;
    lenient.pass = 2;
    EXPECT_EQ(told(regraded(stored, run, lenient)), "passed 2/3");

    model::Plan free = plan_of({tests({{"a", 0}, {"b", 0}})});
    EXPECT_EQ(told(regraded(stored, run, free)), "failed -1/-1") << "without points the tests decide";
    EXPECT_EQ(told(regraded(ran(free), free, run)), "failed 1/3") << "a share of nothing is nothing, but what passed has all of it";

    model::Plan hiding = run;
    hiding.stages[0].tests[1].visibility = model::Visibility::hidden;
    EXPECT_EQ(regraded(stored, run, hiding).stages[0].tests[1].visibility, model::Visibility::hidden);
}

TEST(Regrade, KnowsWhatAReportSaysItself) {
    using enum model::ReportFormat;
    const model::Plan run = plan_of({scorer(results, {})}), worth50 = plan_of({scorer(results, 50)});
    EXPECT_EQ(told(ran(run)), "failed 30/40");
    EXPECT_EQ(told(regraded(ran(run), run, worth50)), "failed 30/50");
    EXPECT_EQ(told(regraded(ran(worth50), worth50, run)), "failed 30/40");
    const model::Plan by_exit = plan_of({scorer(exit, {})}), exit_7 = plan_of({scorer(exit, 7)});
    EXPECT_EQ(told(ran(by_exit)), "passed 100/100");
    EXPECT_EQ(told(regraded(ran(by_exit), by_exit, exit_7)), "passed 7/7");
    EXPECT_EQ(told(regraded(ran(exit_7), exit_7, by_exit)), "passed 100/100");
}

TEST(Regrade, AFaultStaysOne) {
    const model::Plan run = plan_of({tests({{"a", 1}, {"b", 2}})});
    model::Report stored = ran(run);
    stored.stages[0].verdict = Verdict::grader_fault;
    conclude(run, stored);
    EXPECT_EQ(told(regraded(stored, run, plan_of({tests({{"a", 9}})}))), "grader_fault -1/11");
}

TEST(RunsAlike, ToleratesWhatNeedsNoRun) {
    model::Plan plan = plan_of({tests({{"a", 1}}), scorer(model::ReportFormat::results, {})});
    plan.files_sha256 = "x";
    struct Case {
        const char* what;
        std::function<void(model::Plan&)> change;
        bool alike;
    };
    const Case cases[] = {
        {"nothing", [](model::Plan&) {}, true},
        {"dates", [](model::Plan& p) { p.opens_ms = p.due_ms = p.closes_ms = 5; }, true},
        {"lateness", [](model::Plan& p) { p.late = model::Late{}; p.upload_grace_ms = 1; }, true},
        {"counting", [](model::Plan& p) { p.counts = model::Counts::best; p.submissions_max = 3; p.supersede = false; }, true},
        {"points", [](model::Plan& p) { p.pass = 1; p.stages[0].points = 3; p.stages[0].tests[0].points = 4; }, true},
        {"visibility", [](model::Plan& p) { p.stages[0].tests[0].visibility = model::Visibility::hidden; }, true},
        {"the title and what an upload is", [](model::Plan& p) { p.title = "x"; p.upload.size_max = 1; }, true},
        {"files of which nothing is known", [](model::Plan& p) { p.files_sha256 = ""; }, true},
        {"other files of the grader", [](model::Plan& p) { p.files_sha256 = "y"; }, false},
        {"a command", [](model::Plan& p) { p.stages[1].command = {"x"}; }, false},
        {"a limit", [](model::Plan& p) { p.stages[0].tests[0].limits.cpu_ms = 1; }, false},
        {"what is expected", [](model::Plan& p) { p.stages[0].tests[0].stdout_bytes = "x"; }, false},
        {"how it is compared", [](model::Plan& p) { p.stages[0].tests[0].compare = model::Compare::lines; }, false},
        {"one test more", [](model::Plan& p) { p.stages[0].tests.emplace_back(); }, false},
        {"the zone that programs see", [](model::Plan& p) { p.timezone = "Asia/Shanghai"; }, false},
    };
    for (const Case& c : cases) {
        model::Plan other = plan;
        c.change(other);
        EXPECT_EQ(runs_alike(plan, other), c.alike) << c.what;
        EXPECT_EQ(runs_alike(other, plan), c.alike) << c.what;
    }
}

}  // namespace
}  // namespace assay::grade
