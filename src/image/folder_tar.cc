#include "image/folder_tar.hh"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "base/text.hh"
#include "image/limits.hh"
#include "sys/file.hh"
#include "sys/root_tree.hh"

namespace assay::image {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t name_bytes = 100;
constexpr std::size_t step_bytes = 256 * 1024;
constexpr std::int64_t octal_size_max = (1LL << 33) - 1;  // 11 digits

std::string header(std::string_view name, char type, std::uint32_t mode, std::int64_t size, std::int64_t modified_s, std::string_view target) {
    std::string block(block_bytes, '\0');
    const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
    put(0, name.substr(0, name_bytes));
    put(100, fmt::format("{:07o}", mode));
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", std::min(size, octal_size_max)));
    put(136, fmt::format("{:011o}", std::clamp<std::int64_t>(modified_s, 0, octal_size_max)));
    put(148, "        ");
    block[156] = type;
    put(157, target.substr(0, name_bytes));
    put(257, std::string_view{"ustar\00000", 8});
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    return block;
}

std::string padding(std::int64_t size) {
    return std::string(static_cast<std::size_t>((static_cast<std::int64_t>(block_bytes) - size % static_cast<std::int64_t>(block_bytes)) % static_cast<std::int64_t>(block_bytes)), '\0');
}

// The record's length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (fmt::formatted_size("{}", length) + rest != length) ++length;
    return fmt::format("{} {}={}\n", length, key, value);
}

char type_of(sys::RootTree::Kind kind) {
    switch (kind) {
        case sys::RootTree::Kind::directory: return '5';
        case sys::RootTree::Kind::regular: return '0';
        case sys::RootTree::Kind::symlink: return '2';
        case sys::RootTree::Kind::other: case sys::RootTree::Kind::nothing: break;
    }
    return '6';
}

Result<> write_content(const sys::Walked& entry, const sys::Fd& out) {
    const auto buffer = std::make_unique<std::array<std::byte, step_bytes>>();
    std::int64_t left = entry.size;
    while (left > 0) {
        ASSAY_TRY(const std::size_t count, sys::read_some(entry.file, std::span{*buffer}.first(static_cast<std::size_t>(std::min<std::int64_t>(left, step_bytes)))));
        if (count == 0) return Error{Fault::conflict, escaped(entry.path) + " shrank while it was read"};
        ASSAY_CHECK(sys::write_all(out, ByteView{*buffer}.first(count)));
        left -= static_cast<std::int64_t>(count);
    }
    return sys::write_all(out, padding(entry.size));
}

Result<> write_entry(sys::Walked& entry, const sys::Fd& out) {
    const bool folder = entry.kind == sys::RootTree::Kind::directory;
    const std::string name = folder ? entry.path + '/' : entry.path;
    std::string records;
    if (name.size() > name_bytes) records += pax_record("path", name);
    if (entry.target.size() > name_bytes) records += pax_record("linkpath", entry.target);
    if (entry.size > octal_size_max) records += pax_record("size", std::to_string(entry.size));
    if (entry.attributes) records += pax_record("SCHILY.xattr.some", "");
    std::string head;
    if (!records.empty()) {
        const auto size = static_cast<std::int64_t>(records.size());
        head = header("pax", 'x', 0644, size, 0, "") + records + padding(size);
    }
    head += header(name, type_of(entry.kind), entry.mode, entry.size, entry.modified_s, entry.target);
    ASSAY_CHECK(sys::write_all(out, std::string_view{head}));
    return entry.kind == sys::RootTree::Kind::regular ? write_content(entry, out) : Result<>{ok};
}

}  // namespace

Result<> write_folder_tar(const sys::Fd& folder, const sys::Fd& out) {
    ASSAY_CHECK(sys::walk_tree(folder, path_depth_max, [&](sys::Walked& entry) { return write_entry(entry, out); }));
    return sys::write_all(out, std::string_view{std::string(2 * block_bytes, '\0')});
}

}  // namespace assay::image
