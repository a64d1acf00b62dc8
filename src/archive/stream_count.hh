// What the compressions have in common. Internal to archive.
#pragma once

#include <cstdint>
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

// What a decoder may hold of what it decoded.
constexpr std::int64_t decoder_memory_max = 64LL << 20;

inline Refused window_too_large(std::string_view format, std::int64_t offset) {
    return {.fault = ArchiveFault::window_too_large, .arguments = {std::string{format}, size_text(decoder_memory_max)}, .offset = offset};
}

}  // namespace assay::archive
