#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/member.hh"
#include "archive/tar.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

bool takes(const model::UploadRules& rules, Format format) {
    return std::ranges::find(rules.formats, to_string(format)) != rules.formats.end();
}

// Those of the module's formats that can be read: "tar, tar.gz".
std::string formats_taken(const model::UploadRules& rules) {
    std::string list;
    for (const Format format : {Format::tar, Format::tar_gz, Format::tar_bz2, Format::tar_xz, Format::tar_zst, Format::zip}) {
        if (can_read(format) && takes(rules, format)) list += fmt::format("{}{}", list.empty() ? "" : ", ", to_string(format));
    }
    return list;
}

// What people send instead of an archive, told apart by its first bytes.
Refused what_it_looks_like(std::string_view head, const model::UploadRules& rules) {
    if (head.starts_with("\x1F\xEF\xBF\xBD") || head.starts_with("BZh\xEF\xBF\xBD")) {
        return {.fault = ArchiveFault::read_as_text};
    }
    const std::string start = lower_ascii(trimmed(head.substr(0, 64)));
    if (start.starts_with("<!doctype html") || start.starts_with("<html")) return {.fault = ArchiveFault::html_page};
    const bool text = std::ranges::all_of(head, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t'; });
    if (text) return {.fault = ArchiveFault::plain_text};
    return {.fault = ArchiveFault::unknown_format, .arguments = {formats_taken(rules)}};
}

Refused wrong_format(Format format, const model::UploadRules& rules) {
    const ArchiveFault fault = takes(rules, format) ? ArchiveFault::format_unread : ArchiveFault::format_not_taken;
    return {.fault = fault, .arguments = {std::string{to_string(format)}, formats_taken(rules)}};
}

// Every LF of a binary file behind a CR: it was written in text mode, which no archive survives. A plain tar of text from Windows
// looks the same, but its blocks are whole, as they are not once bytes were put between them.
Result<bool> went_through_text_mode(const sys::Fd& archive) {
    constexpr int lines_min = 8;
    constexpr std::int64_t looked_at_bytes = 1 << 20;
    std::array<std::byte, buffer_bytes> part;
    int lines = 0;
    std::byte before{};
    for (std::int64_t at = 0; at < looked_at_bytes;) {
        ASSAY_TRY(const std::size_t size, sys::read_at(archive, part, at));
        if (size == 0) break;
        if (at == 0 && recognise(ByteView{part}.first(std::min(size, recognise_bytes))) == Format::tar) {
            auto whole = static_cast<std::int64_t>(size);  // Less than was asked for is all there is.
            if (size == part.size()) {
                ASSAY_TRY(whole, Input{archive}.size());
            }
            if (whole % static_cast<std::int64_t>(tar_block_bytes) == 0) return false;
        }
        for (const std::byte byte : ByteView{part}.first(size)) {
            if (byte == std::byte{'\n'}) {
                if (before != std::byte{'\r'}) return false;
                ++lines;
            }
            before = byte;
        }
        at += static_cast<std::int64_t>(size);
    }
    return lines >= lines_min;
}

Step<Manifest> read_all_members(Input& input, const model::UploadRules& rules) {
    ASSAY_TRY(const ByteView head, input.peek());
    if (head.empty()) return Refused{.fault = ArchiveFault::no_bytes};
    const ByteView start = head.first(std::min(head.size(), recognise_bytes));
    const Format format = recognise(start);
    if (format == Format::unknown) return what_it_looks_like(text_of(start), rules);
    if (!can_read(format) || !takes(rules, format)) return wrong_format(format, rules);

    const auto reader = members_of(format, input, rules.names);
    Tree tree{rules};
    for (;;) {
        ASSAY_TRY(const std::optional<Member> member, reader->next());
        if (!member) break;
        ASSAY_CHECK(tree.add(*member));
    }
    return tree.finish(format);
}

}  // namespace

Result<Verdict> verdict_of(Step<Manifest> step) {
    Verdict verdict;
    if (step) {
        verdict.manifest = std::move(step).value();
        return verdict;
    }
    Stop stop = step.take_error();
    if (auto* const error = std::get_if<Error>(&stop)) return std::move(*error);
    verdict.refused = std::get<Refused>(std::move(stop));
    return verdict;
}

Result<Verdict> verify(const sys::Fd& archive, const model::UploadRules& rules) {
    Input input{archive};
    ASSAY_TRY(Verdict verdict, verdict_of(read_all_members(input, rules)));
    // A plain tar has no checksum of its contents, so that what was put into it can go unseen.
    const bool doubtful = verdict.refused ? verdict.refused->code() == model::Refusal::damaged : verdict.manifest->format == Format::tar;
    if (!doubtful) return verdict;
    ASSAY_TRY(const bool text_mode, went_through_text_mode(archive));
    if (!text_mode) return verdict;
    return Verdict{.manifest = {}, .refused = Refused{.fault = ArchiveFault::text_mode, .offset = verdict.refused ? verdict.refused->offset : 0}};
}

}  // namespace assay::archive
