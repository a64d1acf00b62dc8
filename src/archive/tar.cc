#include "archive/tar.hh"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <fmt/format.h>

#include "archive/seal.hh"

namespace assay::archive {
namespace {

constexpr std::int64_t size_limit = 1LL << 53;  // larger numbers are lies; arithmetic stays far from overflow

unsigned value_of(std::byte b) { return std::to_integer<unsigned>(b); }

bool all_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

std::optional<std::int64_t> octal(std::string_view text) {
    const std::size_t from = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = std::min(text.find_first_of(std::string_view{" \0", 2}, from), text.size());
    if (text.substr(end).find_first_not_of(std::string_view{" \0", 2}) != std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;  // 12 digits at most: cannot overflow
    for (const char c : text.substr(from, end - from)) {
        if (c < '0' || c > '7') return std::nullopt;
        value = value * 8 + (c - '0');
    }
    return value;
}

}  // namespace

// What extended headers say about the member that follows.
struct TarReader::Extended {
    std::optional<std::string> gnu_name, gnu_target, pax_name, pax_target;
    std::optional<std::int64_t> size;
    std::int64_t bytes = 0;
    bool attributes = false;
    bool any = false;
    bool sparse = false;
};

bool tar_checksum_holds(ByteView block) {
    const auto stored = octal(text_of(block.subspan(148, 8)));
    if (!stored) return false;
    std::int64_t plain = 8 * ' ';
    std::int64_t with_sign = plain;  // what some old writers summed
    for (std::size_t i = 0; i < tar_block_bytes; ++i) {
        if (i >= 148 && i < 156) continue;
        plain += value_of(block[i]);
        with_sign += static_cast<signed char>(value_of(block[i]));
    }
    return (*stored == plain || *stored == with_sign) && !all_zero(block);
}

Step<bool> TarReader::read_block() {
    std::size_t have = 0;
    while (have < block_.size()) {
        ASSAY_TRY(const std::size_t count, source_->read(std::span{block_}.subspan(have)));
        if (count == 0 && have == 0) return false;
        if (count == 0) {
            const bool begun = any_ || field(257, 5) == "ustar";
            if (!begun) return Refused{.fault = ArchiveFault::no_tar, .offset = source_->offset()};
            return damaged(source_->offset(), ArchiveFault::data_cut, "tar");
        }
        have += count;
    }
    return true;
}

Step<std::size_t> TarReader::read(std::span<std::byte> buffer) {
    if (left_ == 0) return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(buffer.size())));
    auto some = source_->read(buffer.first(wanted));
    if (!some) return in_member(some.take_error());
    const std::size_t count = *some;
    if (count == 0) return in_member(damaged(source_->offset(), ArchiveFault::data_cut, "tar"));
    left_ -= static_cast<std::int64_t>(count);
    if (sealed_) checksum_ = crc32_of(buffer.first(count), checksum_);
    return count;
}

Step<> TarReader::skip_rest() {
    std::array<std::byte, buffer_bytes> scrap;
    while (left_ > 0) ASSAY_CHECK(read(scrap));
    const auto sealed = std::exchange(sealed_, std::nullopt);
    if (sealed && *sealed != checksum_) return in_member(damaged(header_at_, ArchiveFault::checksum_wrong, "tar"));
    for (left_ = std::exchange(padding_, 0); left_ > 0;) {
        ASSAY_TRY(const std::size_t count, read(scrap));
        if (sealed && !all_zero(ByteView{scrap}.first(count))) return in_member(damaged(source_->offset(), ArchiveFault::data_broken, "tar"));
    }
    return ok;
}

// Our own headers are written in one way only.
Step<> TarReader::take_seal() {
    const std::string_view seal = text_of(std::span{block_}.subspan(tar_seal_at, tar_seal_bytes));
    if (!seal.starts_with(tar_seal_mark)) return ok;
    std::uint32_t checksum = 0;
    const std::string_view digits = seal.substr(tar_seal_mark.size(), 8);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), checksum, 16);
    const auto sum = octal(text_of(std::span{block_}.subspan(148, 8)));
    const std::string expected = fmt::format("{:06o}", sum.value_or(0)) + std::string{"\0 ", 2};
    if (failure != std::errc{} || end != digits.data() + digits.size() || text_of(std::span{block_}.subspan(148, 8)) != expected) {
        return damaged(header_at_, ArchiveFault::header_broken, "tar");
    }
    sealed_ = checksum;
    checksum_ = 0;
    return ok;
}

