// Codec: one frame to bytes and back (docs/formats/recorder.md). Pure: no time, no files; nothing is allocated after construction.
//
// Numbers are told as differences to the frame before; a keyframe stands alone. Threading: an object belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/text.hh"
#include "recorder/frame.hh"

namespace assay::recorder {

constexpr std::uint32_t frame_magic = 0x31524641;  // "AFR1", little endian
constexpr std::uint16_t format_version = 1;
constexpr std::uint16_t flag_keyframe = 1;  // does not need the frame before
constexpr std::uint16_t flag_cut = 2;  // a section did not fit
constexpr std::uint16_t section_flag_in_place = 1;  // each row is told by its own predecessor or by none
constexpr std::size_t frame_head_bytes = 56;
constexpr std::size_t frame_bytes_min = 64;
constexpr std::size_t frame_bytes_max = 32 * 1024;  // a reader refuses longer ones
constexpr std::size_t segment_bytes = 64 * 1024;  // of a ring; each begins with a keyframe
constexpr std::uint64_t keyframe_every = 60;  // frames

class Encoder {
public:
    Encoder() : base_{std::make_unique<Frame>()} {}

    // Writes `frame` into `out`. `keyframe`, or the frame after a forgotten one: without differences. Returns the bytes written;
    // 0: `out` is too small for the head (frame_bytes_min). What else does not fit is left out by sections.
    std::size_t encode(const Frame& frame, bool keyframe, std::span<std::byte> out);
    void forget() { known_ = false; }  // the next one is a keyframe

private:
    std::unique_ptr<Frame> base_;  // as the decoder will have it
    bool known_ = false;
};

// Where a frame with a right checksum stands in some bytes, and its head.
struct Place {
    std::size_t offset = 0;
    std::size_t size = 0;
    bool keyframe = false;
    std::uint64_t sequence = 0;
    std::int64_t real_time_ns = 0;
};

// Finds frames in bytes that may be anything: after torn or foreign bytes it goes on at the next magic with a right checksum.
// Time is bounded: of wrong checksums it computes no more than `waste_factor` times the bytes it was given, then it ends.
class Finder {
public:
    static constexpr std::size_t waste_factor = 8;
    // `last`: nothing follows behind `bytes`, so that a frame which seems to go on there is a torn one.
    Finder(ByteView bytes, bool last) : bytes_{bytes}, last_{last} {}

    // The next frame; nullopt: none is whole in the rest.
    std::optional<Place> next();
    // From here on the bytes may be the begin of a frame that goes on behind them. Meaningful after nullopt.
    std::size_t tail() const { return at_; }
    std::size_t skipped_bytes() const { return skipped_; }  // that were no frame, runs of zeros included

private:
    ByteView bytes_;
    bool last_;
    std::size_t at_ = 0;
    std::size_t skipped_ = 0;
    std::size_t wasted_ = 0;
};

class Decoder {
public:
    Decoder() : frame_{std::make_unique<Frame>()}, before_{std::make_unique<Frame>()} {}

    enum class Outcome {
        frame,  // frame() is it
        no_base,  // it needs a frame that was not there; the next keyframe helps
        malformed,  // its checksum is right and it is no frame all the same
    };
    // `bytes`: what Finder found.
    Outcome decode(ByteView bytes);
    const Frame& frame() const { return *frame_; }  // until the next decode()
    void forget() { known_ = false; }

private:
    std::unique_ptr<Frame> frame_;
    std::unique_ptr<Frame> before_;  // rows that move are told by these
    bool known_ = false;
};

}  // namespace assay::recorder
