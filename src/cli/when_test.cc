#include "cli/when.hh"

#include <gtest/gtest.h>

#include "sys/zone.hh"

namespace assay::cli {
namespace {

const sys::WallTime now =
    sys::from_local({.year = 2026, .month = 10, .day = 15, .hour = 12, .minute = 0, .second = 0}, "Asia/Shanghai");

std::string told(std::string_view text) {
    const auto when = parse_when(text, now, "Asia/Shanghai");
    return when ? sys::date_and_time(*when, "Asia/Shanghai") : "wrong";
}

TEST(When, IsWhatAPersonWouldMean) {
    EXPECT_EQ(told("11:30"), "2026-10-15 11:30:00");
    EXPECT_EQ(told("17:15:50"), "2026-10-14 17:15:50");  // Nobody looks back at what is still to come.
    EXPECT_EQ(told("2026-10-01 08:00"), "2026-10-01 08:00:00");
    EXPECT_EQ(told("2026-10-01T08:00:01.250"), "2026-10-01 08:00:01");
    EXPECT_EQ(told("2026-10-01T08:00:01Z"), "2026-10-01 16:00:01");
    EXPECT_EQ(told("2026-10-01T08:00:01-02:30"), "2026-10-01 18:30:01");
    EXPECT_EQ(told("2026-10-01"), "2026-10-01 00:00:00");
    EXPECT_EQ(told("-10min"), "2026-10-15 11:50:00");
}

TEST(When, IsNotGuessed) {
    for (const char* const text :
         {"", "noon", "25:00", "17:61", "17:15x", "2026-13-01", "2026-10-01T", "2026-10-01 08:00+8", "-soon", "17"}) {
        EXPECT_EQ(told(text), "wrong") << text;
    }
}

}  // namespace
}  // namespace assay::cli
