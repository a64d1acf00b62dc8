#include "archive/tar_writer.hh"

#include <array>
#include <iterator>

#include <fmt/format.h>

#include "archive/seal.hh"
#include "archive/tar.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

constexpr std::size_t name_field = 100;

void append_header(std::string& tar, std::string_view name, char type, std::string_view target, std::int64_t size, std::uint32_t checksum,
                   bool executable) {
    std::string block(tar_block_bytes, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
    put(0, name);
    put(100, executable ? "0000755" : "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", size));
    put(136, "00000000000");
    put(148, "        ");
    block[156] = type;
    put(157, target);
    put(257, std::string_view{"ustar\00000", 8});
    put(tar_seal_at, fmt::format("{}{:08x}", tar_seal_mark, checksum));
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    tar += block;
}

// The record's length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (fmt::formatted_size("{}", length) + rest != length) ++length;
    return fmt::format("{} {}={}\n", length, key, value);
}

bool fits(std::string_view text) { return is_ascii(text) && text.size() <= name_field; }

}  // namespace

void append_head(std::string& tar, const Entry& entry, std::uint32_t checksum) {
    const bool directory = entry.kind == Entry::Kind::directory;
    const std::string name = directory ? entry.path + '/' : entry.path;
    std::string records;
    if (!fits(name)) records += pax_record("path", name);
    if (!fits(entry.target)) records += pax_record("linkpath", entry.target);
    if (!records.empty()) {
        append_header(tar, "pax", 'x', "", std::ssize(records), crc32_of(records), false);
        tar += records;
        tar += padding_after(std::ssize(records));
    }
    const char type = directory ? '5' : entry.kind == Entry::Kind::symlink ? '2' : '0';
    const std::int64_t size = entry.kind == Entry::Kind::regular ? entry.size : 0;
    append_header(tar, fits(name) ? name : "long", type, fits(entry.target) ? entry.target : "long", size, checksum,
                  entry.executable || directory);
}

std::string_view padding_after(std::int64_t size) {
    static constexpr std::array<char, tar_block_bytes> zeros{};
    const auto over = static_cast<std::size_t>(size) % tar_block_bytes;
    return {zeros.data(), (tar_block_bytes - over) % tar_block_bytes};
}

void append_member(std::string& tar, Entry entry, std::string_view content) {
    entry.size = std::ssize(content);
    append_head(tar, entry, crc32_of(content));
    tar += content;
    tar += padding_after(entry.size);
}

void append_end(std::string& tar) { tar.append(2 * tar_block_bytes, '\0'); }

}  // namespace assay::archive
