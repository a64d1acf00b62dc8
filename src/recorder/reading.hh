// Reading: what was recorded, as frames in the order in which they were taken. For replay, diagnosis and alarms.
//
// A recording is one file, or the two rings of a data directory: the hot one in memory, the cold one on disk. What is torn,
// foreign or half overwritten is stepped over; a frame that both rings hold is told once. It may be read while it is written.
//
//     ASSAY_TRY(recorder::Recording recording, recorder::Recording::open(data_directory_or_file));
//     ASSAY_CHECK(recording.each({.from_ns = noon, .to_ns = noon + minute_ns}, [&](const recorder::Frame& frame) {
//         if (before.sequence != 0) look_at(recorder::rates_between(before, frame));   // recorder/rates.hh
//         before = frame;
//         return true;
//     }));
//
// Threading: one thread per object. Blocking: reads files. Memory: about 1 MB and 64 bytes for each 32 KiB of recording.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "recorder/codec.hh"
#include "recorder/frame.hh"

namespace assay::recorder {

constexpr std::int64_t recording_bytes_max = std::int64_t{4} << 30;  // of one file; what is behind is not read
constexpr std::size_t stretches_max = 256 * 1024;  // of a recording; a sound one of 4 GiB has half of that

// Where the rings of the data directory `data` are.
std::string cold_path(const std::string& data);
std::string hot_link_path(const std::string& data);  // a symbolic link to the ring in memory

// Wall-clock times, nanoseconds since 1970, both included.
struct Range {
    std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();
    std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();
};

// Reads up to `buffer` bytes at `offset`; 0 = the end.
using ReadAt = std::function<Result<std::size_t>(std::span<std::byte> buffer, std::int64_t offset)>;

class Recording {
public:
    // `path`: a file of `assay record`, or a data directory. Errors: missing (no recording there), denied, system.
    static Result<Recording> open(const std::string& path);
    // The ring in memory alone: the last minutes, quickly. Errors: missing.
    static Result<Recording> open_hot(const std::string& data);
    static Result<Recording> of(std::vector<ReadAt> sources);

    bool empty() const { return stretches_.empty(); }
    // Wall-clock times and sequence numbers of the oldest and newest frame; all zero when empty.
    struct Extent {
        std::int64_t oldest_ns = 0;
        std::int64_t newest_ns = 0;
        std::uint64_t first_sequence = 0;
        std::uint64_t last_sequence = 0;
    };
    Extent extent() const;

    // Each frame with a wall-clock time in `range`, by rising sequence number, until `take` returns false. The reference is
    // good until `take` returns.
    Result<> each(const Range& range, const std::function<bool(const Frame&)>& take);

    // What came up while it was opened and read.
    struct Damage {
        std::uint64_t orphans =
            0;  // whole frames whose base is gone: what follows a torn frame up to the next keyframe
        std::uint64_t malformed = 0;  // with a right checksum, yet no frames: of another program, or made by hand
        std::uint64_t stretches_left_out = 0;
    };
    const Damage& damage() const { return damage_; }

private:
    // Frames side by side in one source that can be decoded without what is before them.
    struct Stretch {
        std::size_t source = 0;
        std::int64_t offset = 0;
        std::int64_t end = 0;
        std::uint64_t first_sequence = 0;
        std::uint64_t last_sequence = 0;
        std::int64_t oldest_ns = 0;
        std::int64_t newest_ns = 0;
    };
    Result<> index(std::size_t source);
    void note(std::size_t source, const Place& place, std::int64_t offset, bool& joined);

    std::vector<ReadAt> sources_;
    std::vector<Stretch> stretches_;  // by first sequence number, the longer one first
    Damage damage_;
};

}  // namespace assay::recorder
