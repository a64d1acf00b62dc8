// Record: the recorder itself, a process of its own: opens what it needs, makes itself as hard to stop as the host allows, and then takes a
// frame each second (five while something is wrong) without allocating, forking or logging.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "recorder/ring.hh"
#include "sys/fd.hh"

namespace assay::recorder {

constexpr std::uint64_t interval_ms_min = 10;

struct RecordOptions {
    RingPlaces places;
    std::string directory;  // made when it is missing; empty: none
    std::string lock;  // file of which the recorder holds the lock; empty: none
    std::string hot_link;  // where the hot ring is said to be; empty: nowhere
    std::uint64_t interval_ms = 0;  // the same at all times; 0: by suspicion
    std::uint64_t for_ms = 0;  // 0: until it is told to end
    int end_when_ready = -1;  // a descriptor: a signal's, or a connection that closes when the recorder must end
    std::optional<std::pair<std::uint32_t, std::uint32_t>> become;  // uid and gid, once all that needs root is done
    const sys::Fd* feed = nullptr;  // of the server; nullptr: there is none
};

struct Recorded {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t late_us_max = 0;
    std::uint64_t cpu_us = 0;  // for all frames, without the start
    std::uint64_t major_faults = 0;  // after the start
    std::uint64_t cold_errors = 0;
    std::uint64_t cold_lag_frames = 0;
};

// Records until its time is over or it is told to end. `started` is called once, before the first frame, with what the host refused, a
// sentence each. Errors: conflict (another recorder writes there), no memory, or the file that
// places.write_at_once asks for. Blocks; call it in a process that does nothing else.
Result<Recorded> record(const RecordOptions& options,
                        const std::function<void(const std::vector<std::string>& refused)>& started);

// Into the rings of the data directory `data`; `cold_bytes` 0: into the one in memory alone.
RecordOptions options_for(const std::string& data, std::int64_t cold_bytes);

// The recorder beside a server: fd 3 is the connection whose end is its own, fd 4 the feed. `as`: "UID-GID-COLDBYTES-DIRECTORY".
// Returns the process's exit code.
int recorder_main(std::string_view as);

}  // namespace assay::recorder
