// For tests: tars written field by field, so that each can be wrong in exactly one way, and the compressions.
#pragma once

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace assay::archive {

struct TarBuilder {
    std::string bytes;

    static std::string checksummed(std::string block) {
        block.replace(148, 8, "        ");
        unsigned sum = 0;
        for (const char c : block) sum += static_cast<unsigned char>(c);
        return block.replace(148, 8, fmt::format("{:06o}", sum) + std::string{"\0 ", 2});
    }
    static std::string header(std::string_view name, char type, std::size_t size, std::string_view target = "", int mode = 0644) {
        std::string block(512, '\0');
        const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
        put(0, name.substr(0, 100));
        put(100, fmt::format("{:07o}", mode));
        put(124, fmt::format("{:011o}", size));
        put(136, "00000000000");
        block[156] = type;
        put(157, target.substr(0, 100));
        put(257, std::string_view{"ustar\00000", 8});
        return checksummed(block);
    }
    TarBuilder& raw(std::string_view more) {
        bytes += more;
        return *this;
    }
    TarBuilder& content(std::string_view text) {
        bytes += text;
        bytes.append((512 - text.size() % 512) % 512, '\0');
        return *this;
    }
    TarBuilder& member(std::string_view name, char type, std::string_view text, std::string_view target = "", int mode = 0644) {
        return raw(header(name, type, text.size(), target, mode)).content(text);
    }
    TarBuilder& file(std::string_view name, std::string_view text = "x", int mode = 0644) { return member(name, '0', text, "", mode); }
    TarBuilder& dir(std::string_view name) { return member(name, '5', "", "", 0755); }
    TarBuilder& link(std::string_view name, std::string_view target) { return member(name, '2', "", target); }
    TarBuilder& hardlink(std::string_view name, std::string_view target) { return member(name, '1', "", target); }
    TarBuilder& pax(std::string_view key, std::string_view value, char type = 'x') {
        std::size_t length = key.size() + value.size() + 4;
        while (fmt::format("{} {}={}\n", length, key, value).size() != length) ++length;
        return member("pax", type, fmt::format("{} {}={}\n", length, key, value));
    }
    std::string done() const { return bytes + std::string(1024, '\0'); }
};

inline std::string gzip(std::string_view data, int level = 6) {
    z_stream z{};
    deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
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

inline std::string bzip2(std::string_view data) {
    std::string out(data.size() + data.size() / 50 + 1024, '\0');
    auto size = static_cast<unsigned>(out.size());
    BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(data.data()), static_cast<unsigned>(data.size()), 9, 0, 0);
    out.resize(size);
    return out;
}

inline std::string xz(std::string_view data, lzma_check check = LZMA_CHECK_CRC64, unsigned preset = 6) {
    std::string out(lzma_stream_buffer_bound(data.size()), '\0');
    std::size_t size = 0;
    lzma_easy_buffer_encode(preset, check, nullptr, reinterpret_cast<const std::uint8_t*>(data.data()), data.size(),
                            reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
    out.resize(size);
    return out;
}

inline std::string zstd(std::string_view data, bool checksum = true, int window_bits = 0) {
    std::string out(ZSTD_compressBound(data.size()), '\0');
    ZSTD_CCtx* const packer = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, checksum);
    if (window_bits > 0) {
        ZSTD_CCtx_setParameter(packer, ZSTD_c_windowLog, window_bits);
        ZSTD_CCtx_setParameter(packer, ZSTD_c_contentSizeFlag, 0);
    }
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    if (window_bits > 0) ZSTD_compressStream2(packer, &to, &in, ZSTD_e_continue);  // Else it fits the window to the content.
    ZSTD_compressStream2(packer, &to, &in, ZSTD_e_end);
    ZSTD_freeCCtx(packer);
    out.resize(to.pos);
    return out;
}

}  // namespace assay::archive
