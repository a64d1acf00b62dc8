// An archive of any bytes: verified within its bounds, or refused with a reason. The mutator changes what is inside a
// compression and writes tar checksums anew, since almost no change gets past a checksum by luck.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "archive/archive.hh"
#include "archive/tar_builder.hh"
#include "base/assert.hh"
#include "sys/file.hh"

// libFuzzer's; absent when seeds are replayed.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace assay {
namespace {

using archive::Format;

model::UploadRules small_rules() {
    model::UploadRules rules;
    rules.unpacked_max = 1 << 20;
    rules.entries_max = 100;
    return rules;
}

void check_manifest(const archive::Manifest& manifest, const model::UploadRules& rules) {
    ASSAY_ASSERT(manifest.entries <= rules.entries_max);
    ASSAY_ASSERT(manifest.unpacked_bytes <= rules.unpacked_max);
    std::int64_t bytes = 0;
    for (const archive::Entry& entry : manifest.listing) {
        ASSAY_ASSERT(!entry.path.empty() && entry.path.size() <= archive::path_bytes_max);
        ASSAY_ASSERT(valid_utf8(entry.path));
        for (const std::string_view component : split(entry.path, '/')) {
            ASSAY_ASSERT(!component.empty() && component != "." && component != "..");
            ASSAY_ASSERT(component.size() <= archive::component_bytes_max);
        }
        ASSAY_ASSERT(entry.size >= 0);
        bytes += entry.size;
    }
    ASSAY_ASSERT(bytes == manifest.unpacked_bytes);
}

constexpr std::size_t block_bytes = 512;
constexpr std::size_t plain_bytes_max = 64 << 10;

// What one member or stream decodes to, cut at plain_bytes_max; empty when it does not.
std::string gunzipped(std::string_view bytes) {
    std::string out(plain_bytes_max, '\0');
    z_stream z{};
    if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK) return {};
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    inflate(&z, Z_SYNC_FLUSH);
    out.resize(z.total_out);
    inflateEnd(&z);
    return out;
}

std::string bunzipped(std::string_view bytes) {
    std::string out(plain_bytes_max, '\0');
    auto size = static_cast<unsigned>(out.size());
    const int result = BZ2_bzBuffToBuffDecompress(out.data(), &size, const_cast<char*>(bytes.data()),
                                                  static_cast<unsigned>(bytes.size()), 0, 0);
    out.resize(result == BZ_OK ? size : 0);
    return out;
}

// Checksums of all headers as far as the members' sizes lead to them.
void write_checksums(std::string& tar) {
    for (std::size_t at = 0; at + block_bytes <= tar.size();) {
        const std::string block = tar.substr(at, block_bytes);
        at += block_bytes;
        if (block.find_first_not_of('\0') == block.npos) continue;
        tar.replace(at - block_bytes, block_bytes, archive::TarBuilder::checksummed(block));
        const std::size_t size = std::strtoul(block.substr(124, 12).c_str(), nullptr, 8);
        if (size > tar.size()) return;
        at += (size + block_bytes - 1) / block_bytes * block_bytes;
    }
}

std::string mutated_inside(std::string_view input) {
    const Format format = archive::recognise(bytes_of(input.substr(0, archive::recognise_bytes)));
    std::string tar;
    if (format == Format::tar) tar = input.substr(0, plain_bytes_max);
    if (format == Format::tar_gz) tar = gunzipped(input);
    if (format == Format::tar_bz2) tar = bunzipped(input);
    if (tar.empty()) return {};

    const std::size_t size = tar.size();
    tar.resize(plain_bytes_max);
    tar.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(tar.data()), size, tar.size()));
    write_checksums(tar);
    if (format == Format::tar_gz) return archive::gzip(tar, 1);
    if (format == Format::tar_bz2) return archive::bzip2(tar);
    return tar;
}

}  // namespace

void fuzz(std::string_view input) {
    static const model::UploadRules rules = small_rules();
    const auto file = sys::memory_file("archive", bytes_of(input), false);
    ASSAY_ASSERT(file);
    const auto verdict = archive::verify(*file, rules);
    ASSAY_ASSERT(verdict);  // Nothing stood in the way of reading it.
    ASSAY_ASSERT(verdict->manifest.has_value() != verdict->refused.has_value());
    if (verdict->manifest) check_manifest(*verdict->manifest, rules);
}

}  // namespace assay

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) {
    if (seed % 4 != 0) {
        const std::string inside = assay::mutated_inside({reinterpret_cast<const char*>(data), size});
        if (!inside.empty() && inside.size() <= size_max) {
            return inside.copy(reinterpret_cast<char*>(data), inside.size());
        }
    }
    return LLVMFuzzerMutate(data, size, size_max);
}