// The first zero block was read.
Step<> TarReader::read_end() {
    ASSAY_TRY(const bool second, read_block());
    if (!second) return Refused{.fault = ArchiveFault::end_missing, .offset = source_->offset()};
    if (!all_zero(block_)) return damaged(header_at_, ArchiveFault::data_broken, "tar");
    std::array<std::byte, buffer_bytes> rest;
    for (std::int64_t total = 0;;) {
        ASSAY_TRY(const std::size_t count, source_->read(rest));
        if (count == 0) return ok;
        if (!all_zero(std::span{rest}.first(count))) return damaged(source_->offset(), ArchiveFault::trailing, "tar");
        total += static_cast<std::int64_t>(count);
        if (total > padding_max) {
            return Refused{.fault = ArchiveFault::padding, .offset = source_->offset(), .limit = padding_max, .value = total};
        }
    }
}

Step<std::optional<Member>> TarReader::next() {
    ASSAY_CHECK(skip_rest());
    name_.clear();
    Extended extended;
    for (;;) {
        header_at_ = source_->offset();
        ASSAY_TRY(const bool there, read_block());
        if (!there) return Refused{.fault = ArchiveFault::end_missing, .offset = header_at_};
        if (all_zero(block_)) {
            if (extended.any) return damaged(header_at_, ArchiveFault::header_broken, "tar");
            ASSAY_CHECK(read_end());
            return std::optional<Member>{};
        }
        if (!tar_checksum_holds(block_)) {
            if (any_ || field(257, 5) == "ustar") return damaged(header_at_, ArchiveFault::checksum_wrong, "tar");
            return Refused{.fault = ArchiveFault::no_tar, .offset = header_at_};
        }
        any_ = true;
        ASSAY_CHECK(take_seal());
        const char type = static_cast<char>(block_[156]);
        if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
            ASSAY_CHECK(take_extension(type, extended));
            continue;
        }
        ASSAY_TRY(Member member, member_of(type, extended));
        return std::optional{std::move(member)};
    }
}

// What stops the reading of a member's bytes stops it there, whoever noticed.
Stop TarReader::in_member(Stop stop) const {
    if (auto* const refused = std::get_if<Refused>(&stop); refused != nullptr && refused->entry.empty()) refused->entry = escaped(name_);
    return stop;
}

std::string_view TarReader::field(std::size_t offset, std::size_t size) const {
    const std::string_view text = text_of(std::span{block_}.subspan(offset, size));
    return text.substr(0, text.find('\0'));
}

// Octal text, or base-256 with the first bit set (GNU, for what does not fit).
Step<std::int64_t> TarReader::number(std::size_t offset, std::size_t size) const {
    const auto bytes = std::span{block_}.subspan(offset, size);
    if (value_of(bytes.front()) < 0x80) {
        const auto value = octal(text_of(bytes));
        if (!value) return damaged(header_at_, ArchiveFault::header_broken, "tar");
        return *value;
    }
    std::int64_t value = value_of(bytes.front()) & 0x7F;
    for (const std::byte b : bytes.subspan(1)) {
        if (value > size_limit) break;
        value = value * 256 + value_of(b);
    }
    if (value > size_limit) return damaged(header_at_, ArchiveFault::header_broken, "tar");
    return value;
}

Step<> TarReader::take_extension(char type, Extended& extended) {
    ASSAY_TRY(const std::int64_t size, number(124, 12));
    extended.any = true;
    extended.bytes += size;
    headers_total_ += std::min(size, header_bytes_max + 1) + static_cast<std::int64_t>(tar_block_bytes);
    const std::int64_t total_max = kind_ == TarKind::layer ? layer_headers_total_max : headers_total_max;
    if (extended.bytes > header_bytes_max || headers_total_ > total_max) {
        const bool one = extended.bytes > header_bytes_max;
        return Refused{
            .fault = ArchiveFault::headers_too_large,
            .offset = header_at_,
            .limit = one ? header_bytes_max : total_max,
            .value = one ? extended.bytes : headers_total_,
        };
    }
    std::string text(static_cast<std::size_t>(size), '\0');
    left_ = size;
    padding_ = (512 - size % 512) % 512;
    for (std::size_t have = 0; left_ > 0;) {
        ASSAY_TRY(const std::size_t count, read(std::as_writable_bytes(std::span{text}.subspan(have))));
        have += count;
    }
    ASSAY_CHECK(skip_rest());
    if (type == 'x' || type == 'g') return take_pax(text, type == 'g', extended);

    text.resize(std::min(text.find_last_not_of('\0') + 1, text.size()));
    (type == 'L' ? extended.gnu_name : extended.gnu_target) = std::move(text);
    return ok;
}

