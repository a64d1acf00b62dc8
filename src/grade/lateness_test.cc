#include "grade/lateness.hh"

#include <gtest/gtest.h>

namespace assay::grade {
namespace {

constexpr std::int64_t second = 1000, hour = 3'600'000, day = 24 * hour;

TEST(HandedIn, IsTheLastByteUnlessTheFirstWasDeclared) {
    constexpr std::int64_t grace = 30 * 60 * second;
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 500, .declared = false}, grace), 500);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 500, .declared = true}, grace), 10);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 10 + grace, .declared = true}, grace), 10);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 11 + grace, .declared = true}, grace), 11 + grace);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 11, .declared = true}, 0), 11);
    // A commitment that was kept holds whatever has become of the grace since.
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 500, .declared = false, .committed_ms = 5}, 0), 5);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 500, .declared = true, .committed_ms = 20}, grace), 10);
    EXPECT_EQ(handed_in_ms({.first_byte_ms = 10, .last_byte_ms = 500, .declared = true, .committed_ms = 20}, 0), 20);
}

TEST(Lateness, TakesAShareForEachDayBegun) {
    constexpr std::int64_t due = 1'000'000'000;
    const Dates dates{.opens_ms = {}, .due_ms = due, .closes_ms = {}};
    const model::Late policy{.grace_ms = hour, .per_day = 0.1, .cap = 0.3};
    struct Case {
        const char* what;
        std::optional<model::Late> policy;
        std::int64_t after_ms;
        bool after_due, late;
        double share;
    };
    const Case cases[] = {
        {"long before", policy, -day, false, false, 0},
        {"at due", policy, 0, false, false, 0},
        {"a millisecond", policy, 1, true, false, 0},
        {"the whole grace", policy, hour, true, false, 0},
        {"past the grace, in the first day after due", policy, hour + 1, true, true, 0.1},
        {"one day", policy, day, true, true, 0.1},
        {"the second day", policy, day + 1, true, true, 0.2},
        {"the cap", policy, 20 * day, true, true, 0.3},
        {"no policy", {}, 20 * day, true, true, 0},
        {"no grace", model::Late{.grace_ms = 0, .per_day = 1, .cap = 1}, 1, true, true, 1},
        {"only a mark", model::Late{.grace_ms = 0, .per_day = 0, .cap = 1}, 1, true, true, 0},
    };
    for (const Case& c : cases) {
        const Lateness found = lateness(dates, c.policy, due + c.after_ms);
        EXPECT_EQ(found.after_due, c.after_due) << c.what;
        EXPECT_EQ(found.late, c.late) << c.what;
        EXPECT_DOUBLE_EQ(found.share, c.share) << c.what;
    }
    EXPECT_EQ(lateness({}, policy, due), Lateness{}) << "without a due date nothing is late";
}

TEST(Lateness, CostsAShareOfTheFullScoreAndNeverMoreThanThereIs) {
    const Lateness late{.after_due = true, .late = true, .share = 0.2};
    EXPECT_EQ(penalty(late, 90, 100), 20);
    EXPECT_EQ(penalty(late, 15, 100), 15);
    EXPECT_EQ(penalty(late, 0, 100), 0);
    EXPECT_EQ(penalty(late, -5, 100), 0);
    EXPECT_EQ(penalty(late, 5, 0), 0);
    EXPECT_EQ(penalty({}, 90, 100), 0);
    EXPECT_EQ(penalty({.after_due = true, .late = true, .share = 0.1}, 3, 0.3), 0.03);
}

TEST(Dates, AnExtensionMovesThemAndNeverBack) {
    model::Plan plan;
    EXPECT_EQ(dates_of(plan, 500), (Dates{}));  // No bound stays none.
    plan.due_ms = 100;
    EXPECT_EQ(dates_of(plan, {}).closes_ms, 100);
    EXPECT_EQ(dates_of(plan, 500).due_ms, 500);
    EXPECT_EQ(dates_of(plan, 500).closes_ms, 500);
    plan.closes_ms = 900;
    EXPECT_EQ(dates_of(plan, 500).due_ms, 500);
    EXPECT_EQ(dates_of(plan, 500).closes_ms, 900);
    EXPECT_EQ(dates_of(plan, 50).due_ms, 100);
}

}  // namespace
}  // namespace assay::grade
