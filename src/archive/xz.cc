// xz around liblzma, which verifies the check of every block, the sizes in the index and the CRCs of all headers. Streams may
// follow each other, with zero bytes between them in fours.
#include <lzma.h>

#include "archive/source.hh"
#include "archive/stream_count.hh"

namespace assay::archive {
namespace {

class XzSource final : public Source {
public:
    explicit XzSource(Input& input) : input_{input} {}
    ~XzSource() override { ::lzma_end(&stream_); }
    XzSource(const XzSource&) = delete;
    XzSource& operator=(const XzSource&) = delete;

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        while (!ended_) {
            if (!open_) {
                ASSAY_CHECK(start_stream());
                continue;
            }
            ASSAY_TRY(const std::size_t count, decode_some(buffer));
            if (count > 0) return count;
        }
        return std::size_t{0};
    }
    std::int64_t offset() const override { return input_.offset(); }

private:
    Step<> start_stream() {
        if (count_.streams > 0) {
            ASSAY_TRY(const bool another, skip_padding());
            if (!another) {
                ended_ = true;
                return ok;
            }
        }
        if (const auto refused = count_.another(input_.offset())) return *refused;
        constexpr std::uint32_t flags = LZMA_TELL_NO_CHECK | LZMA_TELL_UNSUPPORTED_CHECK;
        if (::lzma_stream_decoder(&stream_, static_cast<std::uint64_t>(decoder_memory_max), flags) != LZMA_OK) return no_memory();
        open_ = true;
        return ok;
    }

    // Whether another stream follows. At the very end any number of zeros may stand.
    Step<bool> skip_padding() {
        for (std::int64_t zeros = 0;; ++zeros) {
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty()) return false;
            if (ready.front() != std::byte{0}) {
                constexpr std::byte magic_first{0xFD};
                if (zeros % 4 != 0 || ready.front() != magic_first) return damaged(input_.offset(), ArchiveFault::trailing, "xz");
                return true;
            }
            input_.consume(1);
        }
    }

    Step<std::size_t> decode_some(std::span<std::byte> buffer) {
        ASSAY_TRY(const ByteView ready, input_.peek());
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(ready.data());
        stream_.avail_in = ready.size();
        stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
        stream_.avail_out = buffer.size();
        const std::int64_t at = input_.offset();
        const lzma_ret result = ::lzma_code(&stream_, ready.empty() ? LZMA_FINISH : LZMA_RUN);
        const std::size_t taken = ready.size() - stream_.avail_in;
        const std::size_t count = buffer.size() - stream_.avail_out;
        input_.consume(taken);
        count_.bytes += static_cast<std::int64_t>(count);
        switch (result) {
            case LZMA_OK:
                // Without input it can only empty what it holds; when that gives nothing, the rest is missing.
                if (ready.empty() && count == 0) return damaged(at, ArchiveFault::data_cut, "xz");
                return count;
            case LZMA_STREAM_END: open_ = false; return count;
            case LZMA_BUF_ERROR: return damaged(at, ArchiveFault::data_cut, "xz");
            case LZMA_NO_CHECK: case LZMA_UNSUPPORTED_CHECK: return Refused{.fault = ArchiveFault::no_checksum, .arguments = {"xz"}, .offset = at};
            case LZMA_MEMLIMIT_ERROR: return window_too_large("xz", at, static_cast<std::int64_t>(::lzma_memusage(&stream_)));
            case LZMA_MEM_ERROR: return no_memory();
            case LZMA_FORMAT_ERROR: return damaged(at, count_.streams > 1 ? ArchiveFault::trailing : ArchiveFault::header_broken, "xz");
            case LZMA_OPTIONS_ERROR: return damaged(at, ArchiveFault::header_broken, "xz");
            default: return damaged(at, ArchiveFault::data_broken, "xz");
        }
    }

    static Error no_memory() { return Error{Fault::busy, "no memory to read xz"}; }

    Input& input_;
    lzma_stream stream_ = LZMA_STREAM_INIT;
    bool open_ = false;
    bool ended_ = false;
    StreamCount count_;
};

}  // namespace

std::unique_ptr<Source> xz_source(Input& input) { return std::make_unique<XzSource>(input); }

}  // namespace assay::archive
