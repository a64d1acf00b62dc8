#include "recorder/reading.hh"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "recorder/example_frames.hh"
#include "recorder/rates.hh"

namespace assay::recorder {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::int64_t second_ns = 1'000'000'000;

ReadAt reader(Bytes bytes) {
    auto shared = std::make_shared<Bytes>(std::move(bytes));
    return [shared](std::span<std::byte> buffer, std::int64_t offset) -> Result<std::size_t> {
        const auto at = static_cast<std::size_t>(offset);
        if (at >= shared->size()) return std::size_t{0};
        const std::size_t size = std::min(buffer.size(), shared->size() - at);
        std::memcpy(buffer.data(), shared->data() + at, size);
        return size;
    };
}

// Segments as a ring has them: each begins with a keyframe and ends in zeros.
Bytes recorded(std::uint64_t from, std::uint64_t to, std::size_t cgroups = 3) {
    Bytes bytes;
    Encoder encoder;
    const auto frame = std::make_unique<Frame>();
    Bytes out(frame_bytes_max);
    for (std::uint64_t second = from; second < to; ++second) {
        fill_example(*frame, second, cgroups);
        std::size_t size = encoder.encode(*frame, second % keyframe_every == 0, out);
        if (bytes.size() % segment_bytes + size > segment_bytes) {
            bytes.resize((bytes.size() / segment_bytes + 1) * segment_bytes);
            size = encoder.encode(*frame, true, out);
        }
        bytes.insert(bytes.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }
    bytes.resize((bytes.size() / segment_bytes + 1) * segment_bytes);
    return bytes;
}

std::vector<std::uint64_t> sequences(Recording& recording, const Range& range = {}) {
    std::vector<std::uint64_t> all;
    const auto told = recording.each(range, [&](const Frame& frame) {
        all.push_back(frame.sequence);
        return true;
    });
    EXPECT_TRUE(told);
    return all;
}

std::vector<std::uint64_t> rising(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = from; i <= to; ++i) all.push_back(i);
    return all;
}

TEST(Recording, ARingThatWrappedIsToldFromItsOldestFrame) {
    Bytes old = recorded(0, 2'000);
    const Bytes fresh = recorded(2'000, 2'400);
    std::copy(fresh.begin(), fresh.end(), old.begin());
    auto recording = Recording::of({reader(std::move(old))}).value();
    const auto all = sequences(recording);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    EXPECT_EQ(all.back(), 2'400U);
    EXPECT_EQ(recording.extent().last_sequence, 2'400U);
    EXPECT_GT(all.front(), 1U);
}

// The hot ring has the newest, the cold one the longest past; a frame in both is told once.
TEST(Recording, TwoRingsAreOneStory) {
    auto recording = Recording::of({reader(recorded(0, 1'500)), reader(recorded(1'200, 1'900))}).value();
    EXPECT_EQ(sequences(recording), rising(1, 1'900));
}

TEST(Recording, ARangeIsFoundByWallClock) {
    auto recording = Recording::of({reader(recorded(0, 3'000))}).value();
    const Range range{.from_ns = example_start_ns + 1'000 * second_ns, .to_ns = example_start_ns + 1'010 * second_ns};
    EXPECT_EQ(sequences(recording, range), rising(1'001, 1'011));
}

// Frames are in the order in which they were taken even where the wall clock was set back, and the jump is seen in the rates.
TEST(Recording, AClockSetBackLosesNothing) {
    Bytes bytes;
    Bytes out(frame_bytes_max);
    Encoder encoder;
    const auto frame = std::make_unique<Frame>();
    for (std::uint64_t second = 0; second < 100; ++second) {
        fill_example(*frame, second, 0);
        if (second >= 50) frame->real_time_ns -= 3'600 * second_ns;
        const std::size_t size = encoder.encode(*frame, false, out);
        bytes.insert(bytes.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    }
    auto recording = Recording::of({reader(std::move(bytes))}).value();
    std::vector<double> steps;
    std::unique_ptr<Frame> before;
    ASSERT_TRUE(recording.each({}, [&](const Frame& now) {
        if (before) {
            const Rates rates = rates_between(*before, now);
            if (rates.clock_step_seconds != 0) steps.push_back(rates.clock_step_seconds);
            EXPECT_NEAR(rates.seconds, 1.0, 0.001);
        }
        before = std::make_unique<Frame>(now);
        return true;
    }));
    EXPECT_EQ(sequences(recording), rising(1, 100));
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_NEAR(steps[0], -3'600, 0.01);
}

// What follows a torn frame needs the next keyframe: at most keyframe_every frames are lost, and all others are right.
TEST(Recording, ATornFrameCostsNoMoreThanWhatLeansOnIt) {
    Bytes bytes = recorded(0, 600);
    bytes[30'000] ^= std::byte{1};
    auto recording = Recording::of({reader(std::move(bytes))}).value();
    const auto all = sequences(recording);
    EXPECT_GE(all.size(), 600 - keyframe_every);
    EXPECT_LT(all.size(), 600U);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    EXPECT_EQ(recording.damage().orphans + all.size(), 599U);
}

TEST(Recording, NothingIsAnEmptyStory) {
    auto recording = Recording::of({reader({}), reader(Bytes(300'000))}).value();
    EXPECT_TRUE(recording.empty());
    EXPECT_TRUE(sequences(recording).empty());
}

TEST(Recording, ADayIsToldWhole) {
    constexpr std::uint64_t day = 86'400;
    auto recording = Recording::of({reader(recorded(0, day, 20))}).value();
    std::uint64_t count = 0;
    std::uint64_t cpu_us = 0;
    ASSERT_TRUE(recording.each({}, [&](const Frame& frame) {
        ++count;
        cpu_us = frame.cgroups[19].cpu_us_total;
        return true;
    }));
    EXPECT_EQ(count, day);
    EXPECT_EQ(cpu_us, (day - 1) * 10'000 * 20);
}

TEST(Rates, OfTwoStartsOfTheMachineAreNone) {
    const auto before = std::make_unique<Frame>();
    const auto now = std::make_unique<Frame>();
    fill_example(*before, 10, 1);
    fill_example(*now, 11, 1);
    EXPECT_NEAR(rates_between(*before, *now).disk_busy_share, 0.009, 0.001);
    EXPECT_NEAR(cgroup_rates(*before, *now, now->cgroups[0]).cpu_share, 0.01, 0.001);
    now->boot = before->boot + 1;
    EXPECT_EQ(rates_between(*before, *now).seconds, 0);
    EXPECT_EQ(rates_between(*before, *now).disk_busy_share, 0);
}

}  // namespace
}  // namespace assay::recorder
