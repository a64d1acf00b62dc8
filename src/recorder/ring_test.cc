#include "recorder/ring.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include "recorder/example_frames.hh"
#include "recorder/reading.hh"
#include "sys/file.hh"
#include "testing/patience.hh"

namespace assay::recorder {
namespace {

constexpr std::int64_t cold_size = 2 << 20;

// The cold ring's thread takes its time; how much is not what is tested.
bool eventually(const std::function<bool()>& come) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20 * testing::patience()};
    while (!come()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

class RingsTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "assay-ring.XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        places_ = {.cold = folder_ + "/cold", .cold_bytes = cold_size, .hot = folder_ + "/hot"};
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<Rings> open() {
        refused_.clear();
        auto rings = Rings::open(places_, refused_);
        EXPECT_TRUE(rings.has_value());
        return std::move(rings).value();
    }
    void append(Rings& rings, std::uint64_t frames, bool soon = false) {
        for (std::uint64_t i = 0; i < frames; ++i) {
            fill_example(*frame_, rings.next_sequence() - 1, 8);
            (void)rings.append(*frame_, soon);
        }
    }
    // The numbers of all frames in these files, and whether each is as it was.
    std::vector<std::uint64_t> told(const std::vector<std::string>& files) {
        std::vector<ReadAt> sources;
        for (const std::string& path : files) {
            const auto bytes = std::make_shared<std::string>(sys::read_file(path, 64 << 20).value());
            sources.push_back([bytes](std::span<std::byte> buffer, std::int64_t offset) -> Result<std::size_t> {
                const auto at = std::min(static_cast<std::size_t>(offset), bytes->size());
                const std::size_t size = std::min(buffer.size(), bytes->size() - at);
                std::memcpy(buffer.data(), bytes->data() + at, size);
                return size;
            });
        }
        auto recording = Recording::of(std::move(sources)).value();
        std::vector<std::uint64_t> all;
        EXPECT_TRUE(recording.each({}, [&](const Frame& frame) {
            fill_example(*frame_, frame.sequence - 1, 8);
            EXPECT_EQ(frame.cgroups[7].cpu_us_total, frame_->cgroups[7].cpu_us_total);
            EXPECT_EQ(frame.memory.free_bytes, frame_->memory.free_bytes);
            all.push_back(frame.sequence);
            return true;
        }));
        return all;
    }
    static void expect_rising(const std::vector<std::uint64_t>& all) {
        for (std::size_t i = 1; i < all.size(); ++i) ASSERT_EQ(all[i], all[i - 1] + 1);
    }

    std::string folder_;
    RingPlaces places_;
    std::vector<std::string> refused_;
    std::unique_ptr<Frame> frame_ = std::make_unique<Frame>();
};

// Who asked for a file gets it or is told at once; beside a server the ring in memory is worth having alone.
TEST_F(RingsTest, AFileThatWasAskedForMustBeThere) {
    places_.cold = folder_ + "/no/such/folder";
    EXPECT_TRUE(Rings::open(places_, refused_));
    EXPECT_TRUE(refused_.back().contains("a ring on the disk"));
    places_.write_at_once = true;
    const auto rings = Rings::open(places_, refused_);
    ASSERT_FALSE(rings);
    EXPECT_TRUE(rings.error().text().starts_with("nothing can be recorded: open(" + places_.cold)) << rings.error().text();
}

// Killed at any moment, also in the middle of a copy: what was appended is there, and the next recorder goes on behind it.
TEST_F(RingsTest, KillNineLosesNoFrame) {
    std::minstd_rand random{20'261'125};
    std::uint64_t last = 0;
    for (int round = 0; round < 20; ++round) {
        int told_by[2];
        ASSERT_EQ(::pipe(told_by), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(told_by[0]);
            const auto rings = open();
            rings->start();
            for (;;) {
                append(*rings, 1, true);
                const std::uint64_t appended = rings->next_sequence() - 1;
                if (::write(told_by[1], &appended, sizeof appended) != sizeof appended) ::_exit(1);
            }
        }
        ::close(told_by[1]);
        std::uint64_t appended = 0;
        for (auto left = 1 + random() % 700; left > 0; --left) {
            ASSERT_EQ(::read(told_by[0], &appended, sizeof appended), static_cast<ssize_t>(sizeof appended));
        }
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
        while (::read(told_by[0], &appended, sizeof appended) == static_cast<ssize_t>(sizeof appended)) {}
        ::close(told_by[0]);
        ASSERT_GT(appended, last);
        last = open()->next_sequence() - 1;
        ASSERT_GE(last, appended);
        ASSERT_LE(last, appended + 1);  // One may have been appended and not told.
    }
    const auto all = told({places_.cold, places_.hot});
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back(), last);
    expect_rising(all);
}

