#include <algorithm>
#include <utility>

#include "archive/archive.hh"
#include "archive/tar.hh"

namespace assay::archive {

std::string_view to_string(Format format) {
    switch (format) {
        case Format::tar: return "tar";
        case Format::tar_gz: return "tar.gz";
        case Format::tar_bz2: return "tar.bz2";
        case Format::tar_xz: return "tar.xz";
        case Format::tar_zst: return "tar.zst";
        case Format::zip: return "zip";
        case Format::seven_zip: return "7z";
        case Format::rar: return "rar";
        case Format::unknown: return "unknown";
    }
    return "unknown";
}

Format recognise(ByteView head) {
    using namespace std::string_view_literals;
    static constexpr std::pair<std::string_view, Format> magics[] = {
        {"\x1F\x8B"sv, Format::tar_gz},          {"BZh"sv, Format::tar_bz2},
        {"\xFD"sv "7zXZ\0"sv, Format::tar_xz},   {"\x28\xB5\x2F\xFD"sv, Format::tar_zst},
        {"PK\x03\x04"sv, Format::zip},           {"PK\x05\x06"sv, Format::zip},
        {"7z\xBC\xAF\x27\x1C"sv, Format::seven_zip}, {"Rar!\x1A\x07"sv, Format::rar},
    };
    const std::string_view text = text_of(head);
    // A tar has its mark further in, so that its first name could imitate any of the others.
    if (text.size() >= 262 && text.substr(257, 5) == "ustar") return Format::tar;
    if (text.size() >= tar_block_bytes && tar_checksum_holds(head.first(tar_block_bytes))) return Format::tar;
    // A tar of nothing has only its end blocks.
    if (text.size() >= tar_block_bytes && text.find_first_not_of('\0') == std::string_view::npos) return Format::tar;
    for (const auto& [magic, format] : magics) {
        if (text.starts_with(magic)) return format;
    }
    return Format::unknown;
}

}  // namespace assay::archive
