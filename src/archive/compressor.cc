#include "archive/compressor.hh"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <utility>

#include "archive/seal.hh"
#include "archive/source.hh"
#include "base/assert.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

class Plain final : public Compressor {
public:
    explicit Plain(const sys::Fd& out) : out_{out} {}
    Result<> add(ByteView bytes) override { return sys::write_all(out_, bytes); }
    Result<> finish() override { return ok; }

private:
    const sys::Fd& out_;
};

// One piece after the other, each compressed by itself.
class InPieces : public Compressor {
public:
    Result<> add(ByteView bytes) override {
        while (!bytes.empty()) {
            const std::size_t count = std::min(bytes.size(), piece_max_ - piece_.size());
            piece_ += text_of(bytes.first(count));
            bytes = bytes.subspan(count);
            if (piece_.size() == piece_max_) ASSAY_CHECK(flush());
        }
        return ok;
    }
    Result<> finish() override { return piece_.empty() ? Result<>{ok} : flush(); }

protected:
    InPieces(const sys::Fd& out, std::size_t piece_max) : out_{out}, piece_max_{piece_max} {}
    virtual std::string compressed(std::string_view piece) = 0;

private:
    Result<> flush() {
        ASSAY_CHECK(sys::write_all(out_, std::string_view{compressed(piece_)}));
        piece_.clear();
        return ok;
    }

    const sys::Fd& out_;
    std::size_t piece_max_;
    std::string piece_;
};

class Gzip final : public InPieces {
public:
    explicit Gzip(const sys::Fd& out) : InPieces{out, 1u << 20} {}

private:
    std::string compressed(std::string_view piece) override {
        const std::string body = deflated(piece);
        constexpr std::string_view start{"\x1F\x8B\x08\x06\0\0\0\0\0\xFF", 10};  // with a header checksum and an extra field
        std::string member{start};
        member += in_little_endian(4 + Seal::text_bytes, 2);
        member += std::string{gzip_seal_id} + in_little_endian(Seal::text_bytes, 2) + Seal::of(bytes_of(body)).text();
        member += in_little_endian(crc32_of(member), 2);
        return member + body + in_little_endian(crc32_of(piece), 4) + in_little_endian(piece.size(), 4);
    }
};

class Zstd final : public InPieces {
public:
    explicit Zstd(const sys::Fd& out) : InPieces{out, piece_bytes}, packer_{::ZSTD_createCCtx()} {
        ASSAY_ASSERT(packer_ != nullptr);
        for (const auto& [key, value] : {std::pair{ZSTD_c_compressionLevel, 6}, {ZSTD_c_checksumFlag, 1}, {ZSTD_c_windowLog, piece_bits}}) {
            ASSAY_ASSERT(::ZSTD_isError(::ZSTD_CCtx_setParameter(packer_, key, value)) == 0);
        }
    }
    ~Zstd() override { ::ZSTD_freeCCtx(packer_); }
    Zstd(const Zstd&) = delete;
    Zstd& operator=(const Zstd&) = delete;

private:
    static constexpr int piece_bits = 22;
    static constexpr std::size_t piece_bytes = std::size_t{1} << piece_bits;

    std::string compressed(std::string_view piece) override {
        std::string frame(::ZSTD_compressBound(piece.size()), '\0');
        const std::size_t size = ::ZSTD_compress2(packer_, frame.data(), frame.size(), piece.data(), piece.size());
        ASSAY_ASSERT(::ZSTD_isError(size) == 0);
        frame.resize(size);
        std::string sealed = std::string{std::exchange(first_, false) ? zstd_empty_frame : ""} + std::string{zstd_seal_start};
        return sealed + Seal::of(bytes_of(frame)).text() + frame;
    }

    ZSTD_CCtx* packer_;
    bool first_ = true;
};

