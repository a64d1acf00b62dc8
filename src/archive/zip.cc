// zip after APPNOTE 6.3: stored and deflated entries. They are read in the order they lie in the file, and each must begin where
// the one before ends: so no two overlap, no byte belongs to none, and every byte is read once.
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "archive/member.hh"
#include "archive/seal.hh"
#include "archive/stream_count.hh"
#include "archive/zip_directory.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

enum Method : unsigned { stored = 0, deflated = 8 };
// speed is what the packer tells about its effort, and changes nothing.
enum Flag : unsigned { encrypted = 0x0001, speed = 0x0006, descriptor = 0x0008, encrypted_strongly = 0x0040, utf8 = 0x0800, headers_hidden = 0x2000 };
enum Mode : std::uint32_t { type_bits = 0170000, fifo = 010000, character = 020000, directory = 040000, block = 060000, regular = 0100000, symlink = 0120000, socket = 0140000, owner_executes = 0100 };
constexpr std::uint32_t dos_directory = 0x10;

class ZipReader final : public MemberReader {
public:
    ZipReader(Input& input, model::NameEncoding names) : input_{input}, names_{names} {
        const int made = ::inflateInit2(&inflater_, -MAX_WBITS);
        ASSAY_ASSERT(made == Z_OK);
    }
    ~ZipReader() override { ::inflateEnd(&inflater_); }
    ZipReader(const ZipReader&) = delete;
    ZipReader& operator=(const ZipReader&) = delete;

    Step<std::optional<Member>> next() override {
        if (!directory_) {
            ASSAY_TRY(directory_, read_zip_directory(input_));
        } else {
            ASSAY_CHECK(skip_rest());
            ++at_;
        }
        if (input_.offset() != next_offset(at_)) return Refused{.fault = ArchiveFault::entries_overlap, .offset = input_.offset()};
        if (at_ >= directory_->records.size()) return std::optional<Member>{};
        ASSAY_CHECK(start());
        ASSAY_TRY(Member member, member_of(record()));
        return std::optional{std::move(member)};
    }

    Step<std::size_t> read(std::span<std::byte> buffer) override {
        if (ended_) return std::size_t{0};
        ASSAY_TRY(const std::size_t count, record().method == stored ? copy_some(buffer) : inflate_some(buffer));
        checksum_ = ::crc32(checksum_, reinterpret_cast<const Bytef*>(buffer.data()), static_cast<uInt>(count));
        if (count == 0) ASSAY_CHECK(finish());
        return count;
    }

private:
    const ZipRecord& record() const { return directory_->records[at_]; }
    std::int64_t next_offset(std::size_t index) const {
        return index < directory_->records.size() ? directory_->records[index].offset : directory_->offset;
    }
    Refused refused(ArchiveFault fault, std::vector<std::string> arguments = {}) const {
        return {.fault = fault, .arguments = std::move(arguments), .entry = escaped(record().name), .offset = record().offset};
    }
    Refused in_entry(ArchiveFault fault) const { return refused(fault, {"zip"}); }

    // Reads the local header, which must say what the directory says.
    Step<> start() {
        ASSAY_CHECK(check_flags());
        ASSAY_TRY(const std::string fixed, take_bytes(input_, zip_local_bytes));
        ZipHeader local;
        ASSAY_TRY(const bool sound, take_zip_header(input_, std::string_view{fixed}.substr(4), local));
        if (!sound || !fixed.starts_with(zip_local_magic)) return in_entry(ArchiveFault::header_broken);
        // Where a descriptor follows, its values need not be known yet.
        const bool later = (record().flags & Flag::descriptor) != 0;
        const auto agrees = [&](auto here, auto there) { return here == there || (later && (here == 0 || here == zip_elsewhere)); };
        if (local.name != record().name || local.unicode_name != record().unicode_name || local.flags != record().flags || local.method != record().method ||
            !agrees(local.checksum, record().checksum) || !agrees(local.compressed, record().compressed) || !agrees(local.size, record().size)) {
            return refused(ArchiveFault::headers_differ);
        }
        // What does not say what is unpacked may differ, but in packs of our own, where nothing does.
        const bool alike = local.version == record().version && local.time == record().time;
        if (local.seal != record().seal || (local.seal && !alike)) return refused(ArchiveFault::headers_differ);
        if (record().compressed > next_offset(at_ + 1) - input_.offset()) return refused(ArchiveFault::entries_overlap);
        if (record().method == stored && record().compressed != record().size) return in_entry(ArchiveFault::header_broken);
        ::inflateReset(&inflater_);
        compressed_left_ = record().compressed;
        left_ = record().size;
        checksum_ = ::crc32(0, nullptr, 0);
        compressed_checksum_ = 0;
        inflated_ = ended_ = false;
        return ok;
    }

