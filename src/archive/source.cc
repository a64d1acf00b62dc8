#include "archive/source.hh"

#include <algorithm>
#include <cstring>

#include "base/assert.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

class PlainSource final : public Source {
public:
    explicit PlainSource(Input& input) : input_{input} {}

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        ASSAY_TRY(const ByteView ready, input_.peek());
        const std::size_t count = std::min(ready.size(), buffer.size());
        std::memcpy(buffer.data(), ready.data(), count);
        input_.consume(count);
        return count;
    }
    std::int64_t offset() const override { return input_.offset(); }

private:
    Input& input_;
};

}  // namespace

Result<ByteView> Input::peek() {
    if (!ready_.empty() || fd_ == nullptr) return ready_;
    ASSAY_TRY(const std::size_t count, sys::read_at(*fd_, buffer_, offset_));
    ready_ = ByteView{buffer_}.first(count);
    return ready_;
}

void Input::consume(std::size_t count) {
    ASSAY_ASSERT(count <= ready_.size());
    ready_ = ready_.subspan(count);
    offset_ += static_cast<std::int64_t>(count);
}

Result<std::optional<unsigned char>> Input::next() {
    ASSAY_TRY(const ByteView ready, peek());
    if (ready.empty()) return std::optional<unsigned char>{};
    const auto byte = static_cast<unsigned char>(ready.front());
    consume(1);
    return std::optional{byte};
}

std::unique_ptr<Source> plain_source(Input& input) { return std::make_unique<PlainSource>(input); }

bool can_read(Format format) { return format == Format::tar || format == Format::tar_gz || format == Format::tar_bz2; }

std::unique_ptr<Source> source_of(Format format, Input& input) {
    ASSAY_ASSERT(can_read(format));
    if (format == Format::tar_gz) return gzip_source(input);
    if (format == Format::tar_bz2) return bzip2_source(input);
    return plain_source(input);
}

Step<> only_zeros_follow(Input& input, std::string_view format) {
    for (;;) {
        ASSAY_TRY(const ByteView ready, input.peek());
        if (ready.empty()) return ok;
        const auto other = std::ranges::find_if(ready, [](std::byte b) { return b != std::byte{0}; });
        input.consume(static_cast<std::size_t>(other - ready.begin()));
        if (other != ready.end()) return damaged(input.offset(), ArchiveFault::trailing, format);
    }
}

}  // namespace assay::archive