class Bzip2 final : public Compressor {
public:
    explicit Bzip2(const sys::Fd& out) : out_{out} { ASSAY_ASSERT(::BZ2_bzCompressInit(&stream_, 9, 0, 0) == BZ_OK); }
    ~Bzip2() override { ::BZ2_bzCompressEnd(&stream_); }
    Bzip2(const Bzip2&) = delete;
    Bzip2& operator=(const Bzip2&) = delete;

    Result<> add(ByteView bytes) override {
        stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
        stream_.avail_in = static_cast<unsigned>(bytes.size());
        while (stream_.avail_in > 0) ASSAY_CHECK(step(BZ_RUN));
        return ok;
    }
    Result<> finish() override {
        while (!ended_) ASSAY_CHECK(step(BZ_FINISH));
        return ok;
    }

private:
    Result<> step(int action) {
        std::array<char, buffer_bytes> part;
        stream_.next_out = part.data();
        stream_.avail_out = static_cast<unsigned>(part.size());
        const int result = ::BZ2_bzCompress(&stream_, action);
        ASSAY_ASSERT(result >= 0);
        ended_ = result == BZ_STREAM_END;
        return sys::write_all(out_, std::string_view{part.data(), part.size() - stream_.avail_out});
    }

    const sys::Fd& out_;
    bz_stream stream_{};
    bool ended_ = false;
};

class Xz final : public Compressor {
public:
    explicit Xz(const sys::Fd& out) : out_{out} { ASSAY_ASSERT(::lzma_easy_encoder(&stream_, 6, LZMA_CHECK_CRC64) == LZMA_OK); }
    ~Xz() override { ::lzma_end(&stream_); }
    Xz(const Xz&) = delete;
    Xz& operator=(const Xz&) = delete;

    Result<> add(ByteView bytes) override {
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
        stream_.avail_in = bytes.size();
        while (stream_.avail_in > 0) ASSAY_CHECK(step(LZMA_RUN));
        return ok;
    }
    Result<> finish() override {
        while (!ended_) ASSAY_CHECK(step(LZMA_FINISH));
        return ok;
    }

private:
    Result<> step(lzma_action action) {
        std::array<std::uint8_t, buffer_bytes> part;
        stream_.next_out = part.data();
        stream_.avail_out = part.size();
        const lzma_ret result = ::lzma_code(&stream_, action);
        if (result == LZMA_MEM_ERROR) return Error{Fault::busy, "no memory to write xz"};
        ASSAY_ASSERT(result == LZMA_OK || result == LZMA_STREAM_END);
        ended_ = result == LZMA_STREAM_END;
        return sys::write_all(out_, text_of(std::as_bytes(std::span{part}.first(part.size() - stream_.avail_out))));
    }

    const sys::Fd& out_;
    lzma_stream stream_ = LZMA_STREAM_INIT;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<Compressor> compressor_of(Format format, const sys::Fd& out) {
    switch (format) {
        case Format::tar: return std::make_unique<Plain>(out);
        case Format::tar_gz: return std::make_unique<Gzip>(out);
        case Format::tar_bz2: return std::make_unique<Bzip2>(out);
        case Format::tar_xz: return std::make_unique<Xz>(out);
        case Format::tar_zst: return std::make_unique<Zstd>(out);
        default: break;
    }
    ASSAY_ASSERT(false);
    return nullptr;
}

std::string deflated(std::string_view content) {
    z_stream deflater{};
    ASSAY_ASSERT(deflateInit2(&deflater, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(::deflateBound(&deflater, content.size()), '\0');
    deflater.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
    deflater.avail_in = static_cast<uInt>(content.size());
    deflater.next_out = reinterpret_cast<Bytef*>(out.data());
    deflater.avail_out = static_cast<uInt>(out.size());
    ASSAY_ASSERT(::deflate(&deflater, Z_FINISH) == Z_STREAM_END);
    out.resize(deflater.total_out);
    ::deflateEnd(&deflater);
    return out;
}

}  // namespace assay::archive
