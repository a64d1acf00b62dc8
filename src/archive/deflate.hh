// Deflate of whole pieces, by libdeflate: twice as fast as zlib where a piece and its form lie in memory. Internal to archive.
//
// Threading: an object belongs to one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/text.hh"

struct libdeflate_compressor;
struct libdeflate_decompressor;

namespace assay::archive {

class Deflater {
public:
    // As small as gzip -6 makes it, give or take a hundredth.
    static constexpr int level = 6;

    Deflater();
    // Appends raw deflate (RFC 1951) of `piece` to `out`. The same piece gives the same bytes, by one version of the library.
    void append(std::string& out, std::string_view piece);

private:
    struct Free {
        void operator()(libdeflate_compressor*) const;
    };
    std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

class Inflater {
public:
    Inflater();
    // Whether exactly `out.size()` bytes come out of exactly all of `deflated`. What `out` holds otherwise is anything.
    bool inflate(ByteView deflated, std::span<std::byte> out);

private:
    struct Free {
        void operator()(libdeflate_decompressor*) const;
    };
    std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
};

}  // namespace assay::archive
