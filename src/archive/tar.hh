// TarReader: members of a tar, pulled one by one from decoded bytes. ustar, GNU long names, pax. Internal to archive.
//
// It judges structure only (checksums, lengths, types, end blocks); what names and trees are allowed is Tree's to say.
// Memory: one block, and the extended headers of one member (header_bytes_max).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "archive/archive.hh"
#include "archive/source.hh"
#include "archive/step.hh"

namespace assay::archive {

constexpr std::size_t tar_block_bytes = 512;
constexpr std::int64_t headers_total_max = 64LL << 20;  // extended headers of all members
constexpr std::int64_t padding_max = 16LL << 20;        // zeros after the end blocks: what large blocking factors write

bool tar_checksum_holds(ByteView block);

struct Member {
    enum class Kind { directory, regular, symlink, hardlink };
    std::string name;      // as written, not yet judged
    std::string target;    // of a symlink or hardlink
    Kind kind = Kind::regular;
    std::int64_t size = 0; // of a regular file; 0 for all others
    bool executable = false;
    std::int64_t offset = 0;  // of its header in the archive
};

class TarReader {
public:
    explicit TarReader(Source& source) : source_{source} {}

    // The next member, after what is left of the last one was read; nullopt when the end blocks, and nothing but zeros after
    // them, were read to the end of the source.
    Step<std::optional<Member>> next();
    // Content of the current member: 1..size bytes; 0 = its end.
    Step<std::size_t> read(std::span<std::byte> buffer);

private:
    using Block = std::array<std::byte, tar_block_bytes>;
    struct Extended;

    Step<bool> read_block();  // false = the source ended before the block's first byte
    Step<> skip_rest();
    Step<> read_end();
    Step<> take_extension(char type, Extended&);
    Step<> take_pax(std::string_view records, bool global, Extended&);
    Step<Member> member_of(char type, Extended&);
    std::string_view field(std::size_t offset, std::size_t size) const;
    Step<std::int64_t> number(std::size_t offset, std::size_t size) const;

    Source& source_;
    Block block_{};
    std::int64_t left_ = 0;       // content bytes of the current member
    std::int64_t padding_ = 0;    // after them
    std::int64_t header_at_ = 0;  // archive offset of the current header
    std::int64_t headers_total_ = 0;
    bool any_ = false;
};

}  // namespace assay::archive
