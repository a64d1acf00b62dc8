// AdmissionKeeper: makes what admission decides so: on the board, which stops starts and uploads, in the metrics and for /readyz.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "admission/guard.hh"
#include "queue/board.hh"
#include "recorder/feed.hh"

namespace assay::serve {

// For tests of the whole server: a directory with `pressure/…`, `meminfo` and `vmstat` in place of /proc.
constexpr const char* host_files_variable = "ASSAY_TEST_PROC";

constexpr std::chrono::seconds pressure_told_every{1};  // the numbers; that it begins or ends is told at once

class AdmissionKeeper {
public:
    // Opens what only root may: call it before rights are dropped. `jobs`: the control group of all commands, or empty.
    AdmissionKeeper(const std::string& jobs, int slots);

    // Until what it returns is destroyed, which this and `board` outlive. Errors: busy, system (no descriptors).
    // `feed`: the recorder's, told of each decision; nullptr: there is none.
    Result<std::unique_ptr<admission::Guard>> start(queue::Board& board, const std::string& data, const admission::Thresholds& thresholds, recorder::Feed* feed);

    // Readable when a job is to be ended: then call take(), from any one thread.
    int watched() const { return bell_read_.get(); }
    struct Ending {
        int slot = 0;
        std::string evidence;
    };
    std::optional<Ending> take();

private:
    void act(const admission::Samples&, const admission::Decision&);

    admission::Sensors sensors_;
    queue::Board* board_ = nullptr;
    recorder::Feed* feed_ = nullptr;
    std::optional<sys::TimePoint> told_at_;
    int level_told_ = 0;
    bool outside_told_ = false;
    sys::Fd bell_read_;
    sys::Fd bell_write_;
    std::mutex mutex_;
    std::optional<Ending> ending_;  // guarded; the rest is the guard's thread's
};

// What jobs may take of the machine's memory together: the rest is for the server, the system and its page cache. Bytes; pure.
constexpr std::int64_t reserve_bytes_min = 384LL << 20;
constexpr std::int64_t jobs_memory_bytes(std::int64_t total_bytes) {
    return std::max(total_bytes - std::max(total_bytes / 5, reserve_bytes_min), total_bytes / 4);
}

// What participants and staff are told of a decision; nullopt: everything may start.
std::optional<model::WaitDetail> why_nothing_starts(const admission::Samples&, const admission::Decision&);

}  // namespace assay::serve
