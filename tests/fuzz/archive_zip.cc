// A zip put together from the input's parts, right but for what the input says to bend: names, methods, sizes, flags, extra fields,
// offsets and what lies between. Checksums are true unless they are bent, so what follows them is reached.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/archive.hh"
#include "archive/zip_builder.hh"
#include "base/assert.hh"
#include "sys/file.hh"

namespace assay {
namespace {

using archive::ZipBuilder;

constexpr std::size_t entries_max = 40;

// The input, taken from the front; zeros and nothing once it is used up.
class Parts {
public:
    explicit Parts(std::string_view bytes) : left_{bytes} {}
    bool done() const { return left_.empty(); }
    unsigned byte() {
        if (left_.empty()) return 0;
        const auto value = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        return value;
    }
    std::uint32_t word() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) value = value << 8 | byte();
        return value;
    }
    std::string text() {
        const std::size_t size = std::min<std::size_t>(byte(), left_.size());
        std::string taken{left_.substr(0, size)};
        left_.remove_prefix(size);
        return taken;
    }

private:
    std::string_view left_;
};

void bend(ZipBuilder::Entry& entry, Parts& parts) {
    ZipBuilder::Header& header = parts.byte() % 2 == 0 ? entry.local : entry.central;
    switch (parts.byte() % 12) {
        case 0: header.name = parts.text(); break;
        case 1: header.flags = parts.word() & 0xffff; break;
        case 2: header.method = parts.byte(); break;
        case 3: header.checksum = parts.word(); break;
        case 4: header.compressed = parts.word(); break;
        case 5: header.size = parts.word(); break;
        case 6: header.extra = parts.text(); break;
        case 7: entry.attributes = parts.word(); break;
        case 8: entry.before = parts.text(); break;
        case 9: entry.moved = static_cast<std::int32_t>(parts.word()); break;
        case 10: entry.data = parts.text(); break;
        case 11: entry.local.extra = entry.central.extra = parts.text(); break;
    }
}

std::string zip_of(std::string_view input) {
    Parts parts{input};
    ZipBuilder zip;
    while (!parts.done() && zip.entries.size() < entries_max) {
        const unsigned kind = parts.byte();
        const std::string name = parts.text();
        const std::string content = parts.text();
        if (kind % 8 == 7) zip.described(name, content, parts.byte() % 2 == 0 ? 4 : 8, parts.byte() % 2 == 0);
        else if (kind % 8 == 6) zip.link(name, content);
        else if (kind % 8 == 5) zip.dir(name);
        else zip.add(name, content, 0100644, kind % 2 == 0 ? 8 : 0);
        for (unsigned bent = parts.byte() % 4; bent > 1; --bent) bend(zip.entries.back(), parts);
    }
    if (input.size() % 16 == 0) zip.comment = parts.text();
    return zip.done();
}

}  // namespace

void fuzz(std::string_view input) {
    model::UploadRules rules;
    rules.unpacked_max = 1 << 20;
    rules.entries_max = 30;
    if (input.size() % 2 == 0) rules.names = model::NameEncoding::gb18030;
    const std::string zip = zip_of(input);
    const auto file = sys::memory_file("archive", bytes_of(zip), false);
    ASSAY_ASSERT(file);
    const auto verdict = archive::verify(*file, rules);
    ASSAY_ASSERT(verdict);
    ASSAY_ASSERT(verdict->manifest.has_value() != verdict->refused.has_value());
    if (!verdict->manifest) return;
    ASSAY_ASSERT(verdict->manifest->entries <= rules.entries_max);
    ASSAY_ASSERT(verdict->manifest->unpacked_bytes <= rules.unpacked_max);
    for (const archive::Entry& entry : verdict->manifest->listing) {
        ASSAY_ASSERT(!entry.path.empty() && entry.path.front() != '/' && valid_utf8(entry.path));
        for (const std::string_view component : split(entry.path, '/')) {
            ASSAY_ASSERT(!component.empty() && component != "." && component != "..");
        }
    }
}

}  // namespace assay