    Step<> check_flags() const {
        const unsigned flags = record().flags;
        if ((flags & (Flag::encrypted | Flag::encrypted_strongly | Flag::headers_hidden)) != 0) return refused(ArchiveFault::encrypted);
        if ((flags & ~(Flag::speed | Flag::descriptor | Flag::utf8)) != 0) return in_entry(ArchiveFault::header_broken);
        if (record().method != stored && record().method != deflated) return refused(ArchiveFault::method, {std::to_string(record().method)});
        const bool said = (flags & Flag::utf8) != 0 || !record().unicode_name.empty();
        // Some packers write UTF-8 and do not say so; of no other encoding could it be told which.
        if (!said && names_ == model::NameEncoding::utf_8 && !valid_utf8(record().name)) return refused(ArchiveFault::name_unmarked);
        return ok;
    }

    Step<Member> member_of(const ZipRecord& of) {
        Member member;
        member.name = of.unicode_name.empty() ? of.name : of.unicode_name;
        member.name_is_utf8 = !of.unicode_name.empty() || (of.flags & Flag::utf8) != 0;
        member.target_is_utf8 = (of.flags & Flag::utf8) != 0;
        member.offset = of.offset;
        const std::uint32_t mode = of.unix_made ? of.attributes >> 16 : 0;
        const bool slash = of.name.ends_with('/');
        const bool called_directory = (mode & type_bits) == Mode::directory || (of.attributes & dos_directory) != 0;
        // Readers go by one or by the other.
        if (called_directory && !slash) return in_entry(ArchiveFault::header_broken);
        switch (mode & type_bits) {
            case 0: case Mode::directory: member.kind = slash ? Member::Kind::directory : Member::Kind::regular; break;
            case Mode::regular: member.kind = Member::Kind::regular; break;
            case Mode::symlink: member.kind = Member::Kind::symlink; break;
            case Mode::fifo: case Mode::character: case Mode::block: case Mode::socket: return refused(ArchiveFault::device);
            default: return refused(ArchiveFault::member_type, {fmt::format("{:o}", mode & type_bits)});
        }
        if (slash && member.kind != Member::Kind::directory) return in_entry(ArchiveFault::header_broken);
        member.executable = (mode & owner_executes) != 0;
        if (member.kind == Member::Kind::directory && of.size != 0) return refused(ArchiveFault::content_unexpected);
        if (member.kind == Member::Kind::regular) member.size = of.size;
        if (member.kind == Member::Kind::symlink) { ASSAY_TRY(member.target, link_target()); }
        return member;
    }

    Step<std::string> link_target() {
        if (record().size > static_cast<std::int64_t>(path_bytes_max)) return refused(ArchiveFault::link_target, {"…"});
        std::string target;
        std::array<std::byte, path_bytes_max> part;
        for (;;) {
            ASSAY_TRY(const std::size_t count, read(part));
            if (count == 0) return target;
            target += text_of(ByteView{part}.first(count));
        }
    }

    Step<> skip_rest() {
        std::array<std::byte, buffer_bytes> scrap;
        while (!ended_) ASSAY_CHECK(read(scrap));
        return ok;
    }

    // Compressed bytes of this entry, at least one; empty = there are no more.
    Step<ByteView> ready_bytes() {
        if (compressed_left_ == 0) return ByteView{};
        ASSAY_TRY(const ByteView ready, input_.peek());
        if (ready.empty()) return in_entry(ArchiveFault::data_cut);
        return ready.first(std::min(ready.size(), static_cast<std::size_t>(compressed_left_)));
    }
    void consume(ByteView ready, std::size_t count) {
        if (record().seal) compressed_checksum_ = crc32_of(ready.first(count), compressed_checksum_);
        input_.consume(count);
        compressed_left_ -= static_cast<std::int64_t>(count);
    }

