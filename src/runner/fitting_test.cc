#include "runner/fitting.hh"

#include <gtest/gtest.h>

namespace assay::runner {
namespace {

model::Report report_with(std::size_t tests, std::size_t bytes) {
    model::Report report;
    model::StageReport stage;
    stage.name = "score";
    stage.trusted = true;
    stage.score = 3;
    for (std::size_t i = 0; i < tests; ++i) {
        model::TestReport test;
        test.name = "test " + std::to_string(i);
        test.got = std::string(bytes, 'g');
        stage.tests.push_back(std::move(test));
    }
    report.stages.push_back(std::move(stage));
    return report;
}

TEST(FittingJson, ShortensTextsBeforeItDropsAnything) {
    constexpr std::size_t size_max = 100'000;
    const std::string json = fitting_json(report_with(100, 4000), size_max);
    EXPECT_LE(json.size(), size_max);
    const auto read = model::report_from_json(json);
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->stages.at(0).tests.size(), 100u);
    EXPECT_TRUE(read->stages[0].tests[0].got.contains(" B …]"));
}

TEST(FittingJson, AtLastLeavesSingleResultsOutAndKeepsTheScore) {
    constexpr std::size_t size_max = 20'000;
    const std::string json = fitting_json(report_with(1000, 10), size_max);
    EXPECT_LE(json.size(), size_max);
    const auto read = model::report_from_json(json);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(read->stages.at(0).tests.empty());
    EXPECT_EQ(read->stages[0].score, 3);
    EXPECT_EQ(read->stages[0].tests_left_out, 1000);
}

}  // namespace
}  // namespace assay::runner
