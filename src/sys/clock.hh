// The one clock. Wall time is for people and records; monotonic time is for every deadline and duration.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hh"

namespace assay::sys {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // monotonic; means nothing after a restart
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;               // UTC

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    virtual WallTime wall() const = 0;
};

// The machine's own clock; lives for ever. Threading: safe from every thread.
const Clock& system_clock();
// Its wall time as of the kernel's last tick (4 ms at 250 Hz): for what shows seconds, at a fifth of the cost.
WallTime wall_at_last_tick();

inline std::int64_t to_ms(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime wall_from_ms(std::int64_t ms) { return WallTime{std::chrono::milliseconds{ms}}; }
inline double ms_of(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace assay::sys
