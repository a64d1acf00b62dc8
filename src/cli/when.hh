// When: a moment as somebody at a terminal writes it.
#pragma once

#include <string_view>

#include "base/result.hh"
#include "sys/clock.hh"

namespace assay::cli {

// "17:15", "17:15:50" (of today, or of yesterday when that is still to come), "2026-10-15 17:15:50", "2026-10-15T17:15:50" in `zone`;
// with "Z" or "+08:00" at the end where the zone is said; "-90s", "-10min", "-2h": so long before now. Errors: invalid.
Result<sys::WallTime> parse_when(std::string_view text, sys::WallTime now, const std::string& zone);

}  // namespace assay::cli
