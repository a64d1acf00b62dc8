// Thousands of made-up machines, each from a seed: no kill that is not due, none that is due and missed, and no fluttering.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "admission/controller.hh"

namespace assay::admission {
namespace {

class Machine {
public:
    explicit Machine(std::uint32_t seed) : random_{seed} {}
    double between(double low, double high) { return std::uniform_real_distribution<double>{low, high}(random_); }

    Decision pass(Samples s, sys::Duration after) {
        now_ += after;
        s.seconds = 1;
        Step step = decide(s, now_, state_);
        state_ = step.state;
        changes_ += step.decision.changed ? 1 : 0;
        kills_ += step.decision.end_slot ? 1 : 0;
        return step.decision;
    }
    static Memory memory(double share) {
        constexpr double total = 768.0 * 1024 * 1024;
        return {.total_bytes = static_cast<std::int64_t>(total), .available_bytes = static_cast<std::int64_t>(total * share)};
    }
    int changes() const { return changes_; }
    int kills() const { return kills_; }

private:
    std::mt19937 random_;
    sys::TimePoint now_{1h};
    State state_;
    int changes_ = 0;
    int kills_ = 0;
};

// A cache that is thrown out and read back: sharp stalls, much io, even refaults, and 15 % or more of memory to be had. The
// trigger of 100 ms a second fires in each of them.
TEST(AdmissionSimulation, AThousandRefillsOfACacheEndNothing) {
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        Machine machine{seed};
        const double left = machine.between(0.15, 0.5);
        const int length = static_cast<int>(machine.between(3, 60));
        for (int i = 0; i < length; ++i) {
            Samples s;
            s.memory = Machine::memory(left + machine.between(0, 0.1));
            const double full = machine.between(0.1, 0.5);
            s.memory_stall = Stall{full + machine.between(0, 0.3), full};
            s.io = Stall{machine.between(0.5, 1), machine.between(0.2, 0.9)};
            s.refaults_per_s = machine.between(0, 1500);
            s.jobs = {{.slot = 0, .anonymous_bytes = 300 << 20, .grown_bytes = static_cast<std::int64_t>(machine.between(0, 300e6))}};
            EXPECT_LT(machine.pass(s, 200ms).level, 2) << seed;
        }
        for (int i = 0; i < 12; ++i) (void)machine.pass({.memory_stall = Stall{}, .memory = Machine::memory(0.5)}, 1s);
        EXPECT_EQ(machine.kills(), 0) << seed;
        EXPECT_LE(machine.changes(), 2) << seed << ": up once at most, and down";
    }
}

// The incident, as it was measured: reclaim first, then MemAvailable falls through the floor while file pages are read again.
TEST(AdmissionSimulation, EveryThrashIsEndedWithinASecondOfItsConfirmation) {
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        Machine machine{seed};
        double left = machine.between(0.2, 0.5);
        const double loss = machine.between(0.005, 0.05);  // a look
        const int slot = static_cast<int>(machine.between(0, 4));
        std::optional<int> confirmable_at;
        std::optional<int> ended_at;
        for (int i = 0; i < 400 && !ended_at; ++i) {
            left = std::max(left - loss, machine.between(0.02, 0.04));
            Samples s;
            s.memory = Machine::memory(left);
            const bool thrashes = left < 0.12;
            const double full = thrashes ? machine.between(0.12, 0.5) : machine.between(0, 0.2);
            s.memory_stall = Stall{full + 0.1, full};
            s.io = Stall{0.9, thrashes ? machine.between(0.4, 0.9) : 0.2};
            s.refaults_per_s = thrashes ? machine.between(400, 5000) : machine.between(0, 250);
            for (int other = 0; other < 4; ++other) {
                s.jobs.push_back({.slot = other, .anonymous_bytes = 1 << 30,
                                  .grown_bytes = other == slot ? 200 << 20 : static_cast<std::int64_t>(machine.between(-1e7, 1e8))});
            }
            if (left < Thresholds{}.kill_available && !confirmable_at) confirmable_at = i;
            const Decision decision = machine.pass(s, 200ms);
            if (decision.end_slot) {
                ended_at = i;
                EXPECT_EQ(*decision.end_slot, slot) << seed;
            }
        }
        ASSERT_TRUE(ended_at && confirmable_at) << seed;
        EXPECT_GE((*ended_at - *confirmable_at) * 200, 500) << seed << ": it looked first";
        EXPECT_LE((*ended_at - *confirmable_at) * 200, 1000) << seed;
        EXPECT_EQ(machine.kills(), 1) << seed;
    }
}

// Figures that jump about a bound second by second: the level changes at most once up and once down in ten seconds.
TEST(AdmissionSimulation, NoiseAboutTheBoundsDoesNotFlutter) {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        Machine machine{seed};
        constexpr int seconds = 600;
        for (int i = 0; i < seconds; ++i) {
            Samples s;
            s.memory = Machine::memory(machine.between(0.045, 0.22));
            const double full = machine.between(0, 0.12);
            s.memory_stall = Stall{full + machine.between(0, 0.05), full};
            s.io = Stall{0.5, machine.between(0.2, 0.4)};
            s.refaults_per_s = machine.between(0, 400);
            s.sync_ms = static_cast<std::int64_t>(machine.between(1500, 2500));
            (void)machine.pass(s, 1s);
        }
        EXPECT_EQ(machine.kills(), 0) << seed;
        EXPECT_LE(machine.changes(), seconds / 10 * 2) << seed;
    }
    // Stalls alone, which cross their bound every other second: up once, and never down while they go on.
    Machine machine{7};
    for (int i = 0; i < 600; ++i) {
        Samples s;
        s.memory = Machine::memory(0.15);
        s.memory_stall = Stall{i % 2 == 0 ? 0.08 : 0.05, 0};
        (void)machine.pass(s, 1s);
    }
    EXPECT_EQ(machine.changes(), 1);
}

}  // namespace
}  // namespace assay::admission
