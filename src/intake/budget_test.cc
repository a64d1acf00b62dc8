#include "intake/budget.hh"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>

#include "loop/loop.hh"

namespace assay::intake {
namespace {

using namespace std::chrono_literals;

class BudgetTest : public ::testing::Test {
protected:
    // Whether it was let on; it waits, or has been answered, when this returns.
    std::future<bool> wait(Budget::Share& share) {
        const auto answer = std::make_shared<std::promise<bool>>();
        std::promise<void> asked;
        loop.post([&] {
            loop::start<bool>(share.wait(), [answer](bool room) { answer->set_value(room); });
            asked.set_value();
        });
        asked.get_future().wait();
        return answer->get_future();
    }
    static bool waits(const std::future<bool>& one) { return one.wait_for(0s) == std::future_status::timeout; }

    loop::Loop loop;
};

TEST_F(BudgetTest, BelowTheAmountNobodyWaits) {
    Budget budget{{.bytes_max = 100}};
    Budget::Share one{budget, {}}, other{budget, {}};
    one.add(60);
    EXPECT_TRUE(wait(other).get());
    other.add(39);
    EXPECT_TRUE(one.room());
    EXPECT_EQ(budget.bytes(), 99);
}

TEST_F(BudgetTest, WhoBeganFirstGoesOnFirst) {
    Budget budget{{.bytes_max = 100, .portion_bytes = 100}};
    std::optional<Budget::Share> full{std::in_place, budget, nullptr};
    full->add(100);
    std::optional<Budget::Share> first{std::in_place, budget, nullptr};
    Budget::Share second{budget, {}};
    auto later = wait(second);
    auto earlier = wait(*first);
    EXPECT_TRUE(waits(earlier));
    EXPECT_EQ(budget.waiting(), 2u);
    full.reset();
    EXPECT_TRUE(earlier.get());
    EXPECT_TRUE(waits(later)) << "the room is for one of them";
    first->add(100);
    EXPECT_FALSE(first->room());
    first.reset();
    EXPECT_TRUE(later.get());
    EXPECT_EQ(budget.bytes(), 0);
}

// All hold some of the room and none could end without more: they would wait for each other for ever.
TEST_F(BudgetTest, WhenAllWaitTheOldestGoesOnAlone) {
    Budget budget{{.bytes_max = 100}};
    std::optional<Budget::Share> first{std::in_place, budget, nullptr}, second{std::in_place, budget, nullptr};
    first->add(50);
    second->add(50);
    auto younger = wait(*second);
    EXPECT_TRUE(waits(younger));
    EXPECT_TRUE(wait(*first).get());
    first->add(50);
    EXPECT_TRUE(first->room()) << "to its end";
    EXPECT_TRUE(waits(younger));
    first.reset();
    EXPECT_TRUE(younger.get());
}

TEST_F(BudgetTest, NobodyWaitsForEver) {
    Budget budget{{.bytes_max = 100, .wait_max = 0ms}};
    Budget::Share full{budget, {}}, late{budget, {}};
    full.add(100);
    EXPECT_FALSE(wait(late).get());
    EXPECT_EQ(budget.waiting(), 0u);
}

// One that is complete, one that is fast and two that only hold what others could use: of those the one that holds more has to go.
TEST_F(BudgetTest, AtAStandstillTheSlowWhoHoldsMostGoes) {
    Budget budget{{.bytes_max = 2 << 20, .wait_max = 60'000ms, .standstill_max = 0ms}};
    std::promise<void> shed;
    const auto never = [] { ADD_FAILURE() << "the wrong one was shed"; };
    Budget::Share complete{budget, never}, slow{budget, never};
    std::optional<Budget::Share> fast{std::in_place, budget, never};
    std::optional<Budget::Share> slowest{std::in_place, budget, [&] { shed.set_value(); }};
    complete.add(1 << 20);
    complete.all_there();
    fast->add(64 << 20);
    slow.add(1);
    slowest->add(2);
    Budget::Share next{budget, {}};
    auto waiting = wait(next);
    shed.get_future().wait();
    EXPECT_TRUE(waits(waiting)) << "until there is room";
    fast.reset();
    EXPECT_TRUE(waiting.get());
}

}  // namespace
}  // namespace assay::intake
