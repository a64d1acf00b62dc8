// PosixZone: the rule of a zone in POSIX form ("CET-1CEST,M3.5.0,M10.5.0/3"), as a zoneinfo file's footer states it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace assay::sys {

constexpr std::int32_t day_seconds = 86'400;

struct PosixZone {
    // A day of the year and the local time of the change on it.
    struct Change {
        enum class Kind { month_week_day, julian, zero_based } kind = Kind::zero_based;
        int month = 1;  // 1..12
        int week = 1;   // 1..5; 5 = the last
        int day =
            0;  // weekday 0..6 from Sunday, or the day of the year: julian 1..365 without 29 February, else 0..365
        std::int32_t time_s = 7200;
    };
    struct Summer {
        std::int32_t offset_s = 0;
        Change begins;  // in standard time
        Change ends;    // in summer time
    };
    std::int32_t offset_s = 0;  // east of UTC
    std::optional<Summer> summer;

    // `second` since 1970 UTC.
    std::int32_t offset_at(std::int64_t second) const;
};

// nullopt for anything that is not such a rule. A summer time without dates is refused: POSIX leaves them to the system.
std::optional<PosixZone> parse_posix_zone(std::string_view text);

}  // namespace assay::sys
