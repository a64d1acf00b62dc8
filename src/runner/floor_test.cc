#include "runner/floor.hh"

#include <gtest/gtest.h>

#include <future>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "testing/manual_clock.hh"

namespace assay::runner {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;  // far more than anything here takes

TEST(Turns, OneThatRunsAloneWaitsForTheOthersAndTheyForIt) {
    Turns turns;
    const auto first = turns.ask(false), second = turns.ask(false);
    EXPECT_TRUE(turns.let_in(first) && turns.let_in(second));  // Side by side.
    const auto lone = turns.ask(true), later = turns.ask(false), lone_too = turns.ask(true);
    EXPECT_FALSE(turns.let_in(lone) || turns.let_in(later) || turns.let_in(lone_too));
    turns.leave(second);
    EXPECT_FALSE(turns.let_in(lone));
    turns.leave(first);
    EXPECT_TRUE(turns.let_in(lone));
    EXPECT_FALSE(turns.let_in(later));
    turns.leave(lone);
    EXPECT_TRUE(turns.let_in(later));
    EXPECT_FALSE(turns.let_in(lone_too));
    turns.leave(later);
    EXPECT_TRUE(turns.let_in(lone_too));
}

TEST(Turns, WhoeverGivesUpKeepsNobodyWaiting) {
    Turns turns;
    const auto running = turns.ask(false), lone = turns.ask(true), later = turns.ask(false);
    EXPECT_FALSE(turns.let_in(later));
    turns.leave(lone);
    EXPECT_TRUE(turns.let_in(later));
    turns.leave(running);
    turns.leave(later);
    EXPECT_EQ(turns.count(), 0u);
}

// Slots that come, run and go in any order, from a seed: what runs alone does, and nobody waits for more than one command of each
// other slot, of whichever kind.
TEST(Turns, KeepTheirPromisesInAnyOrderOfEvents) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](std::size_t below) {
            return std::uniform_int_distribution<std::size_t>{0, below - 1}(random);
        };
        const std::size_t slots = 1 + pick(6);
        struct Slot {
            bool present = false;
            bool alone = false;
            Turns::Ticket ticket = 0;
            std::multiset<std::size_t> overtaken_by;  // slots whose commands ended while it waited
        };
        std::vector<Slot> all(slots);
        Turns turns;
        for (int step = 0; step < 2000; ++step) {
            const std::size_t index = pick(slots);
            Slot& slot = all[index];
            if (!slot.present) {
                slot = {.present = true, .alone = pick(3) == 0};
                slot.ticket = turns.ask(slot.alone);
            } else if (turns.let_in(slot.ticket) || pick(20) == 0) {  // It ends, or gives up.
                if (turns.let_in(slot.ticket)) {
                    for (Slot& other : all) {
                        if (other.present && !turns.let_in(other.ticket)) other.overtaken_by.insert(index);
                    }
                }
                turns.leave(slot.ticket);
                slot.present = false;
            }
            std::size_t inside = 0, alone_inside = 0, present = 0;
            for (const Slot& one : all) {
                if (!one.present) continue;
                ++present;
                const bool in = turns.let_in(one.ticket);
                inside += in ? 1u : 0u;
                alone_inside += in && one.alone ? 1u : 0u;
                for (const std::size_t other : one.overtaken_by)
                    ASSERT_EQ(one.overtaken_by.count(other), 1u) << "seed " << seed;
            }
            ASSERT_EQ(turns.count(), present);
            ASSERT_TRUE(alone_inside == 0 || inside == 1) << "seed " << seed << ", step " << step;
            ASSERT_TRUE(present == 0 || inside > 0) << "all wait, seed " << seed << ", step " << step;
        }
    }
}

TEST(Credit, IsSavedUpToABoundAndGrowsByItsShareOfTheTime) {
    Credit credit;
    const sys::TimePoint start{1000h};
    EXPECT_EQ(credit.at(start), lone_credit_max);
    credit.spend(lone_credit_max - 10s, start);
    EXPECT_EQ(credit.at(start), 10s);
    EXPECT_EQ(credit.at(start + lone_share * 5s), 15s);
    credit.spend(40s, start + lone_share * 5s);  // What runs may run to its end.
    EXPECT_EQ(credit.at(start + lone_share * 5s), -25s);
    EXPECT_EQ(credit.at(start + lone_share * 30s), 0s);
    EXPECT_EQ(credit.at(start + 1000h), lone_credit_max);
}

// What keeps nobody waiting costs nothing, and what could keep others waiting for too long is not let in at all.
TEST(Floor, WhatRunsAloneIsChargedForWhomItKeepsWaiting) {
    testing::ManualClock clock;
    Floor floor{clock};
    const std::atomic<bool> never{false};
    const auto later = [&] { return clock.now() + 1h; };
    EXPECT_EQ(floor.enter_alone(lone_credit_max + 1ms, later(), never, [] {}).error().fault(), Fault::busy);
    for (int i = 0; i < 2; ++i) {
        const auto lone = floor.enter_alone(lone_credit_max, later(), never, [] {});
        ASSERT_TRUE(lone);
        clock.advance(100s);
    }
    auto lone = std::make_unique<Floor::Place>(floor.enter_alone(lone_credit_max, later(), never, [] {}).value());
    std::promise<void> waits;
    std::jthread other{[&] { EXPECT_TRUE(floor.enter(later(), never, [&] { waits.set_value(); })); }};
    ASSERT_EQ(waits.get_future().wait_for(patience), std::future_status::ready);
    clock.advance(100s);
    lone.reset();
    EXPECT_EQ(floor.enter_alone(lone_credit_max - 100s + 1ms, later(), never, [] {}).error().fault(), Fault::busy);
    other.join();
    EXPECT_TRUE(floor.enter_alone(lone_credit_max - 100s, later(), never, [] {}));
}

TEST(Floor, BlocksUntilTheTurnComesAndSaysThatItWaits) {
    Floor floor;
    const std::atomic<bool> never{false};
    const auto soon = [] { return sys::system_clock().now() + patience; };
    auto running =
        std::make_unique<Floor::Place>(floor.enter(soon(), never, [] { FAIL() << "nothing was in its way"; }).value());
    std::promise<void> waits;
    std::jthread lone{[&] {
        const auto place = floor.enter_alone(1s, soon(), never, [&] { waits.set_value(); });
        EXPECT_TRUE(place);
    }};
    ASSERT_EQ(waits.get_future().wait_for(patience), std::future_status::ready);
    running.reset();
    lone.join();
    EXPECT_TRUE(floor.enter(soon(), never, [] { FAIL() << "nothing is in its way any more"; }));
}

TEST(Floor, NobodyWaitsBeyondADeadlineOrAnOrderToStop) {
    Floor floor;
    std::atomic<bool> stop{false};
    const auto running = floor.enter(sys::system_clock().now() + patience, stop, [] {});
    ASSERT_TRUE(running);
    EXPECT_EQ(floor.enter_alone(1s, sys::system_clock().now(), stop, [] {}).error().fault(), Fault::timed_out);
    const auto stopped = floor.enter_alone(1s, sys::system_clock().now() + patience, stop, [&] { stop = true; });
    EXPECT_EQ(stopped.error().fault(), Fault::interrupted);
    EXPECT_TRUE(floor.enter(sys::system_clock().now() + patience, stop,
                            [] { FAIL() << "those who gave up are still in the way"; }));
}

}  // namespace
}  // namespace assay::runner
