// Stall triggers: the kernel wakes us when tasks have waited for a resource for too long (/proc/pressure, Linux 5.2).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

enum class StallKind { some, full };

// Readiness once per `window` (500 ms to 10 s) in which the tasks stalled for `stalled` or more. `path`: a file of /proc/pressure.
// Before Linux 6.5 root alone may; since then anybody with a window of whole 2 s. It stays whoever's it was when rights are dropped.
// Errors: missing (no such file), denied, unsupported (not a pressure file).
Result<Fd> open_stall_trigger(const std::string& path, StallKind, std::chrono::microseconds stalled, std::chrono::microseconds window);

enum class Woken { deadline, trigger, bell };
// Until one of `triggers` fires, `bell` is readable, or the time has come. Of several, the bell is told.
Woken wait_stall(std::span<const int> triggers, int bell, TimePoint deadline);

}  // namespace assay::sys
