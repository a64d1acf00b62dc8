// gzip after RFC 1952 around zlib's raw inflate: zlib's own gzip mode skips what we must know (where a member ends, that every
// length and checksum was there), so header and trailer are read here. A member that says how long it is and is not long, as
// those of our packs, is read whole and decoded in one go, in less than half the time.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "archive/deflate.hh"
#include "archive/seal.hh"
#include "archive/source.hh"
#include "archive/stream_count.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

constexpr std::size_t whole_bytes_max = gzip_piece_bytes + gzip_piece_bytes / 512;  // stored blocks are longer than what is in them
constexpr std::int64_t header_strings_max = 64 * 1024;  // of one member: name, comment and extra field together

enum HeaderFlag : unsigned { header_crc = 2, extra_field = 4, file_name = 8, comment = 16, reserved = 0xE0 };

class GzipSource final : public Source {
public:
    explicit GzipSource(Input& input) : input_{input} {
        const int made = ::inflateInit2(&inflater_, -MAX_WBITS);
        ASSAY_ASSERT(made == Z_OK);
    }
    ~GzipSource() override { ::inflateEnd(&inflater_); }
    GzipSource(const GzipSource&) = delete;
    GzipSource& operator=(const GzipSource&) = delete;

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        while (!ended_) {
            if (!whole_.empty()) {
                const std::size_t count = std::min(buffer.size(), whole_.size());
                std::memcpy(buffer.data(), whole_.data(), count);
                whole_ = whole_.subspan(count);
                return count;
            }
            if (!in_member_) {
                ASSAY_CHECK(start_member());
                if (in_member_ && announced_ && announced_->size <= whole_bytes_max) ASSAY_CHECK(take_whole());
                continue;
            }
            ASSAY_TRY(const std::size_t count, inflate_some(buffer));
            if (count > 0) return count;
        }
        return std::size_t{0};
    }
    std::int64_t offset() const override { return input_.offset(); }