    Step<std::size_t> copy_some(std::span<std::byte> buffer) {
        ASSAY_TRY(const ByteView ready, ready_bytes());
        const std::size_t count = std::min(ready.size(), buffer.size());
        if (count > 0) std::memcpy(buffer.data(), ready.data(), count);
        consume(ready, count);
        left_ -= static_cast<std::int64_t>(count);
        return count;
    }

    Step<std::size_t> inflate_some(std::span<std::byte> buffer) {
        while (!inflated_) {
            ASSAY_TRY(const ByteView ready, ready_bytes());
            inflater_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(ready.data()));
            inflater_.avail_in = static_cast<uInt>(ready.size());
            inflater_.next_out = reinterpret_cast<Bytef*>(buffer.data());
            inflater_.avail_out = static_cast<uInt>(buffer.size());
            const int result = ::inflate(&inflater_, Z_NO_FLUSH);
            const std::size_t taken = ready.size() - inflater_.avail_in;
            const std::size_t count = buffer.size() - inflater_.avail_out;
            consume(ready, taken);
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return in_entry(ArchiveFault::data_broken);
            inflated_ = result == Z_STREAM_END;
            if (!inflated_ && taken == 0 && count == 0) return in_entry(ArchiveFault::data_broken);
            // More than was announced, and counted, is never handed on.
            if (static_cast<std::int64_t>(count) > left_) return in_entry(ArchiveFault::checksum_wrong);
            left_ -= static_cast<std::int64_t>(count);
            if (auto too_fast = expansion_.more(input_.offset(), count)) {
                too_fast->entry = escaped(record().name);
                return *std::move(too_fast);
            }
            if (count > 0) return count;
        }
        return std::size_t{0};
    }

    // After the last byte of content.
    Step<> finish() {
        ended_ = true;
        if (left_ != 0 || compressed_left_ != 0 || checksum_ != record().checksum) return in_entry(ArchiveFault::checksum_wrong);
        if (record().seal && little_endian(record().seal->substr(4)) != compressed_checksum_) return in_entry(ArchiveFault::checksum_wrong);
        if ((record().flags & Flag::descriptor) == 0) return ok;
        return check_descriptor();
    }

    // Checksum and both sizes of four or eight bytes, with a mark before them or without: how long it is says which.
    Step<> check_descriptor() {
        const std::int64_t length = next_offset(at_ + 1) - input_.offset();
        if (length != 12 && length != 16 && length != 20 && length != 24) return refused(ArchiveFault::entries_overlap);
        ASSAY_TRY(const std::string bytes, take_bytes(input_, static_cast<std::size_t>(length)));
        std::string_view fields = bytes;
        if (length % 8 == 0) {
            if (!fields.starts_with("PK\x07\x08")) return in_entry(ArchiveFault::header_broken);
            fields.remove_prefix(4);
        }
        const std::size_t width = (fields.size() - 4) / 2;
        if (little_endian(fields.substr(0, 4)) != record().checksum ||
            little_endian(fields.substr(4, width)) != static_cast<std::uint64_t>(record().compressed) ||
            little_endian(fields.substr(4 + width)) != static_cast<std::uint64_t>(record().size)) {
            return refused(ArchiveFault::headers_differ);
        }
        return ok;
    }

    Input& input_;
    model::NameEncoding names_;
    std::optional<ZipDirectory> directory_;
    std::size_t at_ = 0;
    z_stream inflater_{};
    bool inflated_ = false;  // the end of the deflated data was seen
    bool ended_ = true;      // the entry was read, and held
    std::int64_t compressed_left_ = 0;
    std::int64_t left_ = 0;
    Expansion expansion_;
    uLong checksum_ = 0;
    std::uint32_t compressed_checksum_ = 0;
};

}  // namespace

std::unique_ptr<MemberReader> zip_reader(Input& input, model::NameEncoding names) {
    return std::make_unique<ZipReader>(input, names);
}

}  // namespace assay::archive
