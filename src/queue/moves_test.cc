#include "queue/moves.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace assay::queue {
namespace {

TEST(Moves, ThoseInFrontHearOfEachAndThoseFarBackOfSome) {
    Moves moves;
    int front = 0, back = 0, elsewhere = 0;
    const auto first = moves.watch([&] { ++front; });
    const auto far = moves.watch([&] { ++back; });
    const auto none = moves.watch([&] { ++elsewhere; });
    first->shows(3, moves.count());
    far->shows(80, moves.count());
    none->shows(0, moves.count());
    EXPECT_EQ(moves.tell(), 0u) << "nothing has moved";
    for (int i = 0; i < 10; ++i) {
        moves.moved();
        (void)moves.tell();
    }
    EXPECT_EQ(front, 10);
    EXPECT_EQ(back, 1);
    EXPECT_EQ(elsewhere, 0);
}

// What was read before a move is due again though it was said after it.
TEST(Moves, WhatWasReadTooEarlyIsLookedAtAgain) {
    Moves moves;
    int looks = 0;
    const auto watcher = moves.watch([&] { ++looks; });
    const std::uint64_t before = moves.count();
    moves.moved();
    watcher->shows(1, before);
    EXPECT_EQ(moves.tell(), 1u);
    EXPECT_EQ(moves.tell(), 0u) << "it has been told";
    EXPECT_EQ(looks, 1);
}

TEST(Moves, WhoHasGoneIsNotTold) {
    Moves moves;
    int looks = 0;
    auto watcher = moves.watch([&] { ++looks; });
    watcher->shows(1, 0);
    moves.moved();
    watcher.reset();
    EXPECT_EQ(moves.tell(), 0u);
    EXPECT_EQ(looks, 0);
}

// A thousand watch a line of a thousand until it is empty: each told often enough to see an eighth of its wait go by, and together
// far from n² looks, never many at a time.
TEST(Moves, AWatchedRushIsNoStorm) {
    constexpr std::int64_t people = 1000;
    Moves moves;
    std::vector<std::shared_ptr<Moves::Watcher>> watchers;
    std::vector<int> looks(people, 0);
    std::vector<char> woken(people, 0);
    for (std::int64_t i = 0; i < people; ++i) {
        watchers.push_back(moves.watch([&woken, i] { woken[static_cast<std::size_t>(i)] = 1; }));
        watchers.back()->shows(i + 1, moves.count());
    }
    std::size_t all = 0;
    for (std::int64_t started = 1; started <= people; ++started) {
        moves.moved();
        const std::size_t told = moves.tell();
        EXPECT_LE(told, Moves::told_max);
        all += told;
        for (std::int64_t i = 0; i < people; ++i) {
            if (!std::exchange(woken[static_cast<std::size_t>(i)], 0)) continue;
            ++looks[static_cast<std::size_t>(i)];
            watchers[static_cast<std::size_t>(i)]->shows(std::max<std::int64_t>(i + 1 - started, 0), moves.count());
        }
    }
    EXPECT_LE(all, 50u * people);
    EXPECT_GE(looks.back(), 20);
}

}  // namespace
}  // namespace assay::queue
