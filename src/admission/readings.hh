// Readings: the kernel's own counters at one moment, and what two of them say of the time between. Pure: texts in, numbers out.
//
// Formats: Linux Documentation/accounting/psi.rst, proc(5) for meminfo and vmstat, cgroup-v2.rst and cgroup-v1/memory.rst for
// memory.stat. A text that is not as they say gives nullopt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "admission/samples.hh"
#include "sys/clock.hh"

namespace assay::admission {

// Microseconds since the machine started.
struct StallTotals {
    std::uint64_t some_us = 0;
    std::uint64_t full_us = 0;  // 0 of the processor before Linux 5.13, which does not tell it
};

struct Reading {
    sys::TimePoint at{};
    std::optional<StallTotals> cpu;
    std::optional<StallTotals> memory_stall;
    std::optional<StallTotals> io;
    std::optional<Memory> memory;
    std::optional<std::uint64_t> refaults;    // pages of files, since the machine started
    std::map<int, std::int64_t> jobs;         // anonymous bytes by slot
};

std::optional<StallTotals> parse_pressure(std::string_view text);
std::optional<Memory> parse_meminfo(std::string_view text);
std::optional<std::uint64_t> parse_refaults(std::string_view vmstat);
std::optional<std::int64_t> parse_anonymous(std::string_view memory_stat);  // of either version

// `now` was taken after `before`. What two readings do not tell is left empty.
Samples samples_between(const Reading& before, const Reading& now);

}  // namespace assay::admission
