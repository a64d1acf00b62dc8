#include "runner/texts.hh"

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::runner {
namespace {

TEST(KeptText, WhatFitsStaysAsItIs) {
    EXPECT_EQ(kept_text("", 128), "");
    EXPECT_EQ(kept_text(std::string(128, 'a'), 128), std::string(128, 'a'));
}

TEST(KeptText, TooLongKeepsBothEndsAndSaysHowMuchIsMissing) {
    const std::string text = "begin" + std::string(1000, '.') + "end";
    const std::string kept = kept_text(text, 256);
    EXPECT_LE(kept.size(), 256u);
    EXPECT_TRUE(kept.starts_with("begin"));
    EXPECT_TRUE(kept.ends_with("end"));
    EXPECT_TRUE(kept.contains("[... 816 bytes left out ...]")) << kept;
}

// A cut inside a character would put replacement marks into a text that was fine.
TEST(KeptText, CutsBetweenCharacters) {
    for (int shift = 0; shift < 4; ++shift) {
        std::string text(static_cast<std::size_t>(shift), 'x');
        for (int i = 0; i < 300; ++i) text += "字";
        const std::string kept = kept_text(text, 200);
        EXPECT_TRUE(valid_utf8(kept));
        EXPECT_FALSE(kept.contains("\xEF\xBF\xBD")) << shift;
    }
}

TEST(KeptText, BytesThatAreNoTextBecomeText) {
    EXPECT_TRUE(valid_utf8(kept_text(std::string(10'000, '\xFF'), 4096)));
    EXPECT_TRUE(valid_utf8(kept_text(std::string(10'000, '\x80'), 4096)));
}

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
    EXPECT_TRUE(read->stages[0].tests[0].got.contains("left out"));
}

TEST(FittingJson, AtLastLeavesSingleResultsOutAndKeepsTheScore) {
    constexpr std::size_t size_max = 20'000;
    const std::string json = fitting_json(report_with(1000, 10), size_max);
    EXPECT_LE(json.size(), size_max);
    const auto read = model::report_from_json(json);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(read->stages.at(0).tests.empty());
    EXPECT_EQ(read->stages[0].score, 3);
    EXPECT_TRUE(read->stages[0].message.contains("1000 single results"));
}

}  // namespace
}  // namespace assay::runner
