#include "admission/readings.hh"

#include <gtest/gtest.h>

namespace assay::admission {
namespace {

TEST(Readings, WhatTheKernelWrites) {
    const auto memory = parse_pressure("some avg10=0.30 avg60=0.90 avg300=0.33 total=147952646\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=57741111\n");
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->some_us, 147952646u);
    EXPECT_EQ(memory->full_us, 57741111u);
    EXPECT_EQ(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n")->full_us, 0u);  // Of the processor, long ago.

    const auto info = parse_meminfo("MemTotal:         772808 kB\nMemFree:           40000 kB\nMemAvailable:     193202 kB\n");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->total_bytes, 772808LL * 1024);
    EXPECT_DOUBLE_EQ(info->available_share(), 0.25);

    EXPECT_EQ(parse_refaults("nr_free_pages 1\nworkingset_refault_anon 9\nworkingset_refault_file 4775\n"), 4775u);
    EXPECT_EQ(parse_refaults("workingset_refault 12\n"), 12u);

    EXPECT_EQ(parse_anonymous("anon 4096\nfile 8192\nanon_thp 0\n"), 4096);
    EXPECT_EQ(parse_anonymous("cache 8192\nrss 4096\ntotal_cache 8192\ntotal_rss 12288\n"), 12288);
}

TEST(Readings, WhatIsNoFigureIsNotKnown) {
    for (const char* const text : {"", "\n", "some", "some total=", "full avg10=0 total=1\n", "total=5", "some total=x", "some total=99999999999999999999999"}) {
        EXPECT_FALSE(parse_pressure(text)) << text;
    }
    for (const char* const text : {"", "MemTotal: 5 kB", "MemAvailable: 5 kB", "MemTotal: 0 kB\nMemAvailable: 0 kB", "MemTotal: 5 kB\nMemAvailable: 6 kB",
                                   "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB"}) {
        EXPECT_FALSE(parse_meminfo(text)) << text;
    }
    EXPECT_FALSE(parse_refaults("workingset_refault_file"));
    EXPECT_FALSE(parse_anonymous("anon 18446744073709551615\n"));
}

TEST(Readings, DifferencesAreSharesOfTheTimeBetween) {
    Reading before{.at = sys::TimePoint{std::chrono::seconds{10}}, .memory_stall = StallTotals{1'000'000, 500'000}, .refaults = 100};
    Reading now{.at = sys::TimePoint{std::chrono::seconds{12}}, .memory_stall = StallTotals{1'140'000, 500'000}, .refaults = 2100};
    const Samples samples = samples_between(before, now);
    EXPECT_DOUBLE_EQ(samples.memory_stall->some, 0.07);
    EXPECT_DOUBLE_EQ(samples.memory_stall->full, 0);
    EXPECT_DOUBLE_EQ(*samples.refaults_per_s, 1000);
    EXPECT_FALSE(samples.io);
    // A counter that began anew has not grown.
    EXPECT_DOUBLE_EQ(samples_between(now, {.at = now.at + std::chrono::seconds{1}, .memory_stall = StallTotals{3, 2}}).memory_stall->some, 0);
    EXPECT_FALSE(samples_between(now, now).memory_stall) << "no time between them";
}

}  // namespace
}  // namespace assay::admission
