#include "archive/source.hh"

#include <algorithm>
#include <cstring>

#include "archive/stream_count.hh"
#include "archive/tar.hh"
#include "base/assert.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

constexpr std::int64_t size_max = 1LL << 53;

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

class BoundedSource final : public Source {
public:
    explicit BoundedSource(std::unique_ptr<Source> inner) : inner_{std::move(inner)} {}

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        ASSAY_TRY(const std::size_t count, inner_->read(buffer));
        if (const auto refused = expansion_.more(inner_->offset(), count)) return *refused;
        return count;
    }
    std::int64_t offset() const override { return inner_->offset(); }

private:
    std::unique_ptr<Source> inner_;
    Expansion expansion_;
};

}  // namespace

Input::Input(const Input& other, std::int64_t offset) : fd_{other.fd_}, memory_{other.memory_}, offset_{offset} {
    if (fd_ == nullptr) ready_ = memory_.subspan(static_cast<std::size_t>(offset));
}

Result<std::size_t> Input::read_at(std::span<std::byte> buffer, std::int64_t offset) const {
    if (fd_ != nullptr) return sys::read_at(*fd_, buffer, offset);
    const ByteView from = memory_.subspan(std::min(memory_.size(), static_cast<std::size_t>(offset)));
    const std::size_t count = std::min(from.size(), buffer.size());
    std::memcpy(buffer.data(), from.data(), count);
    return count;
}

// By reading alone: where hostile bytes are judged nothing else may be asked of a descriptor.
Result<std::int64_t> Input::size() const {
    const auto has = [&](std::int64_t offset) -> Result<bool> {
        std::array<std::byte, 1> byte;
        ASSAY_TRY(const std::size_t count, read_at(byte, offset));
        return count > 0;
    };
    std::int64_t low = 0;  // Everything below is there.
    std::int64_t high = 1;
    for (;;) {
        ASSAY_TRY(const bool there, has(high - 1));
        if (!there) break;
        low = high;
        if (high > size_max / 2) return Error{Fault::too_large, "a file without an end"};
        high *= 2;
    }
    while (low < high) {  // The size is in [low, high - 1].
        const std::int64_t middle = low + (high - low) / 2;
        ASSAY_TRY(const bool there, has(middle));
        if (there) low = middle + 1;
        else high = middle;
    }
    return low;
}

Result<ByteView> Input::peek() {
    if (!ready_.empty() || fd_ == nullptr) return ready_;
    const auto room = static_cast<std::size_t>(std::clamp<std::int64_t>(end_ - offset_, 0, buffer_bytes));
    ASSAY_TRY(const std::size_t count, sys::read_at(*fd_, std::span{buffer_}.first(room), offset_));
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

std::unique_ptr<Source> source_of(Format format, Input& input) {
    switch (format) {
        case Format::tar: return plain_source(input);
        case Format::tar_gz: return std::make_unique<BoundedSource>(gzip_source(input));
        case Format::tar_bz2: return std::make_unique<BoundedSource>(bzip2_source(input));
        case Format::tar_xz: return std::make_unique<BoundedSource>(xz_source(input));
        case Format::tar_zst: return std::make_unique<BoundedSource>(zstd_source(input));
        default: break;
    }
    ASSAY_ASSERT(false);
    return nullptr;
}

bool can_read(Format format) {
    return format == Format::zip || format == Format::tar || format == Format::tar_gz || format == Format::tar_bz2 ||
           format == Format::tar_xz || format == Format::tar_zst;
}

std::unique_ptr<MemberReader> members_of(Format format, Input& input, model::NameEncoding names) {
    std::unique_ptr<MemberReader> reader =
        format == Format::zip ? zip_reader(input, names) : std::make_unique<TarReader>(source_of(format, input));
    return names == model::NameEncoding::gb18030 ? gb18030_reader(std::move(reader)) : std::move(reader);
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
