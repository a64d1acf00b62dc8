#include "participant/hand_in.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hh"
#include "participant/progress.hh"
#include "sys/file.hh"

namespace assay::participant {
namespace {

using wording::Told;
template <class T>
using Answer = std::expected<T, client::Refused>;

// The smallest to send of the formats that every reader knows, where the module takes it.
archive::Format format_for(const model::UploadRules& rules) {
    for (const archive::Format format : {archive::Format::tar_gz, archive::Format::tar_zst, archive::Format::tar_xz,
                                         archive::Format::tar_bz2, archive::Format::zip}) {
        if (std::ranges::find(rules.formats, to_string(format)) != rules.formats.end()) return format;
    }
    return archive::Format::tar;
}

template <class T>
Result<T> whole(Result<T> read) {
    if (read) return read;
    return Error{read.error().fault(), told(Told::not_whole, {escaped(read.error().text(), 2000)})};
}

std::pair<Told, Fault> meaning(archive::Trouble::Kind kind) {
    switch (kind) {
        case archive::Trouble::Kind::shrank: return {Told::file_shrank, Fault::conflict};
        case archive::Trouble::Kind::grew: return {Told::file_grew, Fault::conflict};
        case archive::Trouble::Kind::rewritten: return {Told::file_rewritten, Fault::conflict};
        case archive::Trouble::Kind::written: return {Told::file_written, Fault::conflict};
        case archive::Trouble::Kind::locked: return {Told::file_locked, Fault::busy};
        case archive::Trouble::Kind::denied: return {Told::file_denied, Fault::denied};
        case archive::Trouble::Kind::vanished: return {Told::file_vanished, Fault::missing};
        case archive::Trouble::Kind::unreadable: return {Told::file_unreadable, Fault::system};
        case archive::Trouble::Kind::not_a_file: return {Told::file_no_file, Fault::conflict};
        case archive::Trouble::Kind::too_large: return {Told::file_too_long, Fault::too_large};
    }
    return {Told::file_unreadable, Fault::internal};
}

Error error_of(const archive::Trouble& trouble) {
    const auto [sentence, fault] = meaning(trouble.kind);
    std::string text = told(sentence, {escaped(trouble.path), std::to_string(trouble.reads), escaped(trouble.detail, 1000)});
    std::string holders;
    for (const sys::FileHolder& one : trouble.holders) {
        if (!holders.empty()) holders += told(Told::file_holder_next);
        holders += told(Told::file_holder, {escaped(one.program), std::to_string(one.pid)});
    }
    const bool written = std::ranges::all_of(trouble.holders, &sys::FileHolder::writes);
    if (!holders.empty()) text += told(written ? Told::file_written_by : Told::file_held_by, {holders});
    return {fault, told(Told::not_whole, {text})};
}

std::optional<client::Refused> closed(const client::Limits& limits) {
    if (limits.open) return std::nullopt;
    const bool over = !limits.closes.empty() && limits.opens.empty();
    return refused_here(
        over ? model::Refusal::closed : model::Refusal::not_open,
        told(Told::closed_now, {limits.opens.empty() ? told(Told::opens_at_once) : escaped(limits.opens),
                                limits.closes.empty() ? told(Told::closes_never) : escaped(limits.closes)}));
}

// The server's refusal, and what only a look at the folder can say about it.
client::Refused refusal(const archive::Refused& it, const std::string& folder, const client::Selection& selection,
                        const std::vector<std::string>& required) {
    client::Refused said = refused_here(it);
    if (it.code() != model::Refusal::required_missing) return said;
    for (const std::string& glob : required) {
        if (it.arguments.empty() || escaped(glob) != it.arguments.front()) continue;
        const auto kept = client::kept_back(folder, selection, glob);
        if (!kept) continue;
        const client::Ruling& by = kept->ruling;
        said.text = told(Told::kept_back_required, {escaped(kept->path), escaped(glob), escaped(by.file),
                                                    std::to_string(by.line), escaped(by.rule)});
        said.next = told(Told::kept_back_cure, {escaped(client::rule_for(kept->stays, kept->directory))});
        return said;
    }
    const auto better = client::better_root(folder, selection, required);
    if (better) said.next = *better == ".." ? told(Told::root_above) : told(Told::root_below, {escaped(*better)});
    return said;
}

client::Refused too_large(std::int64_t size, std::int64_t size_max, const std::vector<archive::Entry>& entries) {
    client::Refused said = refused_here(model::Refusal::too_large, told(Told::file_too_large, {std::to_string(size_max), std::to_string(size)}));
    std::string names;
    for (const archive::Entry* const entry : largest_of(entries, 3))
        names += (names.empty() ? "" : ", ") + escaped(entry->path) + " (" + size_text(entry->size) + ")";
    if (!names.empty()) said.text += told(Told::largest_files, {names});
    return said;
}

}  // namespace

client::Answered<client::Selection> chosen(const std::string& folder, archive::Format format,
                                           const model::UploadRules& rules, bool use_ignore_files) {
    ASSAY_TRY(client::Selection selection, whole(client::select(folder, rules, use_ignore_files)));
    if (!selection.odd.empty())
        return Answer<client::Selection>{std::unexpected{
            refused_here(model::Refusal::format, told(Told::no_plain_file, {escaped(selection.odd.front())}))}};
    ASSAY_TRY(const archive::Verdict verdict, archive::judge(selection.goes, format, rules));
    if (!verdict.refused) return Answer<client::Selection>{std::move(selection)};
    return Answer<client::Selection>{std::unexpected{refusal(*verdict.refused, folder, selection, rules.required)}};
}

Result<archive::Packed> packed(const std::string& folder, const client::Selection& selection, archive::Format format,
                               const model::UploadRules& rules, const sys::Fd& out,
                               std::vector<client::Warning>& warnings) {
    client::Watch watch{rules.required};
    const auto see = [&](const archive::Entry& entry, std::string_view content) {
        watch.see(entry, content, std::ranges::binary_search(selection.had_back, entry.path));
    };
    std::int64_t whole = 0;
    for (const archive::Entry& entry : selection.goes) whole += entry.size;
    Progress progress{whole, Progress::of_packing};
    ASSAY_TRY(archive::Packing packing, archive::pack_folder(folder, selection.goes, format, out,
                                                             {.seen = see, .progress = [&](std::int64_t bytes) { progress.at(bytes); }}));
    progress.end();
    if (packing.trouble) return error_of(*packing.trouble);
    for (const std::string& glob : rules.required) {
        const auto kept = client::kept_back(folder, selection, glob);
        if (!kept) continue;
        warnings.push_back({.kind = client::Warning::Kind::kept_back,
                            .path = kept->path,
                            .rule = fmt::format("{}:{}: {}", kept->ruling.file, kept->ruling.line, kept->ruling.rule)});
    }
    std::ranges::move(watch.warnings(selection.goes), std::back_inserter(warnings));
    return std::move(*packing.packed);
}

client::Answered<HandIn> prepare(const std::string& path, const client::Limits& limits, bool use_ignore_files) {
    const auto no = [](client::Refused why) { return Answer<HandIn>{std::unexpected{std::move(why)}}; };
    if (auto over = closed(limits)) return no(std::move(*over));
    std::error_code failure;
    HandIn made{.path = path, .folder = std::filesystem::is_directory(path, failure)};
    if (made.folder) {
        made.format = format_for(limits.rules);
        ASSAY_TRY(auto selection, chosen(path, made.format, limits.rules, use_ignore_files));
        if (!selection) return no(std::move(selection.error()));
        made.selection = std::move(*selection);
        ASSAY_TRY(made.file, sys::memory_file("submission", {}, false));
        ASSAY_TRY(archive::Packed whole, packed(path, made.selection, made.format, limits.rules, made.file, made.warnings));
        made.sum = {.size = whole.size, .sha256 = std::move(whole.sha256)};
    } else {
        ASSAY_TRY(made.file, sys::open_read(path));
        ASSAY_TRY(const sys::FileInfo info, sys::info_of(made.file));
        if (info.size > limits.rules.size_max) return no(too_large(info.size, limits.rules.size_max, {}));
        ASSAY_TRY(made.sum, sum_of(made.file, limits.rules.size_max));
    }
    if (made.sum.size > limits.rules.size_max) return no(too_large(made.sum.size, limits.rules.size_max, made.selection.goes));
    ASSAY_TRY(archive::Verdict verdict, archive::verify(made.file, limits.rules));
    if (verdict.refused) return no(refused_here(*verdict.refused));
    archive::Manifest& manifest = *verdict.manifest;
    if (manifest.names_converted > 0) say(told(Told::converted, {std::to_string(manifest.names_converted), "GB18030"}));
    made.format = manifest.format;
    made.entries = manifest.entries;
    made.unpacked_bytes = manifest.unpacked_bytes;
    if (!made.folder) {
        made.selection.goes = std::move(manifest.listing);
        made.warnings = client::Watch{{}}.warnings(made.selection.goes);
    }
    return Answer<HandIn>{std::move(made)};
}

}  // namespace assay::participant
