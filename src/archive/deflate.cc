#include "archive/deflate.hh"

#include <libdeflate.h>

#include "base/assert.hh"

namespace assay::archive {

void Deflater::Free::operator()(libdeflate_compressor* it) const { ::libdeflate_free_compressor(it); }
void Inflater::Free::operator()(libdeflate_decompressor* it) const { ::libdeflate_free_decompressor(it); }

Deflater::Deflater() : compressor_{::libdeflate_alloc_compressor(level)} { ASSAY_ASSERT(compressor_ != nullptr); }

void Deflater::append(std::string& out, std::string_view piece) {
    const std::size_t before = out.size();
    const std::size_t room = ::libdeflate_deflate_compress_bound(compressor_.get(), piece.size());
    // Most of the room stays untouched, and so is no memory.
    out.resize_and_overwrite(before + room, [&](char* bytes, std::size_t) {
        const std::size_t size = ::libdeflate_deflate_compress(compressor_.get(), piece.data(), piece.size(), bytes + before, room);
        ASSAY_ASSERT(size > 0);  // It has the room that it asked for.
        return before + size;
    });
}

Inflater::Inflater() : decompressor_{::libdeflate_alloc_decompressor()} { ASSAY_ASSERT(decompressor_ != nullptr); }

bool Inflater::inflate(ByteView deflated, std::span<std::byte> out) {
    std::size_t read = 0;
    std::size_t written = 0;
    const auto result = ::libdeflate_deflate_decompress_ex(decompressor_.get(), deflated.data(), deflated.size(),
                                                           out.data(), out.size(), &read, &written);
    return result == LIBDEFLATE_SUCCESS && read == deflated.size() && written == out.size();
}

}  // namespace assay::archive
