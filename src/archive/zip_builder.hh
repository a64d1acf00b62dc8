// For tests: zips written field by field, so that each can be wrong in exactly one way.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::archive {

struct ZipBuilder {
    // Everything both headers hold, and what only one of them does. Change a field after `add` to make the zip wrong.
    struct Header {
        std::string name;
        unsigned flags = 0, method = 0;
        std::uint32_t time = 0;
        std::uint32_t checksum = 0, compressed = 0, size = 0;
        std::string extra;
    };
    struct Entry {
        Header local, central;
        std::uint32_t attributes = 0;
        unsigned disk = 0;
        std::string data, descriptor;
        std::string before;  // bytes in front of the local header
        std::int64_t moved = 0;  // added to the offset in the directory
    };
    std::vector<Entry> entries;
    std::string comment;
    std::string before_end;  // bytes between directory and end record
    unsigned count_more = 0;

    static std::string number(std::uint64_t value, std::size_t bytes) {
        std::string text;
        for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
        return text;
    }
    static std::string deflated(std::string_view data) {
        z_stream z{};
        deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        std::string out(deflateBound(&z, data.size()) + 64, '\0');
        z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
        z.avail_in = static_cast<uInt>(data.size());
        z.next_out = reinterpret_cast<Bytef*>(out.data());
        z.avail_out = static_cast<uInt>(out.size());
        deflate(&z, Z_FINISH);
        out.resize(z.total_out);
        deflateEnd(&z);
        return out;
    }
    static std::uint32_t checksum(std::string_view data) {
        return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
    }

    Entry& add(std::string_view name, std::string_view content, std::uint32_t mode = 0100644, unsigned method = 8) {
        Entry entry;
        entry.data = method == 8 ? deflated(content) : std::string{content};
        entry.local.name = name;
        for (const char c : name) entry.local.flags |= static_cast<unsigned char>(c) >= 0x80 ? 0x800u : 0u;
        entry.local.method = method;
        entry.local.checksum = checksum(content);
        entry.local.compressed = static_cast<std::uint32_t>(entry.data.size());
        entry.local.size = static_cast<std::uint32_t>(content.size());
        entry.central = entry.local;
        entry.attributes = mode << 16;
        return entries.emplace_back(std::move(entry));
    }
    ZipBuilder& file(std::string_view name, std::string_view content = "x", std::uint32_t mode = 0100644) {
        add(name, content, mode);
        return *this;
    }
    ZipBuilder& dir(std::string_view name) {
        add(name, "", 040755, 0);
        return *this;
    }
    ZipBuilder& link(std::string_view name, std::string_view target) {
        add(name, target, 0120777, 0);
        return *this;
    }
    // As a packer writes that cannot go back: `width` bytes for each size, with the mark or without.
    ZipBuilder& described(std::string_view name, std::string_view content, std::size_t width = 4, bool marked = true, unsigned method = 8) {
        Entry& entry = add(name, content, 0100644, method);
        entry.descriptor = (marked ? "PK\x07\x08" : "") + number(entry.local.checksum, 4) + number(entry.local.compressed, width) + number(entry.local.size, width);
        entry.local.flags |= 8;
        entry.central.flags |= 8;
        entry.local.checksum = entry.local.compressed = entry.local.size = 0;
        return *this;
    }

    static std::string header(const Header& of) {
        return number(20, 2) + number(of.flags, 2) + number(of.method, 2) + number(of.time, 4) + number(of.checksum, 4) + number(of.compressed, 4) +
               number(of.size, 4) + number(of.name.size(), 2) + number(of.extra.size(), 2);
    }
    std::string done() const {
        std::string bytes, directory;
        for (const Entry& entry : entries) {
            bytes += entry.before;
            const std::int64_t offset = static_cast<std::int64_t>(bytes.size()) + entry.moved;
            bytes += "PK\x03\x04" + header(entry.local) + entry.local.name + entry.local.extra + entry.data + entry.descriptor;
            directory += "PK\x01\x02" + number(0x0314, 2) + header(entry.central) + number(0, 2) + number(entry.disk, 2) + number(0, 2) +
                         number(entry.attributes, 4) + number(static_cast<std::uint64_t>(offset), 4) + entry.central.name + entry.central.extra;
        }
        const std::size_t count = entries.size() + count_more;
        return bytes + directory + before_end + "PK\x05\x06" + number(0, 4) + number(count, 2) + number(count, 2) + number(directory.size(), 4) +
               number(bytes.size(), 4) + number(comment.size(), 2) + comment;
    }
};

// A sound zip with one thing changed.
template <class Change>
std::string changed_zip(Change change) {
    ZipBuilder zip;
    zip.file("a", "first").file("b", std::string(300, 'b')).file("c", "third");
    change(zip);
    return zip.done();
}

// The extra field with a name in UTF-8 beside `name`, which is in another encoding.
inline std::string unicode_path(std::string_view name, std::string_view utf8) {
    return ZipBuilder::number(0x7075, 2) + ZipBuilder::number(5 + utf8.size(), 2) + "\x01" +
           ZipBuilder::number(ZipBuilder::checksum(name), 4) + std::string{utf8};
}

}  // namespace assay::archive
