// What the compressions have in common. Internal to archive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "archive/archive.hh"
#include "archive/step.hh"
#include "base/text.hh"

namespace assay::archive {

// Many streams are legitimate (block-parallel packers), many empty ones are only meant to cost time.
struct StreamCount {
    static constexpr std::int64_t streams_free = 65'536;
    static constexpr std::int64_t stream_average_min = 16;

    std::int64_t streams = 0;
    std::int64_t bytes = 0;  // decoded so far

    // Before the next stream is opened.
    std::optional<Refused> another(std::int64_t offset) {
        if (++streams <= streams_free || bytes >= streams * stream_average_min) return std::nullopt;
        return Refused{.fault = ArchiveFault::empty_members, .offset = offset, .limit = streams_free, .value = streams};
    }
};

// How fast the archive may grow while it is decoded: a bomb is recognised by it before it has cost much. What grows like this
// at the very beginning is left to the bound on the whole.
class Expansion {
public:
    static constexpr std::int64_t window_bytes = 1 << 20;  // of the archive
    static constexpr std::int64_t ratio_max = 200;

    // After `decoded` more bytes came out of what lies before `offset`.
    std::optional<Refused> more(std::int64_t offset, std::size_t decoded) {
        if (offset < window_bytes) return std::nullopt;
        if (marks_.empty() || offset - marks_.back().offset >= step_bytes) marks_.push_back({offset, decoded_});
        decoded_ += static_cast<std::int64_t>(decoded);
        while (marks_.size() > 1 && offset - marks_[1].offset >= window_bytes) marks_.pop_front();
        const std::int64_t limit = ratio_max * std::max(window_bytes, offset - marks_.front().offset);
        const std::int64_t grown = decoded_ - marks_.front().decoded;
        if (grown <= limit) return std::nullopt;
        return Refused{.fault = ArchiveFault::grows_too_fast, .arguments = {std::to_string(ratio_max)}, .offset = offset, .limit = limit, .value = grown};
    }

private:
    static constexpr std::int64_t step_bytes = 64 * 1024;
    struct Mark {
        std::int64_t offset;
        std::int64_t decoded;
    };
    std::deque<Mark> marks_;  // window_bytes / step_bytes of them, and one
    std::int64_t decoded_ = 0;
};

// What a decoder may hold: so much that the whole process stays below 64 MiB.
constexpr std::int64_t decoder_memory_max = 40LL << 20;

// `needed`: bytes, where the decoder tells.
inline Refused window_too_large(std::string_view format, std::int64_t offset, std::optional<std::int64_t> needed = {}) {
    return {.fault = ArchiveFault::window_too_large,
            .arguments = {std::string{format}, size_text(decoder_memory_max)},
            .offset = offset,
            .limit = needed ? std::optional{decoder_memory_max} : std::nullopt,
            .value = needed};
}

}  // namespace assay::archive
