// Zone: local times of a named IANA zone, read from the machine's zoneinfo files. Threading: safe; files are read once.
#pragma once

#include <optional>
#include <string>

#include "base/result.hh"
#include "sys/clock.hh"

namespace assay::sys {

struct LocalTime {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0;
    int offset_s = 0;  // east of UTC
};

bool known_zone(const std::string& name);          // refuses anything that is not a plain zone name
std::string server_zone();                         // TZ, /etc/timezone or the /etc/localtime link; "UTC" when unknown
// An unknown zone counts as UTC (names are checked when a course is applied).
LocalTime local_time(WallTime, const std::string& zone);
std::string date_and_time(WallTime, const std::string& zone);   // "2026-10-15 23:59:59"
std::string rfc3339(WallTime, const std::string& zone);         // "2026-10-15T23:59:59.123+08:00"
// The instant of a local date and time; of two (clocks going back) the earlier, of none (going forward) the shifted one.
WallTime from_local(const LocalTime&, const std::string& zone); // offset_s is ignored

}  // namespace assay::sys
