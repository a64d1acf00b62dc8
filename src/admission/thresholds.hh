// Thresholds: every number that admission goes by, in one place. docs/operating/admission.md says them to people.
//
// They come from a machine of 768 MB that was driven into the freeze on purpose: the first stalls of all came with 200 MB of
// clean cache left and were harmless; 8 s lay between them and the last answer; the machine was saved by acting below 8 % of
// available memory with file pages being read again at 300 a second and more.
#pragma once

#include <cstdint>

#include "sys/clock.hh"

namespace assay::admission {

using namespace std::chrono_literals;

struct Thresholds {
    // Level 1, memory: some task waited for it, while little of it was left; or hardly any is left.
    double stall_some = 0.07;
    double stall_available = 0.20;      // above, a stall is a cache being refilled
    double low_available = 0.05;
    double low_available_blind = 0.10;  // where the kernel has no pressure figures, there is nothing to tell the two apart
    // Level 2, memory: everything waited for it; or file pages are read again and again, which the kernel books as io.
    double stall_full = 0.10;
    double thrash_io_full = 0.30;
    double full_available = 0.12;
    double scarce_available = 0.03;
    double scarce_available_blind = 0.05;
    // Level 3: the look that confirms. All of it, for `confirm_for`.
    double kill_available = 0.08;
    double kill_refaults_per_s = 300;
    sys::Duration confirm_for = 500ms;
    std::int64_t kill_grown_bytes_min = 16 << 20;  // a job that grew by less is not the cause
    sys::Duration kill_again_after = 20s;  // what was ended needs seconds to go, and refaults decay slower still
    // Disk: how long a small write takes to be durable, which every receipt waits for.
    std::int64_t sync_slow_ms = 2'000;      // level 1
    std::int64_t sync_stuck_ms = 10'000;    // level 2
    // Leaving a level: nothing of what would keep it for this long.
    sys::Duration calm_for = 10s;
    double calm_stall_some = 0.02;
    double calm_margin = 1.25;              // of a bound on memory or time, on the way back
};

// How long growth of a job's memory is looked back on: the hog of the incident needed about half of it.
constexpr sys::Duration growth_window = 30s;

}  // namespace assay::admission
