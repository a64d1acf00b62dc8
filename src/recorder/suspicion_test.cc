#include "recorder/suspicion.hh"

#include <gtest/gtest.h>

#include <memory>

#include "recorder/example_frames.hh"

namespace assay::recorder {
namespace {

constexpr std::uint64_t s = 1'000'000'000;

TEST(Suspicion, LastsAMinuteFromTheLastSign) {
    Suspicion suspicion;
    EXPECT_EQ(suspicion.look(0, 0), 0U);
    EXPECT_EQ(suspicion.interval_ms(), calm_interval_ms);
    EXPECT_EQ(suspicion.look(2, 1 * s), 2U);
    EXPECT_EQ(suspicion.interval_ms(), suspicious_interval_ms);
    EXPECT_EQ(suspicion.look(8, 50 * s), 10U);
    EXPECT_EQ(suspicion.look(0, 109 * s), 10U);
    EXPECT_EQ(suspicion.look(0, 110 * s), 0U);
    EXPECT_FALSE(suspicion.suspicious());
}

TEST(Suspicion, ATriggerThatFiresForWhatWasBeforeItIsNotBelieved) {
    constexpr Pressure opened{.memory_some_us_total = 78'000'000};
    EXPECT_FALSE(trigger_holds(opened, opened));
    EXPECT_FALSE(trigger_holds(opened, {.memory_some_us_total = 78'069'999}));
    EXPECT_TRUE(trigger_holds(opened, {.memory_some_us_total = 78'070'000}));
}

TEST(Suspicion, SignsAreWhatTheirNamesSay) {
    const auto frame = std::make_unique<Frame>();
    fill_example(*frame, 5, 0);
    EXPECT_EQ(signs_of({}, *frame), 0U);
    const auto sees = [&](const Rates& rates, Sign sign) {
        return signs_of(rates, *frame) == static_cast<std::uint64_t>(sign);
    };
    EXPECT_TRUE(sees({.memory_some_share = 0.08}, Sign::memory_stall));
    EXPECT_TRUE(sees({.memory_full_share = 0.04}, Sign::memory_stall));
    EXPECT_TRUE(sees({.io_full_share = 0.7}, Sign::io_stall));
    // A cache that fills again while memory is free is no sign; near the end of it it is.
    EXPECT_EQ(signs_of({.refaults_per_s = 50'000}, *frame), 0U);
    frame->memory.available_bytes = frame->memory.total_bytes / 10;
    EXPECT_TRUE(sees({.refaults_per_s = 501}, Sign::refaults));
    frame->memory.available_bytes = frame->memory.total_bytes / 2;
    EXPECT_TRUE(sees({.cpu_some_share = 0.95}, Sign::cpu_stall));
    EXPECT_TRUE(sees({.loop_lag_ms_max = 600}, Sign::loop_lag));
    EXPECT_EQ(
        signs_of({.memory_some_share = 0.06, .memory_full_share = 0.02, .io_full_share = 0.5, .refaults_per_s = 100},
                 *frame),
        0U);
    frame->late_us = 250'000;
    EXPECT_TRUE(sees({}, Sign::late));
    frame->late_us = 0;
    frame->memory.available_bytes = frame->memory.total_bytes / 20;
    EXPECT_TRUE(sees({}, Sign::memory_low));
}

}  // namespace
}  // namespace assay::recorder
