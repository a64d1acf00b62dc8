// The limits of one command, and what it did under them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/words.hh"

namespace assay::model {

struct Limits {
    std::int64_t cpu_ms = 10'000;                 // user + system of the whole tree
    std::int64_t wall_ms = 30'000;                // since the command started
    std::int64_t memory_bytes = 512LL << 20;  // everything charged to the group, scratch in memory included; no swap
    std::int64_t processes = 64;                  // tasks; our own init is not counted
    std::int64_t output_bytes = 1LL << 20;        // stdout + stderr together
    std::int64_t disk_bytes = 128LL << 20;        // of the scratch; inodes follow from it
    std::int64_t open_files = 256;
    std::int64_t cores = 0;                       // CPU time per time, as if the machine had so many CPUs; 0 = no bound
    std::int64_t io_bytes = 0;                    // read from and written to block devices; 0 = no bound

    bool operator==(const Limits&) const = default;
};

// Inodes that `disk_bytes` of scratch allow: one per 4 KiB, at least 1,024.
constexpr std::int64_t inodes_of(std::int64_t disk_bytes) { return disk_bytes / 4096 > 1024 ? disk_bytes / 4096 : 1024; }

// What scratch on disk of `disk_bytes` takes of the disk at most, the tables of its file system included.
constexpr std::int64_t disk_scratch_bytes(std::int64_t disk_bytes) { return disk_bytes + disk_bytes / 14 + (20LL << 20); }

struct Guarantees {
    Guarantee cpu = Guarantee::none;
    Guarantee wall = Guarantee::none;
    Guarantee memory = Guarantee::none;
    Guarantee processes = Guarantee::none;
    Guarantee output = Guarantee::none;
    Guarantee disk = Guarantee::none;
    Guarantee cores = Guarantee::none;
    Guarantee io = Guarantee::none;
};

// What was kept of an output stream: its head and its tail.
// What stands in place of bytes in the middle of a text: of no language, since programs' texts are shown in all of them.
std::string cut_mark(std::int64_t bytes);  // "\n[… 1234 B …]\n"

struct Captured {
    std::string head;
    std::string tail;                    // empty when all of it fits into the head
    std::int64_t bytes = 0;              // as written by the program, until it was killed
    std::int64_t dropped_bytes = 0;      // between head and tail
    // Head, a line that says how many bytes are missing, tail.
    std::string text() const;
};

// What happened to one command. All limits that were hit are named; which of them is the verdict is grade's to say.
struct Outcome {
    std::optional<int> exit_code;        // exactly one of exit_code and signal is set when `started`
    std::optional<int> signal;
    bool started = false;                // false: see `fault`
    std::string fault;                   // our own failure, for staff; empty = none
    bool cpu_exceeded = false;
    bool wall_exceeded = false;
    bool output_exceeded = false;
    bool io_exceeded = false;
    bool oom_killed = false;             // an OOM kill in its group, or in the job's group while it ran
    bool processes_hit = false;          // fork was refused at the limit
    bool disk_full = false;              // the scratch had no bytes or no inodes left at the end
    bool forbidden = false;              // killed by the system-call filter
    bool cancelled = false;              // we ended it: lease lost or shutting down

    double cpu_user_ms = 0;
    double cpu_system_ms = 0;
    double wall_ms = 0;
    std::int64_t memory_peak_bytes = 0;
    std::int64_t processes_peak = 0;     // 0 = this host cannot tell
    // Of the next six nullopt = this host cannot tell; of memory and io also: it was over within 5 ms.
    std::optional<double> throttled_ms;             // held back by `cores`
    std::optional<double>
        memory_stalled_ms;  // at its memory limit: waited for memory, and for what was thrown out of it; else nullopt
    std::optional<std::int64_t> memory_file_bytes;  // of the peak at most: page cache of files, which the kernel takes back when it must
    std::optional<std::int64_t> io_read_bytes;      // at block devices
    std::optional<std::int64_t> io_write_bytes;
    std::optional<bool> trustworthy_timing;         // false: what else the machine did could have stretched the times above
    Captured output;                     // stdout
    Captured errors;                     // stderr
    Limits limits;                       // as read back from the kernel
    Guarantees guarantees;
    Scratch scratch = Scratch::memory;

    double cpu_ms() const { return cpu_user_ms + cpu_system_ms; }
};

}  // namespace assay::model
