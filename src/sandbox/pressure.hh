// Pressure: whether something else than the program could have stretched the times that were measured of it.
//
// The kernel tells for how long something was ready and had to wait for a CPU, for memory or for a disk (PSI). Where there is a
// version 2 group this is about the command alone, else about the machine. A program with more busy tasks than CPUs waits for
// itself: nobody waits longer for others than they kept CPUs busy, so whatever goes beyond that is the job's own doing. One at its memory
// limit waits for what it needs to be read in again and again, which is its own doing as well. Else what it does to memory and disks is told
// apart from nobody: `false` means "could have been", never "was".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sandbox/cgroup.hh"

namespace assay::sandbox {

// Counters that only grow; nullopt: not told here.
struct Stalls {
    bool of_group = false;  // the first three: of the command alone
    std::optional<std::int64_t> cpu_us;
    std::optional<std::int64_t> memory_us;
    std::optional<std::int64_t> io_us;
    std::optional<std::int64_t> stolen_us;     // by a hypervisor, of all CPUs together, in ticks
    std::optional<std::int64_t> throttled_us;  // of the group by a limit that it was given, which counts as waiting for a CPU as well
    std::optional<std::int64_t> busy_us;  // all CPUs together, whoever used them, in ticks
    std::optional<std::int64_t> own_us;  // used by the job
    std::optional<std::int64_t> refaulted_bytes;  // by the command
};
// `job`: the group of all that belongs to the command's job.
Stalls read_stalls(const Group& command, const Group& job);

// A tick and a wake-up: less than that nobody can promise, so what is over sooner is not looked at either (`lasting_after`).
constexpr std::int64_t stall_us_ignored = 5'000;
constexpr int stall_percent_max = 10;  // of the wall time, for each kind by itself
constexpr std::int64_t busy_slack_us = 20'000;  // two ticks: the machine's counters are no finer

// nullopt: the kernel tells nothing about CPUs, so that nothing can be said. `full_bytes`: the memory limit of a command that was at it.
std::optional<bool> timing_is_trustworthy(const Stalls& before, const Stalls& after, std::int64_t wall_us,
                                          std::optional<std::int64_t> full_bytes = std::nullopt);
// How long such a command has waited for memory, and for a disk if what it read was mostly there before. nullopt: this host does not tell
// that of a command alone.
std::optional<std::int64_t> memory_stalled_us(const Stalls& before, const Stalls& after, std::int64_t full_bytes);

// The sum of a pressure file's first line ("some … total=N"). nullopt: it is not one, or the kernel was started without PSI.
std::optional<std::int64_t> total_stalled_us(std::string_view pressure);
// Of the first line of /proc/stat, as times: its eighth number; all but what was idle, waited for a disk, or was stolen.
std::optional<std::int64_t> stolen_us(std::string_view stat, std::int64_t ticks_per_second);
std::optional<std::int64_t> busy_us(std::string_view stat, std::int64_t ticks_per_second);

}  // namespace assay::sandbox
