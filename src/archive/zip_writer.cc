#include "archive/zip_writer.hh"

#include "archive/seal.hh"
#include "archive/zip_directory.hh"

namespace assay::archive {
namespace {

constexpr unsigned version_made = 3 << 8 | 20;  // Unix
constexpr unsigned version_needed = 20;
constexpr unsigned utf8_flag = 0x0800;
constexpr std::uint32_t first_day = 0x0021'0000;  // 1980-01-01 00:00:00
constexpr std::uint32_t dos_directory = 0x10;

std::uint32_t mode_of(const Entry& entry) {
    switch (entry.kind) {
        case Entry::Kind::directory: return 040755;
        case Entry::Kind::symlink: return 0120777;
        case Entry::Kind::regular: break;
    }
    return entry.executable ? 0100755 : 0100644;
}

}  // namespace

Result<> ZipWriter::add(const Entry& entry, std::string_view content) {
    const bool directory = entry.kind == Entry::Kind::directory;
    const std::string name = directory ? entry.path + '/' : entry.path;
    if (entry.kind == Entry::Kind::symlink) content = entry.target;
    ASSAY_TRY(const std::string compressed, deflated(content));
    const bool smaller = compressed.size() < content.size();
    const std::string_view data = smaller ? std::string_view{compressed} : content;
    if (++entries_ > entries_max || offset_ + static_cast<std::int64_t>(data.size() + directory_.size()) + (1 << 20) > bytes_max) {
        return Error{Fault::too_large, "too much for a zip: pack a tar"};
    }

    const std::size_t extra_bytes = 4 + zip_seal_bytes;
    const std::string common = in_little_endian(version_needed, 2) + in_little_endian(utf8_flag, 2) + in_little_endian(smaller ? 8 : 0, 2) +
                               in_little_endian(first_day, 4) + in_little_endian(crc32_of(content), 4) + in_little_endian(data.size(), 4) +
                               in_little_endian(content.size(), 4) + in_little_endian(name.size(), 2) + in_little_endian(extra_bytes, 2);
    const std::uint32_t attributes = mode_of(entry) << 16 | (directory ? dos_directory : 0);
    const std::string record = std::string{zip_record_magic} + in_little_endian(version_made, 2) + common + std::string(6, '\0') +
                               in_little_endian(attributes, 4) + in_little_endian(static_cast<std::uint64_t>(offset_), 4) + name;
    const std::string seal = in_little_endian(zip_seal_tag, 2) + in_little_endian(zip_seal_bytes, 2) + in_little_endian(crc32_of(record), 4) +
                             in_little_endian(crc32_of(data), 4);
    directory_ += record + seal;
    const std::string local = std::string{zip_local_magic} + common + name + seal;
    ASSAY_CHECK(out_(bytes_of(local)));
    ASSAY_CHECK(out_(bytes_of(data)));
    offset_ += static_cast<std::int64_t>(local.size() + data.size());
    return ok;
}

Result<> ZipWriter::finish() {
    ASSAY_CHECK(out_(bytes_of(directory_)));
    const std::string end = std::string{zip_end_magic} + std::string(4, '\0') + in_little_endian(entries_, 2) + in_little_endian(entries_, 2) +
                            in_little_endian(directory_.size(), 4) + in_little_endian(static_cast<std::uint64_t>(offset_), 4) + std::string(2, '\0');
    return out_(bytes_of(end));
}

}  // namespace assay::archive
