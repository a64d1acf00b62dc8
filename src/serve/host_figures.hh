// HostFigures: what the kernel says of the machine, as figures: memory, stalls, jumps of the clock. Stateful: growth since the last call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "alert/figures.hh"
#include "sys/clock.hh"

namespace assay::serve {

class HostFigures {
public:
    // assay_memory_available_ratio, assay_pressure_ratio{resource,kind} (share of the time since the last call in which something
    // stalled), assay_clock_step_seconds. What cannot be read is left out.
    void add_to(alert::Figures&, sys::TimePoint now, sys::WallTime wall);

private:
    std::map<std::string, double> stalled_us_;
    std::optional<sys::TimePoint> last_;
    std::optional<std::int64_t> wall_less_steady_ms_;
};

// "some avg10=… total=123\nfull …": the totals, in microseconds, by kind. Pure.
std::map<std::string, double> stall_totals(const std::string& pressure);
// MemAvailable / MemTotal. Pure.
std::optional<double> available_ratio(const std::string& meminfo);

}  // namespace assay::serve
