#include "archive/zip_directory.hh"

#include <algorithm>
#include <utility>

#include "archive/seal.hh"
#include "archive/tree.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

constexpr std::size_t record_bytes = 46;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t comment_bytes_max = 0xFFFF;
constexpr std::uint64_t size_limit = 1ULL << 53;
constexpr std::string_view large_end_magic{"PK\x06\x06", 4};
constexpr std::string_view locator_magic{"PK\x06\x07", 4};
constexpr std::size_t large_end_bytes = 56;
constexpr std::size_t locator_bytes = 20;
constexpr unsigned made_on_unix = 3, made_on_darwin = 19;

Refused broken(std::int64_t offset) { return damaged(offset, ArchiveFault::header_broken, "zip"); }

unsigned number16(std::string_view bytes, std::size_t at) { return static_cast<unsigned>(little_endian(bytes.substr(at, 2))); }
std::uint32_t number32(std::string_view bytes, std::size_t at) { return static_cast<std::uint32_t>(little_endian(bytes.substr(at, 4))); }

// Version, checksum of the name it stands for, the name. Beside a name that is UTF-8 by its flag it can only say the same or mislead.
bool read_unicode_path(std::string_view value, ZipHeader& header) {
    constexpr std::size_t path_at = 5;
    if (value.size() < path_at || value.front() != 1 || number32(value, 1) != crc32_of(header.name)) return false;
    const std::string_view path = value.substr(path_at);
    if (path == header.name) return true;
    constexpr unsigned name_is_utf8 = 0x0800;
    if ((header.flags & name_is_utf8) != 0 || !header.unicode_name.empty() || !valid_utf8(path)) return false;
    header.unicode_name = path;
    return true;
}

// A sequence of tag, length, value; what is too short to be one fills up, as packers do that align. False: it is none, or says
// what we cannot follow.
bool read_extra(std::string_view extra, ZipHeader& header, std::span<std::int64_t* const> sizes) {
    constexpr unsigned zip64 = 0x0001, unicode_path = 0x7075;
    bool large_read = false;
    while (extra.size() >= 4) {
        if (extra.size() - 4 < number16(extra, 2)) return false;
        const unsigned tag = number16(extra, 0);
        std::string_view value = extra.substr(4, number16(extra, 2));
        extra.remove_prefix(4 + value.size());
        if (tag == unicode_path && !read_unicode_path(value, header)) return false;
        if (tag == zip_seal_tag) {
            if (value.size() != zip_seal_bytes || header.seal) return false;
            header.seal = value;
        }
        if (tag != zip64) continue;
        if (std::exchange(large_read, true)) return false;
        for (std::int64_t* const size : sizes) {
            if (*size != zip_elsewhere) continue;
            if (value.size() < 8 || little_endian(value.substr(0, 8)) > size_limit) return false;
            *size = static_cast<std::int64_t>(little_endian(value.substr(0, 8)));
            value.remove_prefix(8);
        }
        if (value.size() >= 4) header.large_disk = number32(value, 0);
    }
    return true;
}

struct End {
    std::int64_t at = 0;
    std::string fixed;
};

// Behind the last byte that is not zero: packers that write in blocks fill the last one with zeros.
Step<std::int64_t> end_without_zeros(const Input& input, std::int64_t size) {
    std::string block(std::min(static_cast<std::size_t>(size), buffer_bytes), '\0');
    for (std::int64_t end = size; end > 0;) {
        const std::int64_t from = std::max<std::int64_t>(0, end - static_cast<std::int64_t>(block.size()));
        const std::string_view part = std::string_view{block}.substr(0, static_cast<std::size_t>(end - from));
        ASSAY_TRY(const std::size_t count, input.read_at(std::as_writable_bytes(std::span{block}.first(part.size())), from));
        if (count < part.size()) return damaged(from, ArchiveFault::data_cut, "zip");
        const std::size_t last = part.find_last_not_of('\0');
        if (last != part.npos) return from + static_cast<std::int64_t>(last) + 1;
        end = from;
    }
    return std::int64_t{0};
}

