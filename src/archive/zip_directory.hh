// The headers of a zip: its directory, found from the end, and what both kinds of header share. Internal to archive.
//
// Memory: the names (names_bytes_max) and zip_records_max records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/source.hh"
#include "archive/step.hh"

namespace assay::archive {

// What both headers of an entry say.
struct ZipHeader {
    std::string name;          // as written; see also unicode_name
    std::string unicode_name;  // the name in UTF-8 that stands beside one in another encoding; empty = none
    unsigned flags = 0;
    unsigned method = 0;
    std::uint32_t time = 0;
    unsigned version = 0;      // that reading it needs
    std::optional<std::string> seal;  // see seal.hh
    std::uint32_t checksum = 0;
    std::int64_t compressed = 0;
    std::int64_t size = 0;
    std::optional<std::uint32_t> large_disk;  // where the number of a disk stands that has no room in its own field
};

struct ZipRecord : ZipHeader {
    std::int64_t offset = 0;       // of its local header
    bool unix_made = false;        // by its packer's own word
    std::uint32_t attributes = 0;  // a Unix mode in the upper half, when unix_made
};

struct ZipDirectory {
    std::vector<ZipRecord> records;  // by offset
    std::int64_t offset = 0;         // where the entries end
};

// From the end of the archive; `input` stays where it is.
Step<ZipDirectory> read_zip_directory(const Input& input);

constexpr std::int64_t zip_records_max = 65'534;

constexpr std::int64_t zip_elsewhere = 0xFFFF'FFFF;  // the value stands in the zip64 field, or is not known yet
constexpr std::string_view zip_local_magic{"PK\x03\x04", 4};
constexpr std::string_view zip_record_magic{"PK\x01\x02", 4};
constexpr std::string_view zip_end_magic{"PK\x05\x06", 4};
constexpr std::size_t zip_local_bytes = 30;

// `size` bytes, consumed.
Step<std::string> take_bytes(Input& input, std::size_t size);

// Sets what the fixed part holds from the version on that it needs, then takes name and extra field, where sizes over 32 bits are. `large` are
// the other fields such a size may stand for. False: they make no sense.
Step<bool> take_zip_header(Input& input, std::string_view fixed, ZipHeader& header, std::span<std::int64_t* const> large = {});

}  // namespace assay::archive