// A power cut takes the hot ring; the cold one has all that it was given time for.
TEST_F(RingsTest, TheColdRingIsWholeAfterAnEnd) {
    {
        const auto rings = open();
        rings->start();
        append(*rings, 700);
        ASSERT_TRUE(rings->finish());
        EXPECT_EQ(rings->cold_lag_frames(), 0U);
    }
    std::filesystem::remove(places_.hot);
    EXPECT_EQ(open()->next_sequence(), 701U);
    const auto all = told({places_.cold});
    EXPECT_EQ(all.size(), 700U);
    expect_rising(all);
}

// A recorder that was killed before its cold ring's thread came round: the next one writes what the hot ring knows.
TEST_F(RingsTest, WhatTheColdRingLacksComesFromTheHotOne) {
    for (int round = 0; round < 3; ++round) append(*open(), 400);  // never started: nothing reaches the disk
    EXPECT_TRUE(told({places_.cold}).empty());
    {
        const auto rings = open();
        rings->start();
        append(*rings, 5);
        ASSERT_TRUE(rings->finish());
    }
    const auto all = told({places_.cold});
    EXPECT_EQ(all.size(), 1'205U);
    expect_rising(all);
}

TEST_F(RingsTest, ARingGoesRoundAndKeepsTheNewest) {
    {
        const auto rings = open();
        rings->start();
        for (int part = 0; part < 40; ++part) {
            append(*rings, 500, true);
            ASSERT_TRUE(eventually([&] { return rings->cold_lag_frames() == 0; }));
        }
        ASSERT_TRUE(rings->finish());
    }
    std::filesystem::remove(places_.hot);
    const auto all = told({places_.cold});
    expect_rising(all);
    EXPECT_EQ(all.back(), 20'000U);
    EXPECT_GT(all.front(), 1U);
    EXPECT_EQ(open()->next_sequence(), 20'001U);
}

// No room for a ring on the disk: the recorder goes without, says so, and records.
TEST_F(RingsTest, AFullDiskAtTheStartCostsTheColdRingAlone) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        places_.hot.clear();
        const rlimit small{.rlim_cur = 64 * 1024, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &small);
        const auto rings = open();
        rings->start();
        append(*rings, 100);
        const bool said = !refused_.empty() && refused_.back().contains("on the disk");
        ::_exit(said && rings->next_sequence() == 101 && rings->finish() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_LE(std::filesystem::file_size(places_.cold), 0U);  // What it could take is given back.
}

// A disk that fails for a while: sampling goes on, errors are counted, and when it works again nothing is missing.
TEST_F(RingsTest, AFailingDiskNeverStopsTheSampling) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const auto rings = open();
        const rlimit none{.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &none);
        rings->start();
        append(*rings, 300, true);
        const bool failed = eventually([&] { return rings->cold_errors() > 0; });
        append(*rings, 300, true);
        const rlimit all{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &all);
        append(*rings, 1, true);
        const bool whole = eventually([&] { return rings->cold_lag_frames() == 0; });
        ::_exit(failed && whole && rings->finish() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    std::filesystem::remove(places_.hot);
    const auto all = told({places_.cold});
    EXPECT_EQ(all.size(), 601U);
    expect_rising(all);
}

TEST(ColdSize, IsASmallPartOfTheDisk) {
    constexpr std::int64_t gib = std::int64_t{1} << 30;
    EXPECT_EQ(cold_bytes_for(500 * gib, 100 * gib), 256 << 20);
    EXPECT_EQ(cold_bytes_for(20 * gib, 10 * gib), 80 << 20);
    EXPECT_EQ(cold_bytes_for(gib, gib / 2), 4 << 20);
    EXPECT_EQ(cold_bytes_for(500 * gib, gib), 0);  // nearly full
    EXPECT_EQ(cold_bytes_for(32 << 20, 32 << 20), 0);
}

}  // namespace
}  // namespace assay::recorder
