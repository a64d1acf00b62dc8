#include "alert/condition.hh"

#include <gtest/gtest.h>

namespace assay::alert {
namespace {

TEST(Figures, ReadsAPageOfMetricsAndSumsByLabels) {
    Figures figures;
    add_metrics(figures,
                "# HELP assay_queue_waiting Jobs.\n# TYPE assay_queue_waiting gauge\n"
                "assay_queue_waiting{reason=\"slot\"} 3\nassay_queue_waiting{reason=\"fair_share\"} 4\n"
                "assay_http_requests_total{route=\"/a,b\",class=\"5xx\"} "
                "2\nassay_http_requests_total{route=\"/c\",class=\"5xx\"} 5\n"
                "assay_slots 2\nassay_x_bucket{le=\"1\"} 9\nbroken\nworse nan\n");
    EXPECT_TRUE(figures.counted);
    EXPECT_EQ(figures.sum("assay_queue_waiting", {}), 7);
    EXPECT_EQ(figures.sum("assay_queue_waiting", {"reason=\"slot\""}), 3);
    EXPECT_EQ(figures.sum("assay_http_requests_total", {"class=\"5xx\""}), 7);
    EXPECT_EQ(figures.sum("assay_http_requests_total", {"route=\"/a,b\"", "class=\"5xx\""}), 2);
    EXPECT_EQ(figures.sum("assay_slots", {}), 2);
    EXPECT_EQ(figures.sum("assay_slots", {"a=\"b\""}), std::nullopt);
    EXPECT_EQ(figures.sum("assay_x_bucket", {}), std::nullopt);
    EXPECT_EQ(figures.sum("worse", {}), std::nullopt);
}

TEST(Condition, JudgesByTheFiguresOfNow) {
    Figures figures;
    figures.set("a", 5);
    figures.set("b", "k=\"x\"", 1);
    figures.set("b", "k=\"y\"", 2);
    struct Case {
        const char* text;
        std::optional<bool> expected;
    };
    for (const Case& it : {Case{"a > 4", true},
                           {"a > 5", false},
                           {"a>=5", true},
                           {"a <= 4.5", false},
                           {"a == 5 and b == 3", true},
                           {"a != 5 or b{k=\"y\"} == 2", true},
                           {"a < 1 or a > 9 or b < 1", false},
                           {"not a < 1", true},
                           {"not (a < 1 or b > 1)", false},
                           {"a > 4 and (b < 1 or b > 2)", true},
                           // What is missing leaves open what it decides, and only that.
                           {"missing > 1", std::nullopt},
                           {"missing > 1 or a > 4", true},
                           {"missing > 1 and a > 9", false},
                           {"missing > 1 and a > 4", std::nullopt},
                           {"not missing > 1", std::nullopt},
                           {"avg(missing, 1min) > 1", std::nullopt}}) {
        auto condition = Condition::parse(it.text);
        ASSERT_TRUE(condition) << it.text << ": " << condition.error().text();
        EXPECT_EQ(condition->judge(figures, 1000), it.expected) << it.text;
    }
}

TEST(Condition, SaysWhereItIsWrong) {
    struct Case {
        std::string text;
        const char* error;
    };
    std::string deep;
    for (int i = 0; i < 20; ++i) deep += '(';
    for (const Case& it :
         {Case{"", "condition: at byte 1: expected the name of a figure, found ''"},
          {"a >", "condition: at byte 4: expected a number, found ''"},
          {"a > 1s", "condition: at byte 5: expected a number, found '1s'"},
          {"a > 1 b", "condition: at byte 7: expected 'and', 'or' or the end, found 'b'"},
          {"a = 1", "condition: at byte 3: expected one of < <= > >= == !=, found '= 1'"},
          {"mean(a, 1min) > 1",
           "condition: at byte 1: expected rate, increase, change, avg, max or min before '(', found 'mean(a, 1min) > "
           "1'"},
          {"avg(a, 25h) > 1",
           "condition: at byte 8: expected a window from 1s to 24h, such as 10min, found '25h) > 1'"},
          {"avg(a) > 1", "condition: at byte 6: expected ',' and a window such as 10min, found ') > 1'"},
          {"a{x} > 1", "condition: at byte 2: expected labels such as {reason=\"slot\"}, found '{x} > 1'"},
          {"a{x=\"1\" > 1", "condition: at byte 2: expected '}' behind the labels, found '{x=\"1\" > 1'"},
          {"(a > 1", "condition: at byte 7: expected ')', found ''"},
          {deep, "condition: nested deeper than 16"},
          {std::string(1001, 'a'), "condition: longer than 1000 bytes"}}) {
        const auto condition = Condition::parse(it.text);
        ASSERT_FALSE(condition) << it.text;
        EXPECT_EQ(condition.error().text(), it.error);
    }
}

TEST(Condition, ShowsWhatItCompared) {
    auto condition = Condition::parse("a > 4 and avg(b{k=\"x\"}, 1min) < 2");
    ASSERT_TRUE(condition);
    Figures figures;
    figures.set("a", 5.5);
    EXPECT_EQ(condition->judge(figures, 1000), std::nullopt);
    EXPECT_EQ(condition->evidence(),
              (std::vector<std::string>{"a = 5.5 (> 4)", "avg(b{k=\"x\"}, 1min) = not known (< 2)"}));
}

// A counter that was never counted is not on the page; the first one must not be missed. Without a page nothing is known of it.
TEST(Condition, ACounterThatAppearsHasGrown) {
    auto condition = Condition::parse("increase(faults, 10min) > 0");
    ASSERT_TRUE(condition);
    Figures nothing;
    EXPECT_EQ(condition->judge(nothing, 1000), std::nullopt);
    Figures page;
    add_metrics(page, "assay_slots 1\n");
    EXPECT_EQ(condition->judge(page, 2000), false);
    add_metrics(page, "faults 1\n");
    EXPECT_EQ(condition->judge(page, 3000), true);
    EXPECT_EQ(condition->judge(page, 3000 + 599'000), true);
    EXPECT_EQ(condition->judge(page, 3000 + 606'000), false);  // Ten minutes, to the width of a part of the window.
}

TEST(History, KnowsItsWindow) {
    History history{60'000};
    EXPECT_EQ(history.average(), std::nullopt);
    for (int s = 0; s <= 120; ++s) history.add(s, s * 1000);
    EXPECT_NEAR(*history.average(), 90.5, 1);
    EXPECT_EQ(history.largest(), 120);
    EXPECT_NEAR(*history.smallest(), 61, 1);
    EXPECT_NEAR(*history.change(), 59, 1);
    EXPECT_NEAR(*history.rate(), 1, 0.05);
}

TEST(History, ACounterMayBeginAnew) {
    History history{60'000};
    for (const auto& [at_ms, value] : {std::pair{0, 100.0}, {1000, 110.0}, {2000, 3.0}, {3000, 5.0}})
        history.add(value, at_ms);
    EXPECT_EQ(history.increase(), 15);
    EXPECT_EQ(history.change(), -95);
    EXPECT_EQ(history.rate(), 5);
}

TEST(History, BeginsAnewWhenTimeGoesBack) {
    History history{60'000};
    history.add(1, 5000);
    history.add(9, 4000);
    EXPECT_EQ(history.smallest(), 9);
    EXPECT_EQ(history.increase(), 0);
    EXPECT_EQ(history.rate(), std::nullopt);
}

}  // namespace
}  // namespace assay::alert
