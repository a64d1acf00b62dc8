// zstd around libzstd, which verifies the checksum a frame carries. Frames may follow each other; each must carry one.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "archive/seal.hh"
#include "archive/source.hh"
#include "archive/stream_count.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

constexpr int window_bits_max = 25;
static_assert(std::int64_t{1} << window_bits_max < decoder_memory_max);
constexpr std::string_view frame_magic = "\x28\xB5\x2F\xFD";
constexpr std::size_t frame_start_bytes = 5;  // the magic, and the byte that tells whether a checksum will follow
constexpr unsigned checksum_flag = 4, unused_flag = 16;

class ZstdSource final : public Source {
public:
    explicit ZstdSource(Input& input) : input_{input}, decoder_{::ZSTD_createDCtx()} {
        ASSAY_ASSERT(decoder_ != nullptr);
        ASSAY_ASSERT(::ZSTD_isError(::ZSTD_DCtx_setParameter(decoder_, ZSTD_d_windowLogMax, window_bits_max)) == 0);
    }
    ~ZstdSource() override { ::ZSTD_freeDCtx(decoder_); }
    ZstdSource(const ZstdSource&) = delete;
    ZstdSource& operator=(const ZstdSource&) = delete;

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        while (!ended_) {
            if (!open_) {
                ASSAY_CHECK(start_frame());
                continue;
            }
            ASSAY_TRY(const std::size_t count, decode_some(buffer));
            if (count > 0) return count;
        }
        return std::size_t{0};
    }
    std::int64_t offset() const override { return input_.offset(); }

private:
    // Looks at the frame's first bytes before the decoder does: it would skip frames of other kinds, and not miss a checksum.
    Step<> start_frame() {
        if (count_.streams > 0) {
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty() || ready.front() == std::byte{0}) {
                ASSAY_CHECK(only_zeros_follow(input_, "zstd"));
                if (sealed_ && !unsealed_.empty() && unsealed_ != zstd_empty_frame) return damaged(input_.offset(), ArchiveFault::header_broken, "zstd");
                ended_ = true;
                return ok;
            }
            const auto first = static_cast<unsigned char>(ready.front());
            const bool frame = first == static_cast<unsigned char>(frame_magic.front()) || (first & 0xF0U) == 0x50;
            if (!frame) return damaged(input_.offset(), ArchiveFault::trailing, "zstd");
        }
        const std::int64_t at = input_.offset();
        if (const auto refused = count_.another(at)) return *refused;
        announced_.reset();
        compressed_ = {};
        ASSAY_TRY(std::string start, take(frame_start_bytes));
        if (start == zstd_seal_start.substr(0, frame_start_bytes)) {
            ASSAY_TRY(const std::string rest, take(zstd_seal_start.size() - frame_start_bytes + Seal::text_bytes));
            const std::size_t mark_bytes = zstd_seal_start.size() - frame_start_bytes;
            if (!std::string_view{rest}.starts_with(zstd_seal_start.substr(frame_start_bytes))) {
                return Refused{.fault = ArchiveFault::skippable_frame, .offset = at};
            }
            // Beside sealed frames nothing else may stand, but the empty one at the beginning.
            sealed_ = true;
            if (!unsealed_.empty() && unsealed_ != zstd_empty_frame) return damaged(at, ArchiveFault::header_broken, "zstd");
            announced_ = Seal::from(std::string_view{rest}.substr(mark_bytes));
            ASSAY_TRY(start, take(frame_start_bytes));
        }
        const auto skippable = [](std::string_view magic) {
            return (static_cast<unsigned char>(magic[0]) & 0xF0) == 0x50 && magic.substr(1, 3) == "\x2A\x4D\x18";
        };
        if (skippable(start)) return Refused{.fault = ArchiveFault::skippable_frame, .offset = at};
        if (!start.starts_with(frame_magic)) {
            return damaged(at, count_.streams > 1 ? ArchiveFault::trailing : ArchiveFault::header_broken, "zstd");
        }
        if ((static_cast<unsigned char>(start.back()) & checksum_flag) == 0) {
            return Refused{.fault = ArchiveFault::no_checksum, .arguments = {"zstd"}, .offset = at};
        }
        if ((static_cast<unsigned char>(start.back()) & unused_flag) != 0) return damaged(at, ArchiveFault::header_broken, "zstd");
        ZSTD_inBuffer in{start.data(), start.size(), 0};
        ZSTD_outBuffer out{nullptr, 0, 0};
        const std::size_t result = ::ZSTD_decompressStream(decoder_, &out, &in);
        if (::ZSTD_isError(result) != 0) return failure(result, at);
        ASSAY_ASSERT(in.pos == in.size);  // No header is shorter, so that it takes them all.
        note(bytes_of(start));
        open_ = true;
        return ok;
    }

    // Consumed bytes of a frame.
    void note(ByteView bytes) {
        if (announced_) compressed_.add(bytes);
        else unsealed_ += text_of(bytes.first(std::min(bytes.size(), zstd_empty_frame.size() + 1 - std::min(unsealed_.size(), zstd_empty_frame.size() + 1))));
    }

    Step<std::string> take(std::size_t size) {
        std::string bytes;
        while (bytes.size() < size) {
            ASSAY_TRY(const auto byte, input_.next());
            if (!byte) return damaged(input_.offset(), ArchiveFault::data_cut, "zstd");
            bytes += static_cast<char>(*byte);
        }
        return bytes;
    }

    Step<std::size_t> decode_some(std::span<std::byte> buffer) {
        ASSAY_TRY(const ByteView ready, input_.peek());
        const std::int64_t at = input_.offset();
        ZSTD_inBuffer in{ready.data(), ready.size(), 0};
        ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
        const std::size_t result = ::ZSTD_decompressStream(decoder_, &out, &in);
        note(ready.first(in.pos));
        input_.consume(in.pos);
        if (::ZSTD_isError(result) != 0) return failure(result, at);
        count_.bytes += static_cast<std::int64_t>(out.pos);
        if (result == 0) {
            open_ = false;
            if (announced_ && *announced_ != compressed_) return damaged(input_.offset(), ArchiveFault::checksum_wrong, "zstd");
        } else if (in.pos == 0 && out.pos == 0) {
            return damaged(at, ready.empty() ? ArchiveFault::data_cut : ArchiveFault::data_broken, "zstd");
        }
        return out.pos;
    }

    static Stop failure(std::size_t result, std::int64_t at) {
        switch (::ZSTD_getErrorCode(result)) {
            case ZSTD_error_checksum_wrong: return damaged(at, ArchiveFault::checksum_wrong, "zstd");
            case ZSTD_error_frameParameter_windowTooLarge: return window_too_large("zstd", at);
            case ZSTD_error_memory_allocation: return Error{Fault::busy, "no memory to read zstd"};
            case ZSTD_error_prefix_unknown: case ZSTD_error_version_unsupported: case ZSTD_error_frameParameter_unsupported:
            case ZSTD_error_dictionary_wrong:
                return damaged(at, ArchiveFault::header_broken, "zstd");
            default: return damaged(at, ArchiveFault::data_broken, "zstd");
        }
    }

    Input& input_;
    ZSTD_DCtx* decoder_;
    bool open_ = false;
    bool ended_ = false;
    std::optional<Seal> announced_;
    Seal compressed_;
    bool sealed_ = false;    // some frame was
    std::string unsealed_;   // the first bytes of those that were not
    StreamCount count_;
};

}  // namespace

std::unique_ptr<Source> zstd_source(Input& input) { return std::make_unique<ZstdSource>(input); }

}  // namespace assay::archive
