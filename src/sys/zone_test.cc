#include "sys/zone.hh"

#include <cstdlib>

#include <gtest/gtest.h>

#include "sys/posix_zone.hh"

namespace assay::sys {
namespace {

WallTime utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
    return from_local({.year = year, .month = month, .day = day, .hour = hour, .minute = minute, .second = second},
                      "UTC");
}

class ZoneTest : public testing::Test {
protected:
    void SetUp() override {
        if (!known_zone("Europe/Berlin")) GTEST_SKIP() << "no zoneinfo here (package tzdata)";
    }
};

TEST_F(ZoneTest, KnowsZonesAndRefusesWhatIsNoPlainName) {
    for (const char* name : {"UTC", "Asia/Shanghai", "America/Argentina/Buenos_Aires", "Etc/GMT+8"})
        EXPECT_TRUE(known_zone(name)) << name;
    for (const char* name : {"", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe/../UTC", "Europe//Berlin",
                             "Europe", "zone.tab", "Europe/Berlin ", "right/UTC"}) {
        EXPECT_FALSE(known_zone(name)) << name;
    }
}

TEST_F(ZoneTest, ShanghaiIsEightHoursAhead) {
    const WallTime time = utc(2026, 10, 15, 15, 59, 59) + std::chrono::milliseconds{123};
    EXPECT_EQ(date_and_time(time, "Asia/Shanghai"), "2026-10-15 23:59:59");
    EXPECT_EQ(rfc3339(time, "Asia/Shanghai"), "2026-10-15T23:59:59.123+08:00");
    EXPECT_EQ(date_and_time(utc(2199, 12, 31, 16), "Asia/Shanghai"), "2200-01-01 00:00:00");
    // Before 1970, where rounding towards zero would be wrong.
    EXPECT_EQ(rfc3339(wall_from_ms(-1), "UTC"), "1969-12-31T23:59:59.999+00:00");
    // Shanghai had summer time in 1986: transitions of the file, not the footer.
    EXPECT_EQ(date_and_time(utc(1986, 7, 1), "Asia/Shanghai"), "1986-07-01 09:00:00");
}

TEST_F(ZoneTest, BerlinAroundItsChanges) {
    const std::string zone = "Europe/Berlin";
    EXPECT_EQ(date_and_time(utc(2026, 3, 29, 0, 59, 59), zone), "2026-03-29 01:59:59");
    EXPECT_EQ(date_and_time(utc(2026, 3, 29, 1), zone), "2026-03-29 03:00:00");
    EXPECT_EQ(date_and_time(utc(2026, 10, 25, 0, 59, 59), zone), "2026-10-25 02:59:59");
    EXPECT_EQ(date_and_time(utc(2026, 10, 25, 1), zone), "2026-10-25 02:00:00");
    // 02:30 comes twice: the earlier. In spring it does not come: shifted.
    EXPECT_EQ(from_local({.year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30}, zone),
              utc(2026, 10, 25, 0, 30));
    EXPECT_EQ(from_local({.year = 2026, .month = 3, .day = 29, .hour = 2, .minute = 30}, zone),
              utc(2026, 3, 29, 1, 30));
    EXPECT_EQ(from_local({.year = 2026, .month = 7, .day = 1, .hour = 12}, zone), utc(2026, 7, 1, 10));
}

// No file has transitions that far: the rule of the footer answers.
TEST_F(ZoneTest, NewYorkInTwentyFortyFive) {
    const std::string zone = "America/New_York";
    EXPECT_EQ(rfc3339(utc(2045, 7, 4, 16), zone), "2045-07-04T12:00:00.000-04:00");
    EXPECT_EQ(rfc3339(utc(2045, 12, 25, 17), zone), "2045-12-25T12:00:00.000-05:00");
    EXPECT_EQ(date_and_time(utc(2045, 3, 12, 7), zone), "2045-03-12 03:00:00");
    EXPECT_EQ(date_and_time(utc(2045, 11, 5, 6), zone), "2045-11-05 01:00:00");
}

TEST_F(ZoneTest, EveryHourOfTwoYearsComesBack) {
    for (const char* zone :
         {"Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca"}) {
        for (WallTime time = utc(2037, 1, 1); time < utc(2039, 1, 1); time += std::chrono::minutes{30}) {
            const WallTime back = from_local(local_time(time, zone), zone);
            ASSERT_LE(back, time) << zone;  // The earlier of two.
            ASSERT_EQ(date_and_time(back, zone), date_and_time(time, zone));
        }
    }
}

TEST(Zone, UnknownCountsAsUtc) { EXPECT_EQ(rfc3339(wall_from_ms(0), "Mars/Olympus"), "1970-01-01T00:00:00.000+00:00"); }

TEST_F(ZoneTest, TheFolderMayBeNamedByTzdir) {
    ASSERT_EQ(::setenv("TZDIR", "/nonexistent", 1), 0);
    EXPECT_FALSE(known_zone("Asia/Tokyo"));
    ASSERT_EQ(::unsetenv("TZDIR"), 0);
    EXPECT_TRUE(known_zone("Asia/Tokyo"));
}

TEST_F(ZoneTest, TheServersZoneIsAKnownOne) {
    EXPECT_TRUE(known_zone(server_zone()));
    ASSERT_EQ(::setenv("TZ", ":Asia/Shanghai", 1), 0);
    EXPECT_EQ(server_zone(), "Asia/Shanghai");
    ASSERT_EQ(::unsetenv("TZ"), 0);
}

TEST(PosixZone, ReadsTheFormsThatFootersHave) {
    struct Case {
        const char* rule;
        std::int64_t second;
        std::int32_t offset;
    };
    constexpr std::int64_t january = 1'704'067'200, july = 1'719'792'000;  // 2024-01-01, 2024-07-01
    for (const auto& [rule, second, offset] : {
             Case{"CST-8", january, 28'800}, Case{"<+0545>-5:45", january, 20'700}, Case{"UTC0", july, 0},
             Case{"CET-1CEST,M3.5.0,M10.5.0/3", january, 3600}, Case{"CET-1CEST,M3.5.0,M10.5.0/3", july, 7200},
             Case{"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", january, 39'600},
             Case{"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", july, 37'800},
             Case{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", july, -3600}, Case{"IST-1GMT0,M10.5.0,M3.5.0/1", january, 0},
             Case{"AAA3BBB,J60/0,J300", 1'709'251'199 + 10'800, -10'800},  // 2024-02-29 23:59:59 local,
             Case{"AAA3BBB,J60/0,J300", 1'709'251'200 + 10'800, -7200},  // and 1 March is day 60 in leap years as well.
             Case{"AAA3BBB,59/0,300", 1'709'164'800 + 10'800, -7200},    // Zero-based 59 is 29 February.
         }) {
        const auto zone = parse_posix_zone(rule);
        ASSERT_TRUE(zone) << rule;
        EXPECT_EQ(zone->offset_at(second), offset) << rule << " at " << second;
    }
}

TEST(PosixZone, RefusesWhatIsNone) {
    for (const char* rule :
         {"", "UTC", "A3", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
          "CET-1CEST,M3.5.7,M10.5.0", "CET-25", "CET-1:60", "<+1", "CET-1CEST,M3.5.0,M10.5.0x", "CET-99999999999"}) {
        EXPECT_FALSE(parse_posix_zone(rule)) << rule;
    }
}

}  // namespace
}  // namespace assay::sys