// The last one there is, with a comment behind which nothing but zeros follows.
Step<End> find_end(const Input& input) {
    ASSAY_TRY(const std::int64_t size, input.size());
    ASSAY_TRY(const std::int64_t content_end, end_without_zeros(input, size));
    // All of the end record but its mark may be zeros as well.
    const std::int64_t tail_end = std::min(size, content_end + static_cast<std::int64_t>(end_bytes - zip_end_magic.size()));
    std::string tail(std::min(static_cast<std::size_t>(tail_end), 2 * end_bytes + comment_bytes_max), '\0');
    const std::int64_t tail_at = tail_end - static_cast<std::int64_t>(tail.size());
    ASSAY_TRY(const std::size_t count, input.read_at(std::as_writable_bytes(std::span{tail}), tail_at));
    const std::size_t at = count == tail.size() && tail.size() >= end_bytes ? tail.rfind(zip_end_magic, tail.size() - end_bytes) : tail.npos;
    if (at == tail.npos) return damaged(size, ArchiveFault::data_cut, "zip");
    End end{.at = tail_at + static_cast<std::int64_t>(at), .fixed = tail.substr(at, end_bytes)};
    const std::int64_t comment_end = end.at + static_cast<std::int64_t>(end_bytes) + number16(end.fixed, 20);
    if (size < comment_end) return damaged(size, ArchiveFault::data_cut, "zip");
    if (content_end > comment_end) return damaged(comment_end, ArchiveFault::trailing, "zip");
    return end;
}

// Where the directory lies, by the end record or by the larger one before it.
struct Extent {
    std::uint64_t count = 0;
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
    std::int64_t end = 0;  // what follows the directory
};

// A value of the end record, or all ones where only the larger record has room for it.
bool agrees(std::uint64_t narrow, std::uint64_t ones, std::uint64_t wide) { return narrow == wide || narrow == ones; }

// The larger end record (zip64) and its locator, which stand before the end record, each where the other ends.
Step<Extent> large_extent(const Input& input, const End& end) {
    const std::int64_t locator_at = end.at - static_cast<std::int64_t>(locator_bytes);
    if (locator_at < 0) return broken(end.at);
    std::string locator(locator_bytes, '\0');
    ASSAY_TRY(const std::size_t located, input.read_at(std::as_writable_bytes(std::span{locator}), locator_at));
    if (located < locator_bytes || !locator.starts_with(locator_magic) || number32(locator, 4) != 0 || number32(locator, 16) > 1) return broken(end.at);
    const std::uint64_t at = little_endian(std::string_view{locator}.substr(8, 8));
    if (at > static_cast<std::uint64_t>(locator_at)) return broken(locator_at);
    std::string fixed(large_end_bytes, '\0');
    ASSAY_TRY(const std::size_t count, input.read_at(std::as_writable_bytes(std::span{fixed}), static_cast<std::int64_t>(at)));
    const auto number64 = [&](std::size_t from) { return little_endian(std::string_view{fixed}.substr(from, 8)); };
    // Its own length does not count its magic and itself; what may follow the fixed part is for encryption.
    if (count < large_end_bytes || !fixed.starts_with(large_end_magic) || at + large_end_bytes != static_cast<std::uint64_t>(locator_at) ||
        number64(4) != large_end_bytes - 12 || number32(fixed, 16) != 0 || number32(fixed, 20) != 0 || number64(24) != number64(32)) {
        return broken(locator_at);
    }
    const Extent extent{.count = number64(32), .size = number64(40), .offset = number64(48), .end = static_cast<std::int64_t>(at)};
    const bool same = agrees(number16(end.fixed, 10), 0xFFFF, extent.count) && agrees(number32(end.fixed, 12), zip_elsewhere, extent.size) &&
                      agrees(number32(end.fixed, 16), zip_elsewhere, extent.offset);
    return same ? Step<Extent>{extent} : broken(end.at);
}

