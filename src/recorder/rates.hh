// Rates: what two frames say of the time between them, in the units people think in. Pure.
#pragma once

#include <cstdint>

#include "recorder/frame.hh"

namespace assay::recorder {

// What a counter grew by; 0 when it fell, as it does when the machine or the thing it counts for started anew.
inline std::uint64_t grown(std::uint64_t before, std::uint64_t now) { return now > before ? now - before : 0; }

// Shares are 0..1 of the time between the frames.
struct Rates {
    double seconds = 0;  // of CLOCK_MONOTONIC between the frames; 0: of two starts of the machine, all else is 0
    double stopped_seconds = 0;  // in which the machine itself stood still (CLOCK_BOOTTIME beyond CLOCK_MONOTONIC)
    double clock_step_seconds = 0;  // how far the wall clock jumped
    std::uint64_t lost_frames = 0;  // between them
    double memory_some_share = 0;
    double memory_full_share = 0;
    double io_some_share = 0;
    double io_full_share = 0;
    double cpu_some_share = 0;
    double refaults_per_s = 0;  // pages of files
    double major_faults_per_s = 0;
    double direct_steal_ratio =
        1;  // pages freed of those looked at by those who needed memory; below 0.3 it is nearly gone
    double read_bytes_per_s = 0;  // all disks
    double written_bytes_per_s = 0;
    double reads_per_s = 0;
    double writes_per_s = 0;
    double disk_busy_share = 0;  // of the busiest disk
    double disk_wait_ms = 0;  // mean of a request of all disks
    double cpu_user_share = 0;  // of all cores together
    double cpu_system_share = 0;
    double cpu_iowait_share = 0;
    double cpu_steal_share = 0;
    double core_busy_share_max = 0;  // of the busiest core
    double received_bytes_per_s = 0;
    double sent_bytes_per_s = 0;
    double requests_per_s = 0;
    std::uint64_t loop_lag_ms_max = 0;  // the worst of: latest turn since the last frame, time since the last turn now
};

// `now` is taken after `before`.
Rates rates_between(const Frame& before, const Frame& now);

// What one group did meanwhile; all zero for a group that `before` did not know, unless it is a job's.
struct CgroupRates {
    double cpu_share = 0;  // of one core
    double throttled_share = 0;
    double read_bytes_per_s = 0;
    double written_bytes_per_s = 0;
    double refaults_per_s = 0;
    double memory_full_share = 0;
    double io_full_share = 0;
    double anon_bytes_per_s = 0;  // growth; may be negative
};
CgroupRates cgroup_rates(const Frame& before, const Frame& now, const Cgroup& group_of_now);

}  // namespace assay::recorder
