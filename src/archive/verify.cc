#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/source.hh"
#include "archive/tar.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

constexpr std::string_view readable_formats = "tar, tar.gz or tar.bz2";

bool takes(const model::UploadRules& rules, Format format) {
    return std::ranges::find(rules.formats, to_string(format)) != rules.formats.end();
}

// What people send instead of an archive, told apart by its first bytes.
std::string what_it_looks_like(std::string_view head) {
    if (head.starts_with("\x1F\xEF\xBF\xBD") || head.starts_with("BZh\xEF\xBF\xBD")) {
        return "looks like an archive that was read or sent as text: send it as binary (curl -F file=@NAME)";
    }
    const std::string start = lower_ascii(trimmed(head.substr(0, 64)));
    if (start.starts_with("<!doctype html") || start.starts_with("<html")) return "looks like an HTML page: was an error page or a login page saved?";
    const bool text = std::ranges::all_of(head, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t'; });
    if (text) return "looks like text: send the packed archive, not a file of it";
    return fmt::format("none of the known archive formats; send {}", readable_formats);
}

Refused wrong_format(Format format, const model::UploadRules& rules) {
    Refused refused;
    refused.code = model::Refusal::format;
    const bool allowed = takes(rules, format);
    std::string list;
    for (const std::string& name : rules.formats) {
        const bool readable = name == "tar" || name == "tar.gz" || name == "tar.bz2";
        if (readable) list += (list.empty() ? "" : ", ") + name;
    }
    refused.detail = allowed ? fmt::format("{} is not read yet by this version; send {}", to_string(format), list.empty() ? readable_formats : list)
                             : fmt::format("this module does not take {}; send {}", to_string(format), list);
    return refused;
}

// Every LF of a binary file behind a CR: it was written in text mode, which no archive survives.
Result<bool> went_through_text_mode(const sys::Fd& archive) {
    constexpr int lines_min = 8;
    std::vector<std::byte> head(1u << 20);
    ASSAY_TRY(const std::size_t size, sys::read_at(archive, head, 0));
    int lines = 0;
    for (std::size_t i = 0; i < size; ++i) {
        if (head[i] != std::byte{'\n'}) continue;
        if (i == 0 || head[i - 1] != std::byte{'\r'}) return false;
        ++lines;
    }
    return lines >= lines_min;
}

Step<Manifest> read_all_members(Input& input, const model::UploadRules& rules) {
    ASSAY_TRY(const ByteView head, input.peek());
    if (head.empty()) {
        Refused refused;
        refused.code = model::Refusal::empty;
        refused.detail = "the file has no bytes";
        return refused;
    }
    const Format format = recognise(head.first(std::min(head.size(), recognise_bytes)));
    if (format == Format::unknown) {
        Refused refused;
        refused.code = model::Refusal::not_an_archive;
        refused.detail = what_it_looks_like(text_of(head.first(std::min(head.size(), recognise_bytes))));
        return refused;
    }
    if (!can_read(format) || !takes(rules, format)) return wrong_format(format, rules);

    const auto source = source_of(format, input);
    TarReader reader{*source};
    Tree tree{rules};
    for (;;) {
        ASSAY_TRY(const std::optional<Member> member, reader.next());
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
    if (verdict.refused && verdict.refused->code == model::Refusal::damaged) {
        ASSAY_TRY(const bool text_mode, went_through_text_mode(archive));
        if (text_mode) verdict.refused->detail += "; it looks as if it had been written or sent in text mode (LF became CR LF): send it as binary";
    }
    return verdict;
}

}  // namespace assay::archive