Step<Extent> extent_of(const Input& input, const End& end) {
    Extent extent{.count = number16(end.fixed, 10), .size = number32(end.fixed, 12), .offset = number32(end.fixed, 16), .end = end.at};
    // Numbers of this disk, of the directory's disk, of entries on this one: a zip in several files is none of ours.
    const bool one_disk = agrees(number16(end.fixed, 4), 0xFFFF, 0) && agrees(number16(end.fixed, 6), 0xFFFF, 0);
    if (!one_disk || number16(end.fixed, 8) != extent.count) return broken(end.at);
    if (extent.offset + extent.size == static_cast<std::uint64_t>(end.at)) return extent;
    ASSAY_TRY(extent, large_extent(input, end));
    if (extent.offset > size_limit || extent.size > size_limit || extent.offset + extent.size != static_cast<std::uint64_t>(extent.end)) return broken(end.at);
    return extent;
}

Step<ZipRecord> take_record(Input& directory) {
    const std::int64_t at = directory.offset();
    ASSAY_TRY(const std::string fixed, take_bytes(directory, record_bytes));
    if (!fixed.starts_with(zip_record_magic)) return broken(at);
    ZipRecord record;
    const unsigned host = number16(fixed, 4) >> 8;
    record.unix_made = host == made_on_unix || host == made_on_darwin;
    record.attributes = number32(fixed, 38);
    record.offset = number32(fixed, 42);
    std::int64_t* const large[] = {&record.offset};
    ASSAY_TRY(const bool sound, take_zip_header(directory, std::string_view{fixed}.substr(6), record, large));
    ASSAY_CHECK(take_bytes(directory, number16(fixed, 32)));  // comment
    const unsigned disk = number16(fixed, 34);
    if (!sound || (disk != 0 && (disk != 0xFFFF || record.large_disk != 0u))) return broken(at);
    if (record.seal && little_endian(record.seal->substr(0, 4)) != crc32_of(record.name, crc32_of(fixed))) {
        return damaged(at, ArchiveFault::checksum_wrong, "zip");
    }
    return record;
}

}  // namespace

Step<std::string> take_bytes(Input& input, std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
        ASSAY_TRY(const ByteView ready, input.peek());
        if (ready.empty()) return damaged(input.offset(), ArchiveFault::data_cut, "zip");
        const std::string_view part = text_of(ready).substr(0, size - bytes.size());
        bytes += part;
        input.consume(part.size());
    }
    return bytes;
}

Step<bool> take_zip_header(Input& input, std::string_view fixed, ZipHeader& header, std::span<std::int64_t* const> large) {
    header.version = number16(fixed, 0);
    header.flags = number16(fixed, 2);
    header.method = number16(fixed, 4);
    header.time = number32(fixed, 6);
    header.checksum = number32(fixed, 10);
    header.compressed = number32(fixed, 14);
    header.size = number32(fixed, 18);
    ASSAY_TRY(header.name, take_bytes(input, number16(fixed, 22)));
    ASSAY_TRY(const std::string extra, take_bytes(input, number16(fixed, 24)));
    std::vector<std::int64_t*> sizes{&header.size, &header.compressed};
    sizes.insert(sizes.end(), large.begin(), large.end());
    return read_extra(extra, header, sizes);
}

Step<ZipDirectory> read_zip_directory(const Input& input) {
    ASSAY_TRY(const End end, find_end(input));
    ASSAY_TRY(const Extent extent, extent_of(input, end));
    if (extent.count > zip_records_max) {
        return Refused{.fault = ArchiveFault::zip_large, .offset = end.at, .limit = zip_records_max,
                       .value = static_cast<std::int64_t>(std::min(extent.count, size_limit))};
    }
    ZipDirectory directory{.records = {}, .offset = static_cast<std::int64_t>(extent.offset)};

    Input records{input, directory.offset};
    std::int64_t names_bytes = 0;
    for (std::uint64_t i = 0; i < extent.count; ++i) {
        ASSAY_TRY(ZipRecord record, take_record(records));
        names_bytes += static_cast<std::int64_t>(record.name.size());
        if (names_bytes > names_bytes_max) {
            return Refused{.fault = ArchiveFault::names_too_large, .offset = records.offset(), .limit = names_bytes_max, .value = names_bytes};
        }
        directory.records.push_back(std::move(record));
    }
    if (records.offset() != extent.end) return broken(records.offset());
    std::ranges::sort(directory.records, {}, &ZipRecord::offset);
    return directory;
}

}  // namespace assay::archive
