// bzip2 around libbz2, which verifies the CRC of every block and stream; several streams may follow each other.
#include <bzlib.h>

#include "archive/source.hh"
#include "archive/stream_count.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

class Bzip2Source final : public Source {
public:
    explicit Bzip2Source(Input& input) : input_{input} {}
    ~Bzip2Source() override { close(); }
    Bzip2Source(const Bzip2Source&) = delete;
    Bzip2Source& operator=(const Bzip2Source&) = delete;

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        while (!ended_) {
            if (!open_) {
                ASSAY_CHECK(start_stream());
                continue;
            }
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty()) return damaged(input_.offset(), ArchiveFault::data_cut, "bzip2");
            stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(ready.data()));
            stream_.avail_in = static_cast<unsigned>(ready.size());
            stream_.next_out = reinterpret_cast<char*>(buffer.data());
            stream_.avail_out = static_cast<unsigned>(buffer.size());
            const int result = ::BZ2_bzDecompress(&stream_);
            input_.consume(ready.size() - stream_.avail_in);
            const std::size_t count = buffer.size() - stream_.avail_out;
            if (result == BZ_STREAM_END) {
                close();
            } else if (result == BZ_MEM_ERROR) {
                return Error{Fault::busy, "no memory to read bzip2"};
            } else if (result != BZ_OK) {
                const ArchiveFault no_stream = count_.streams > 1 ? ArchiveFault::trailing : ArchiveFault::header_broken;
                return damaged(input_.offset(), result == BZ_DATA_ERROR ? ArchiveFault::checksum_wrong : no_stream, "bzip2");
            }
            count_.bytes += static_cast<std::int64_t>(count);
            if (count > 0) return count;
        }
        return std::size_t{0};
    }
    std::int64_t offset() const override { return input_.offset(); }

private:
    Step<> start_stream() {
        if (count_.streams > 0) {
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty() || ready.front() == std::byte{0}) {
                ASSAY_CHECK(only_zeros_follow(input_, "bzip2"));
                ended_ = true;
                return ok;
            }
        }
        if (const auto refused = count_.another(input_.offset())) return *refused;
        stream_ = {};
        if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return Error{Fault::busy, "no memory to read bzip2"};
        open_ = true;
        return ok;
    }

    void close() {
        if (open_) ::BZ2_bzDecompressEnd(&stream_);
        open_ = false;
    }

    Input& input_;
    bz_stream stream_{};
    bool open_ = false;
    bool ended_ = false;
    StreamCount count_;
};

}  // namespace

std::unique_ptr<Source> bzip2_source(Input& input) { return std::make_unique<Bzip2Source>(input); }

}  // namespace assay::archive
