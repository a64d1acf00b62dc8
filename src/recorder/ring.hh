// Rings: where frames are kept. The hot ring is memory that outlives the process (a file on tmpfs, or memory of our own where there is no
// place for one): to store a frame is to copy it, and no disk can hold that up. The cold ring is a file on a disk, which a thread of its own
// brings up to date, segment by segment, and which may take as long as it likes: what it misses while the hot ring goes round once is lost
// to it, and counted.
//
// Segment for segment both hold the same bytes. At a start what the hot ring knows beyond the cold one is written there first.
//
// Invariants
//   1. A frame is in the hot ring before append() returns; kill -9 at any moment loses none that was appended.
//   2. append() never waits for the cold ring's thread.
//   3. Sequence numbers go on from the newest frame of both rings.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hh"
#include "recorder/codec.hh"
#include "recorder/frame.hh"
#include "sys/standing.hh"

namespace assay::recorder {

constexpr std::int64_t hot_bytes = 16 << 20;  // about four hours of a calm machine, 25 minutes of a suspicious one
constexpr std::int64_t cold_bytes_min = 1 << 20;
constexpr std::int64_t cold_bytes_max = std::int64_t{4} << 30;
constexpr std::chrono::milliseconds cold_every{2'000};  // in calm; while suspicious with every frame
constexpr std::int64_t cold_prepared_bytes = 1
                                             << 20;  // of a fresh ring written with zeros each time, until it is whole
constexpr std::chrono::seconds cold_end_max{2};  // for the last write when the recorder ends

// A default for a disk of this size: 1/256 of it, 4 to 256 MiB (about two days with 20 groups); 0, no cold ring, where less than
// 16 times that is free: the disk is needed for more important things.
std::int64_t cold_bytes_for(std::int64_t disk_bytes, std::int64_t free_bytes);

struct RingPlaces {
    std::string cold;  // file; empty: none
    std::int64_t cold_bytes = 0;  // a multiple of segment_bytes
    std::string hot;  // file on tmpfs; empty: memory of our own
    bool write_at_once = false;  // no calm: every frame goes to the cold ring when it is taken
};

constexpr const char* hot_name_prefix = "assay-recorder-";
// Where the hot ring of the data directory `data` belongs: /run/assay or /dev/shm, whichever is a memory file system and ours to write to.
// Empty: nowhere. The same for every process that asks for the same directory.
std::string hot_path_for(const std::string& data);

class Rings {
public:
    // Opens or makes the files. What cannot be had is left out and said in `refused`; it fails only when there is no memory, and where
    // `write_at_once` asks for the cold ring above all, without that.
    static Result<std::unique_ptr<Rings>> open(const RingPlaces& places, std::vector<std::string>& refused);
    ~Rings();  // finish() first, or what the cold ring lacks stays in the hot one
    Rings(const Rings&) = delete;
    Rings& operator=(const Rings&) = delete;

    // Starts the cold ring's thread. Nothing is allocated after that.
    void start();
    // Encodes `frame` twice to nowhere, so that what append() needs has been touched.
    void rehearse(const Frame& frame);
    // The hot ring: of it only what is written now and next is locked. Without swap none of it can go anyway.
    std::span<const std::byte> memory() const { return hot_.bytes(); }
    std::uint64_t next_sequence() const { return last_sequence_ + 1; }

    // Stores `frame`, whose sequence is next_sequence(). `soon`: the cold ring is to have it at once. Returns its size.
    std::size_t append(const Frame& frame, bool soon);

    // Frames that the cold ring lacks, and writes to it that failed.
    std::uint64_t cold_lag_frames() const {
        return last_sequence_ - std::min(last_sequence_, cold_sequence_.load(std::memory_order_relaxed));
    }
    std::uint64_t cold_errors() const { return cold_errors_.load(std::memory_order_relaxed); }

    // Brings the cold ring up to date and ends its thread. false: it did not in `cold_end_max`; the process must then end by exit_now().
    bool finish();

private:
    Rings() = default;
    void find_begin();
    void begin_segment();
    void hold(std::uint64_t number) const;
    void cold_main();
    bool write_cold(std::uint64_t segment, std::size_t from, std::size_t to);
    std::span<std::byte> segment(std::uint64_t number) const;

    sys::Mapping hot_;
    sys::Fd hot_file_;  // empty: memory of our own
    std::size_t hot_slots_ = 0;
    sys::Fd cold_;
    std::uint64_t cold_slots_ = 0;
    bool cold_fresh_ = false;
    bool write_at_once_ = false;

    Encoder encoder_;
    std::uint64_t last_sequence_ = 0;
    std::uint64_t since_keyframe_ = 0;
    // Segments are counted up; a ring's slot is the count modulo its slots, the cold one's shifted.
    std::uint64_t segment_ = 0;
    std::size_t used_ = 0;
    std::uint64_t cold_shift_ = 0;
    std::uint64_t cold_from_ = 0;  // the first segment that the cold ring may lack

    struct Told {
        std::atomic<std::uint64_t> position{0};  // segment * segment_bytes + bytes used in it
        std::atomic<std::uint64_t> sequence{0};
    } told_;
    std::atomic<std::uint64_t> cold_sequence_{0};
    std::atomic<std::uint64_t> cold_errors_{0};
    std::atomic<bool> ending_{false};
    std::atomic<bool> ended_{false};
    std::counting_semaphore<> wake_{0};
    std::counting_semaphore<> done_{0};
    std::thread thread_;
};

}  // namespace assay::recorder
