#include "archive/compressor.hh"

#include <bzlib.h>
#include <lzma.h>
#include <zstd.h>

#include <array>
#include <utility>
#include <vector>

#include "archive/deflate.hh"
#include "archive/pieces.hh"
#include "archive/seal.hh"
#include "archive/source.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

Error comes_out_otherwise(std::string_view format) {
    return {Fault::internal, std::string{format} + " does not give back what was compressed; the memory of this machine may be faulty"};
}

class Plain final : public Compressor {
public:
    explicit Plain(Sink out) : out_{std::move(out)} {}
    Result<> add(ByteView bytes) override { return out_(bytes); }
    Result<> finish() override { return ok; }

private:
    const Sink out_;
};

class GzipMember final : public PieceCoder {
public:
    Result<> append(std::string& out, std::string_view piece) override {
        constexpr std::string_view start{"\x1F\x8B\x08\x06\0\0\0\0\0\xFF", 10};  // with a header checksum and an extra field
        constexpr std::size_t extra_bytes = 4 + Seal::text_bytes;
        const std::size_t from = out.size(), body_from = from + start.size() + 2 + extra_bytes + 2;
        out.append(body_from - from, '\0');
        deflater_.append(out, piece);
        const ByteView body = bytes_of(out).subspan(body_from);
        std::string header{start};
        header += in_little_endian(extra_bytes, 2);
        header += std::string{gzip_seal_id} + in_little_endian(Seal::text_bytes, 2) + Seal::of(body).text();
        header += in_little_endian(crc32_of(header), 2);
        again_.resize(piece.size());
        if (!inflater_.inflate(body, again_) || text_of(again_) != piece) return comes_out_otherwise("gzip");
        out.replace(from, header.size(), header);
        out += in_little_endian(crc32_of(piece), 4) + in_little_endian(piece.size(), 4);
        return ok;
    }

private:
    Deflater deflater_;
    Inflater inflater_;
    std::vector<std::byte> again_;
};

class ZstdFrame final : public PieceCoder {
public:
    static constexpr int piece_bits = 22;
    static constexpr std::size_t piece_bytes = std::size_t{1} << piece_bits;

    ZstdFrame() : packer_{::ZSTD_createCCtx()}, unpacker_{::ZSTD_createDCtx()} {
        ASSAY_ASSERT(packer_ != nullptr);
        ASSAY_ASSERT(unpacker_ != nullptr);
        for (const auto& [key, value] : {std::pair{ZSTD_c_compressionLevel, 3}, {ZSTD_c_checksumFlag, 1}, {ZSTD_c_windowLog, piece_bits}}) {
            ASSAY_ASSERT(::ZSTD_isError(::ZSTD_CCtx_setParameter(packer_, key, value)) == 0);
        }
    }
    ~ZstdFrame() override {
        ::ZSTD_freeCCtx(packer_);
        ::ZSTD_freeDCtx(unpacker_);
    }
    ZstdFrame(const ZstdFrame&) = delete;
    ZstdFrame& operator=(const ZstdFrame&) = delete;

    Result<> append(std::string& out, std::string_view piece) override {
        const std::size_t from = out.size(), frame_from = from + zstd_seal_start.size() + Seal::text_bytes;
        const std::size_t room = ::ZSTD_compressBound(piece.size());
        out.resize_and_overwrite(frame_from + room, [&](char* bytes, std::size_t) {
            const std::size_t size = ::ZSTD_compress2(packer_, bytes + frame_from, room, piece.data(), piece.size());
            ASSAY_ASSERT(::ZSTD_isError(size) == 0);
            return frame_from + size;
        });
        const ByteView frame = bytes_of(out).subspan(frame_from);
        again_.resize(piece.size());
        const std::size_t back = ::ZSTD_decompressDCtx(unpacker_, again_.data(), again_.size(), frame.data(), frame.size());
        if (back != piece.size() || text_of(again_) != piece) return comes_out_otherwise("zstd");
        out.replace(from, frame_from - from, std::string{zstd_seal_start} + Seal::of(frame).text());
        return ok;
    }

private:
    ZSTD_CCtx* packer_;
    ZSTD_DCtx* unpacker_;
    std::vector<std::byte> again_;
};

class Bzip2 final : public Compressor {
public:
    explicit Bzip2(Sink out) : out_{std::move(out)} { ASSAY_ASSERT(::BZ2_bzCompressInit(&stream_, 9, 0, 0) == BZ_OK); }
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
        return out_(std::as_bytes(std::span{part}.first(part.size() - stream_.avail_out)));
    }

    const Sink out_;
    bz_stream stream_{};
    bool ended_ = false;
};

class Xz final : public Compressor {
public:
    explicit Xz(Sink out) : out_{std::move(out)} { ASSAY_ASSERT(::lzma_easy_encoder(&stream_, 6, LZMA_CHECK_CRC64) == LZMA_OK); }
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
        return out_(std::as_bytes(std::span{part}.first(part.size() - stream_.avail_out)));
    }

    const Sink out_;
    lzma_stream stream_ = LZMA_STREAM_INIT;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<Compressor> compressor_of(Format format, Sink out, int threads) {
    switch (format) {
        case Format::tar: return std::make_unique<Plain>(std::move(out));
        case Format::tar_gz:
            return std::make_unique<Pieces>(
                Pieces::Kind{gzip_piece_bytes, "", [] { return std::make_unique<GzipMember>(); }}, std::move(out), threads);
        case Format::tar_bz2: return std::make_unique<Bzip2>(std::move(out));
        case Format::tar_xz: return std::make_unique<Xz>(std::move(out));
        case Format::tar_zst:
            return std::make_unique<Pieces>(
                Pieces::Kind{ZstdFrame::piece_bytes, zstd_empty_frame, [] { return std::make_unique<ZstdFrame>(); }}, std::move(out),
                threads);
        default: break;
    }
    ASSAY_ASSERT(false);
    return nullptr;
}

Result<std::string> deflated(std::string_view content) {
    std::string out;
    Deflater{}.append(out, content);
    std::vector<std::byte> again(content.size());
    if (!Inflater{}.inflate(bytes_of(out), again) || text_of(again) != content) return comes_out_otherwise("deflate");
    return out;
}

}  // namespace assay::archive