private:
    Step<> start_member() {
        if (count_.streams > 0) {
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty() || ready.front() == std::byte{0}) {
                ASSAY_CHECK(only_zeros_follow(input_, "gzip"));
                ended_ = true;
                return ok;
            }
        }
        announced_.reset();
        compressed_ = {};
        ASSAY_CHECK(read_header());
        if (const auto refused = count_.another(input_.offset())) return *refused;
        ::inflateReset(&inflater_);
        checksum_ = 0;
        length_ = 0;
        in_member_ = true;
        return ok;
    }

    Step<unsigned> header_byte() {
        ASSAY_TRY(const auto byte, input_.next());
        if (!byte) return damaged(input_.offset(), ArchiveFault::data_cut, "gzip");
        header_checksum_ = ::crc32(header_checksum_, &*byte, 1);
        return unsigned{*byte};
    }

    Step<> read_header() {
        const std::int64_t from = input_.offset();
        header_checksum_ = ::crc32(0, nullptr, 0);
        unsigned fixed[10];  // magic, method, flags, time, extra flags, system
        constexpr unsigned magic[] = {0x1F, 0x8B};
        for (std::size_t i = 0; i < std::size(fixed); ++i) {
            ASSAY_TRY(fixed[i], header_byte());
            // Said of the first wrong byte: what follows a member and is shorter than a header is not a member that was cut.
            if (i < std::size(magic) && fixed[i] != magic[i])
                return damaged(from, count_.streams > 0 ? ArchiveFault::trailing : ArchiveFault::header_broken, "gzip");
        }
        if (fixed[2] != 8) return damaged(from, ArchiveFault::header_broken, "gzip");
        const unsigned flags = fixed[3];
        if ((flags & HeaderFlag::reserved) != 0) return damaged(from, ArchiveFault::header_broken, "gzip");
        if ((flags & HeaderFlag::extra_field) != 0) {
            ASSAY_TRY(const unsigned low, header_byte());
            ASSAY_TRY(const unsigned high, header_byte());
            std::string extra;
            for (unsigned left = high << 8 | low; left > 0; --left) {
                ASSAY_TRY(const unsigned byte, header_byte());
                extra += static_cast<char>(byte);
            }
            take_seal(extra);
        }
        for (const unsigned text : {HeaderFlag::file_name, HeaderFlag::comment}) {
            if ((flags & text) == 0) continue;
            for (unsigned c = 1; c != 0;) {
                ASSAY_TRY(c, header_byte());
                if (input_.offset() - from > header_strings_max) return damaged(from, ArchiveFault::header_broken, "gzip");
            }
        }
        if ((flags & HeaderFlag::header_crc) != 0) {
            const auto expected = static_cast<unsigned>(header_checksum_ & 0xFFFF);
            ASSAY_TRY(const unsigned low, header_byte());
            ASSAY_TRY(const unsigned high, header_byte());
            if ((high << 8 | low) != expected) return damaged(from, ArchiveFault::checksum_wrong, "gzip");
        }
        return ok;
    }

    // Subfields of id, length, value; what is none of ours is anybody's.
    void take_seal(std::string_view extra) {
        while (extra.size() >= 4) {
            const std::string_view id = extra.substr(0, 2);
            const std::size_t size = little_endian(extra.substr(2, 2));
            extra.remove_prefix(4);
            if (id == gzip_seal_id && size == Seal::text_bytes && extra.size() >= size) announced_ = Seal::from(extra.substr(0, size));
            extra.remove_prefix(std::min(size, extra.size()));
        }
    }

    Step<std::size_t> inflate_some(std::span<std::byte> buffer) {
        ASSAY_TRY(const ByteView ready, input_.peek());
        if (ready.empty()) return damaged(input_.offset(), ArchiveFault::data_cut, "gzip");
        inflater_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(ready.data()));
        inflater_.avail_in = static_cast<uInt>(ready.size());
        inflater_.next_out = reinterpret_cast<Bytef*>(buffer.data());
        inflater_.avail_out = static_cast<uInt>(buffer.size());
        const int result = ::inflate(&inflater_, Z_NO_FLUSH);
        if (announced_) compressed_.add(ready.first(ready.size() - inflater_.avail_in));
        input_.consume(ready.size() - inflater_.avail_in);
        const std::size_t count = buffer.size() - inflater_.avail_out;
        checksum_ = crc32_of(std::as_bytes(buffer.first(count)), checksum_);
        length_ += static_cast<std::uint32_t>(count);
        count_.bytes += static_cast<std::int64_t>(count);
        if (result == Z_STREAM_END) {
            ASSAY_CHECK(read_trailer());
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return damaged(input_.offset(), ArchiveFault::data_broken, "gzip");
        }
        return count;
    }

    // Of a member whose length is known, which lies whole in memory.
    Step<> take_whole() {
        deflated_.clear();
        while (deflated_.size() < announced_->size) {
            ASSAY_TRY(const ByteView ready, input_.peek());
            if (ready.empty()) return damaged(input_.offset(), ArchiveFault::data_cut, "gzip");
            const std::size_t count = std::min<std::size_t>(ready.size(), announced_->size - deflated_.size());
            deflated_ += text_of(ready.first(count));
            input_.consume(count);
        }
        compressed_ = Seal::of(bytes_of(deflated_));
        ASSAY_TRY(const Trailer trailer, trailer_fields());
        if (compressed_ != *announced_) return damaged(input_.offset() - 8, ArchiveFault::checksum_wrong, "gzip");
        if (trailer.size > gzip_piece_bytes) return damaged(input_.offset() - 4, ArchiveFault::checksum_wrong, "gzip");  // None of ours.
        inflated_.resize(gzip_piece_bytes);
        whole_ = std::span{inflated_}.first(trailer.size);
        if (!whole_inflater_.inflate(bytes_of(deflated_), std::span{inflated_}.first(trailer.size)))
            return damaged(input_.offset() - 8, ArchiveFault::data_broken, "gzip");
        if (crc32_of(whole_) != trailer.checksum) return damaged(input_.offset() - 8, ArchiveFault::checksum_wrong, "gzip");
        count_.bytes += trailer.size;
        in_member_ = false;
        return ok;
    }

    struct Trailer {
        std::uint32_t checksum = 0;
        std::uint32_t size = 0;
    };
    Step<Trailer> trailer_fields() {
        std::uint32_t fields[2] = {0, 0};
        for (std::uint32_t& field : fields) {
            for (int shift = 0; shift < 32; shift += 8) {
                ASSAY_TRY(const auto byte, input_.next());
                if (!byte) return damaged(input_.offset(), ArchiveFault::data_cut, "gzip");
                field |= std::uint32_t{*byte} << shift;
            }
        }
        return Trailer{fields[0], fields[1]};
    }

    Step<> read_trailer() {
        ASSAY_TRY(const Trailer trailer, trailer_fields());
        if (trailer.checksum != checksum_) return damaged(input_.offset() - 8, ArchiveFault::checksum_wrong, "gzip");
        if (announced_ && *announced_ != compressed_) return damaged(input_.offset() - 8, ArchiveFault::checksum_wrong, "gzip");
        if (trailer.size != length_) return damaged(input_.offset() - 4, ArchiveFault::checksum_wrong, "gzip");
        in_member_ = false;
        return ok;
    }

    Input& input_;
    z_stream inflater_{};
    bool in_member_ = false;
    bool ended_ = false;
    StreamCount count_;
    uLong header_checksum_ = 0;
    std::optional<Seal> announced_;
    Seal compressed_;
    std::uint32_t checksum_ = 0;
    std::uint32_t length_ = 0;  // modulo 2^32, as the format counts
    Inflater whole_inflater_;
    std::string deflated_;
    std::vector<std::byte> inflated_;
    std::span<const std::byte> whole_;  // what of inflated_ was not given out yet
};

}  // namespace

std::unique_ptr<Source> gzip_source(Input& input) { return std::make_unique<GzipSource>(input); }

}  // namespace assay::archive
