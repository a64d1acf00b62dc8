// Suspicion: whether something is wrong with the machine right now, so that it is worth looking closer. Pure.
//
// It is cheap to be wrong: a suspicious recorder takes five frames a second for a minute and looks at tasks. It judges nothing.
#pragma once

#include <cstdint>

#include "recorder/frame.hh"
#include "recorder/rates.hh"

namespace assay::recorder {

constexpr std::uint64_t calm_interval_ms = 1000;
constexpr std::uint64_t suspicious_interval_ms = 200;
constexpr std::uint64_t suspicious_for_ns = 60'000'000'000;

// Bits of Self::suspicion.
enum class Sign : std::uint64_t {
    trigger = 1,  // the kernel's pressure trigger fired
    memory_stall = 2,  // some tasks waited for memory 7 % of the time, or all of them 3 %
    io_stall = 4,  // all tasks waited for disks 60 % of the time
    refaults = 8,  // pages of files are read back, 500 a second
    memory_low = 16,  // less than 8 % is available
    late = 32,  // this frame itself came 200 ms late
    loop_lag = 64,  // a loop of the server came round 500 ms late
    cpu_stall = 128,     // some task waited for a processor 90 % of the time; told only, no reason to look closer
    blocked = 256,  // eight tasks or more in uninterruptible sleep
};

// What has to be waited for memory before the kernel's trigger fires.
constexpr std::uint64_t trigger_stalled_us = 70'000;
// Whether the trigger may be believed: since it was opened as much was waited as it watches for. For who is not root it fires at first
// for all that was waited since the boot, as Linux 6 begins to count at a sum that it keeps for others (psi_trigger_create takes that of
// PSI_POLL, update_triggers compares that of PSI_AVGS).
bool trigger_holds(const Pressure& opened, const Pressure& now);

// The signs between two frames.
std::uint64_t signs_of(const Rates& rates, const Frame& now);

class Suspicion {
public:
    // Takes what was seen; returns the bits to record: those seen now and those of the minute that began with the last sign.
    std::uint64_t look(std::uint64_t signs, std::uint64_t monotonic_ns);
    bool suspicious() const { return bits_ != 0; }
    std::uint64_t interval_ms() const { return suspicious() ? suspicious_interval_ms : calm_interval_ms; }

private:
    std::uint64_t bits_ = 0;
    std::uint64_t until_ns_ = 0;
};

}  // namespace assay::recorder