// Records "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
Step<> TarReader::take_pax(std::string_view records, bool global, Extended& extended) {
    const auto malformed = [&] { return damaged(header_at_, ArchiveFault::header_broken, "pax"); };
    while (!records.empty()) {
        std::size_t length = 0;
        const auto [end, failure] = std::from_chars(records.data(), records.data() + records.size(), length);
        const auto digits = static_cast<std::size_t>(end - records.data());
        if (failure != std::errc{} || length > records.size() || length < digits + 3 || records[digits] != ' ' || records[length - 1] != '\n') {
            return malformed();
        }
        const std::string_view record = records.substr(digits + 1, length - digits - 2);
        records.remove_prefix(length);
        const std::size_t equals = record.find('=');
        if (equals == std::string_view::npos || equals == 0) return malformed();
        const std::string_view key = record.substr(0, equals);
        const std::string_view value = record.substr(equals + 1);
        if (key.starts_with("GNU.sparse.")) extended.sparse = true;
        if (!global && (key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr."))) extended.attributes = true;
        if (key != "path" && key != "linkpath" && key != "size") continue;
        if (global) return Refused{.fault = ArchiveFault::global_header, .arguments = {std::string{key}}, .offset = header_at_};
        if (key == "path") {
            extended.pax_name = value;
        } else if (key == "linkpath") {
            extended.pax_target = value;
        } else {
            std::int64_t size = 0;
            const auto parsed = std::from_chars(value.data(), value.data() + value.size(), size);
            if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size() || size < 0 || size > size_limit) return malformed();
            extended.size = size;
        }
    }
    return ok;
}

Step<Member> TarReader::member_of(char type, Extended& extended) {
    Member member;
    member.offset = header_at_;
    const std::string_view prefix = text_of(std::span{block_}.subspan(257, 6)) == std::string_view{"ustar\0", 6} ? field(345, 155) : "";
    member.name = extended.pax_name   ? *extended.pax_name
                  : extended.gnu_name ? *extended.gnu_name
                  : prefix.empty()    ? std::string{field(0, 100)}
                                      : fmt::format("{}/{}", prefix, field(0, 100));
    member.name_is_utf8 = extended.pax_name.has_value();  // The format says that they are.
    member.target_is_utf8 = extended.pax_target.has_value();
    member.target = extended.pax_target ? *extended.pax_target : extended.gnu_target ? *extended.gnu_target : std::string{field(157, 100)};
    name_ = member.name;
    auto header_size = number(124, 12);
    if (!header_size) return in_member(header_size.take_error());
    auto mode = number(100, 8);
    if (!mode) return in_member(mode.take_error());
    member.executable = (*mode & 0100) != 0;
    member.mode = static_cast<std::uint32_t>(*mode & 07777);
    member.attributes = extended.attributes;
    if (kind_ == TarKind::layer) {  // Nothing hangs on it: one that cannot be read is none.
        if (auto modified = number(136, 12)) member.modified_s = *modified;
    }
    const std::int64_t size = extended.size.value_or(*header_size);
    const auto refused = [&](ArchiveFault fault, std::vector<std::string> arguments = {}) {
        return Refused{.fault = fault, .arguments = std::move(arguments), .entry = escaped(member.name), .offset = header_at_};
    };
    if (extended.sparse) return refused(ArchiveFault::sparse);
    switch (type) {
        case '0': case '\0': case '7':  // '7' asks for contiguous storage and is otherwise a file like any other.
            // Before ustar a directory was a file whose name ends in a slash.
            member.kind = type == '\0' && member.name.ends_with('/') ? Member::Kind::directory : Member::Kind::regular;
            break;
        case '5': member.kind = Member::Kind::directory; break;
        case '2': member.kind = Member::Kind::symlink; break;
        case '1': member.kind = Member::Kind::hardlink; break;
        case 'S': return refused(ArchiveFault::sparse);
        case '3': case '4': case '6':
            if (kind_ == TarKind::handed_in) return refused(ArchiveFault::device);
            member.kind = Member::Kind::device;
            break;
        default: return refused(ArchiveFault::member_type, {escaped({&type, 1})});
    }
    if (member.kind != Member::Kind::regular && size != 0) {
        return refused(ArchiveFault::content_unexpected);
    }
    member.size = size;
    left_ = size;
    padding_ = (512 - size % 512) % 512;
    return member;
}

}  // namespace assay::archive
