#include "queue/progress.hh"

#include <gtest/gtest.h>

namespace assay::queue {
namespace {

const Token token{JobId{7}, 2, 3};

model::Report finished(const std::string& stage, const std::string& test, const std::string& got = "") {
    model::Report report;
    report.stages.emplace_back().name = stage;
    if (test.empty()) {
        report.stages.back().verdict = model::Verdict::passed;
        return report;
    }
    model::TestReport& one = report.stages.back().tests.emplace_back();
    one.name = test;
    one.got = got;
    one.verdict = model::Verdict::passed;
    return report;
}

TEST(Progress, WhatFinishesIsKeptInOrderAndItsStageEndsIt) {
    ProgressTable table;
    table.begin(token, 2);
    table.note(token, "build", "", {});
    EXPECT_EQ(table.at(token.job)->stage, "build");
    EXPECT_TRUE(table.partial(token).empty());
    table.note(token, "build", "", finished("build", ""));
    table.note(token, "tests", "adds", {});
    table.note(token, "tests", "adds", finished("tests", "adds"));
    const auto under_way = table.at(token.job);
    ASSERT_TRUE(under_way);
    EXPECT_EQ(under_way->tests_done, 1);
    EXPECT_EQ(under_way->tests_all, 2);
    EXPECT_FALSE(under_way->stage_over);
    // The stage that a fault cuts is our failure, the one before it is what it was.
    const auto cut = model::report_from_json(table.partial(token));
    ASSERT_TRUE(cut && cut->stages.size() == 2);
    EXPECT_TRUE(cut->partial);
    EXPECT_EQ(cut->stages[0].verdict, model::Verdict::passed);
    EXPECT_EQ(cut->stages[1].verdict, model::Verdict::system_fault);
    EXPECT_EQ(cut->stages[1].tests.at(0).verdict, model::Verdict::passed);

    // Why it waits holds until the next that is told of it.
    table.note(token, "tests", "divides", {}, model::Reason::pressure);
    EXPECT_EQ(table.at(token.job)->reason, model::Reason::pressure);
    table.note(token, "tests", "divides", {});
    EXPECT_FALSE(table.at(token.job)->reason);
    table.note(token, "tests", "divides", finished("tests", "divides"));
    table.note(token, "tests", "", finished("tests", ""));
    const auto over = table.at(token.job);
    EXPECT_TRUE(over->stage_over);
    EXPECT_EQ(over->report.stages.at(1).tests.size(), 2u);
    EXPECT_EQ(over->report.stages.at(1).verdict, model::Verdict::passed);
}

// Another attempt of the same job begins anew, and the one before it neither adds to it nor takes it away.
TEST(Progress, AStaleTokenChangesNothing) {
    ProgressTable table;
    table.begin({token.job, 1, 3}, 1);
    table.begin(token, 1);
    table.note({token.job, 1, 3}, "tests", "adds", finished("tests", "adds"));
    table.end({token.job, 1, 3});
    ASSERT_TRUE(table.at(token.job));
    EXPECT_EQ(table.at(token.job)->tests_done, 0);
    EXPECT_TRUE(table.partial({token.job, 1, 3}).empty());
    table.end(token);
    EXPECT_FALSE(table.at(token.job));
}

TEST(Progress, ItsBytesAreBoundedAndEveryTestIsCounted) {
    ProgressTable table;
    table.begin(token, 100'000);
    const std::string loud(4096, 'x');
    constexpr int tests = 20'000;
    for (int i = 0; i < tests; ++i) table.note(token, "tests", std::to_string(i), finished("tests", std::to_string(i), loud));
    const auto progress = table.at(token.job);
    EXPECT_EQ(progress->tests_done, tests);
    const auto& kept = progress->report.stages.at(0).tests;
    EXPECT_LT(kept.size(), progress_bytes_max / sizeof(model::TestReport));
    EXPECT_EQ(kept.front().got, loud);
    EXPECT_EQ(kept.back().got, "");
    EXPECT_LT(table.partial(token).size(), 2 * progress_bytes_max);
}

}  // namespace
}  // namespace assay::queue
