// TarReader: members of a tar, pulled one by one from decoded bytes. ustar, GNU long names, pax. Internal to archive.
// Memory: one block, and the extended headers of one member (header_bytes_max).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/member.hh"

namespace assay::archive {

constexpr std::size_t tar_block_bytes = 512;
constexpr std::int64_t headers_total_max = 64LL << 20;  // extended headers of all members
constexpr std::int64_t layer_headers_total_max = 1LL << 30;  // of a layer, which has a million members
constexpr std::int64_t padding_max = 16LL << 20;        // zeros after the end blocks: what large blocking factors write

bool tar_checksum_holds(ByteView block);

// What a tar may be: handed in, or a layer of a file system, which has devices and extended attributes as well.
enum class TarKind { handed_in, layer };

class TarReader final : public MemberReader {
public:
    explicit TarReader(std::unique_ptr<Source> source, TarKind kind = TarKind::handed_in) : source_{std::move(source)}, kind_{kind} {}

    // nullopt when the end blocks, and nothing but zeros after them, were read to the end of the source.
    Step<std::optional<Member>> next() override;
    Step<std::size_t> read(std::span<std::byte> buffer) override;

private:
    using Block = std::array<std::byte, tar_block_bytes>;
    struct Extended;

    Step<bool> read_block();  // false = the source ended before the block's first byte
    Step<> skip_rest();
    Step<> read_end();
    Step<> take_seal();
    Step<> take_extension(char type, Extended&);
    Step<> take_pax(std::string_view records, bool global, Extended&);
    Step<Member> member_of(char type, Extended&);
    std::string_view field(std::size_t offset, std::size_t size) const;
    Step<std::int64_t> number(std::size_t offset, std::size_t size) const;
    Stop in_member(Stop) const;

    std::unique_ptr<Source> source_;
    TarKind kind_;
    Block block_{};
    std::string name_;            // of the current member; empty: none is known
    std::int64_t left_ = 0;       // content bytes of the current member
    std::int64_t padding_ = 0;    // after them
    std::int64_t header_at_ = 0;  // archive offset of the current header
    std::int64_t headers_total_ = 0;
    std::optional<std::uint32_t> sealed_;  // what the content's checksum must be; see seal.hh
    std::uint32_t checksum_ = 0;
    bool any_ = false;
};

}  // namespace assay::archive
