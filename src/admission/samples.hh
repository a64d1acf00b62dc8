// Samples: what one look at the machine says, as numbers. Plain data; made by sensors.hh, judged by controller.hh.
//
// Shares are 0..1. What the host does not tell is nullopt, and no rule that needs it fires.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace assay::admission {

// Of the time covered, how much some task (all that had work) waited for a resource: differences of the kernel's pressure
// totals. Its own averages over ten seconds and more come too late, and stayed low in a machine that answered nobody.
struct Stall {
    double some = 0;
    double full = 0;
};

struct Memory {
    std::int64_t total_bytes = 0;
    std::int64_t available_bytes = 0;  // MemAvailable: free, or clean cache that can be given up
    double available_share() const {
        return total_bytes > 0 ? static_cast<double>(available_bytes) / static_cast<double>(total_bytes) : 1;
    }
};

// What the processes of a running job hold that no file backs. Page cache is not counted: it goes when it is needed.
struct JobMemory {
    int slot = 0;
    std::int64_t anonymous_bytes = 0;
    std::int64_t grown_bytes = 0;      // within the last `growth_window`; may be negative
};

struct Samples {
    double seconds = 0;                // that shares and rates cover; 0: the first look, which has none
    bool blind = false;                // the kernel keeps no pressure figures, on this look and any other
    std::optional<Stall> cpu;
    std::optional<Stall> memory_stall;
    std::optional<Stall> io;
    std::optional<Memory> memory;
    std::optional<double> refaults_per_s;   // pages of files that were given up and had to be read again
    std::optional<std::int64_t> sync_ms;    // a small write made durable: the last one, or how long one under way takes already
    std::optional<std::int64_t> disk_free_bytes;
    std::optional<std::int64_t> disk_free_files;
    std::optional<std::int64_t> loop_lag_ms;     // of the event loop that is latest
    std::vector<JobMemory> jobs;
};

}  // namespace assay::admission
