// ustar; a name that does not fit, or is not ASCII, comes in a pax header before it. Nothing of the machine or the time goes in.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/tar.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"

namespace assay::archive {
namespace {

constexpr std::size_t name_field = 100;

void append_header(std::string& tar, std::string_view name, char type, std::size_t size, bool executable) {
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
    put(257, std::string_view{"ustar\00000", 8});
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    tar += block;
}

void append_content(std::string& tar, std::string_view content) {
    tar += content;
    tar.append((tar_block_bytes - content.size() % tar_block_bytes) % tar_block_bytes, '\0');
}

// The record's length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (fmt::formatted_size("{}", length) + rest != length) ++length;
    return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

Result<std::string> pack_tar(std::vector<SourceFile> files) {
    std::ranges::sort(files, {}, &SourceFile::path);
    std::set<std::string> keys;
    std::string tar;
    for (const SourceFile& file : files) {
        const auto clean = clean_path(file.path);
        if (!clean) return Error{Fault::invalid, fmt::format("'{}': {}", escaped(file.path), sentence(clean.error()))};
        if (*clean != file.path) return Error{Fault::invalid, fmt::format("'{}' is not a clean path", escaped(file.path))};
        if (!keys.insert(collision_key(file.path)).second) {
            return Error{Fault::invalid, fmt::format("'{}' is there twice, or once more in another case", escaped(file.path))};
        }
        const bool ascii = is_ascii(file.path);
        if (!ascii || file.path.size() > name_field) {
            const std::string record = pax_record("path", file.path);
            append_header(tar, "pax", 'x', record.size(), false);
            append_content(tar, record);
        }
        append_header(tar, ascii ? file.path.substr(0, name_field) : "long", '0', file.content.size(), file.executable);
        append_content(tar, file.content);
    }
    tar.append(2 * tar_block_bytes, '\0');
    return tar;
}

}  // namespace assay::archive
