// Seals: what our own packs carry beyond their formats, so that no flipped bit goes unseen: a tar has no checksum of its content,
// a zip none of its directory, and deflate and zstd have bits that decode alike either way. Internal to archive.
//
// Each lies where the format lets everybody else read past it, and is judged where it is found:
//   tar   the last 12 bytes of a header: mark, CRC-32 of the content in hex. Under the header's own checksum
//   gzip  a subfield of the header's extra field: Seal of the compressed bytes. Under the header's CRC-16
//   zstd  a skippable frame before each frame: mark, Seal of that frame. An empty frame begins the file, as the usual magic
//   zip   an extra field of both headers: CRC-32 of the directory's record, CRC-32 of the compressed bytes
#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.hh"

namespace assay::archive {

inline std::uint32_t crc32_of(ByteView bytes, std::uint32_t before = 0) {
    if (bytes.empty()) return before;  // The library takes a null pointer for a request to begin anew.
    return ::libdeflate_crc32(before, bytes.data(), bytes.size());
}
inline std::uint32_t crc32_of(std::string_view bytes, std::uint32_t before = 0) { return crc32_of(bytes_of(bytes), before); }

// The lowest `bytes` bytes, lowest first.
inline std::string in_little_endian(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
}
inline std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

// Of a run of compressed bytes, counted while they go by.
struct Seal {
    static constexpr std::size_t text_bytes = 8;

    std::uint32_t size = 0;
    std::uint32_t checksum = 0;

    void add(ByteView bytes) {
        size += static_cast<std::uint32_t>(bytes.size());
        checksum = crc32_of(bytes, checksum);
    }
    std::string text() const { return in_little_endian(size, 4) + in_little_endian(checksum, 4); }
    static Seal of(ByteView bytes) {
        Seal seal;
        seal.add(bytes);
        return seal;
    }
    // Precondition: text.size() == text_bytes.
    static Seal from(std::string_view text) {
        return {static_cast<std::uint32_t>(little_endian(text.substr(0, 4))), static_cast<std::uint32_t>(little_endian(text.substr(4)))};
    }
    bool operator==(const Seal&) const = default;
};

constexpr std::string_view tar_seal_mark = "as1";
constexpr std::size_t tar_seal_at = 500, tar_seal_bytes = 12;  // mark, eight digits, NUL

constexpr std::string_view gzip_seal_id = "as";
constexpr std::size_t gzip_piece_bytes = std::size_t{1} << 20;  // of what a member of ours decodes to, at most

constexpr std::string_view zstd_seal_start{"\x50\x2A\x4D\x18\x0C\0\0\0as1\0", 12};  // a skippable frame of 12 bytes
// Magic, one segment of a size in four bytes (0) with a checksum, one empty block, the checksum.
constexpr std::string_view zstd_empty_frame{"\x28\xB5\x2F\xFD\xA4\0\0\0\0\x01\0\0\x99\xE9\xD8\x51", 16};

constexpr unsigned zip_seal_tag = 0x7361;
constexpr std::size_t zip_seal_bytes = 8;

}  // namespace assay::archive
