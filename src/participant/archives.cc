// assay pack, assay verify: the same packing and judging as around an upload, without a server.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <limits>
#include <utility>

#include "archive/archive.hh"
#include "archive/folder.hh"
#include "base/text.hh"
#include "participant/commands.hh"
#include "participant/hand_in.hh"
#include "participant/language.hh"
#include "sys/draft.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/program.hh"
#include "wording/archive_faults.hh"

namespace assay::participant {
namespace {

using Json = nlohmann::ordered_json;
using archive::Format;
using wording::Told;

constexpr std::pair<std::string_view, Format> suffixes[] = {
    {".tar", Format::tar},        {".tar.gz", Format::tar_gz},  {".tgz", Format::tar_gz},   {".tar.bz2", Format::tar_bz2}, {".tbz2", Format::tar_bz2},
    {".tar.xz", Format::tar_xz},  {".txz", Format::tar_xz},     {".tar.zst", Format::tar_zst}, {".tzst", Format::tar_zst},  {".zip", Format::zip},
};

std::optional<Format> format_of(std::string_view file) {
    const std::string name = lower_ascii(file);
    for (const auto& [suffix, format] : suffixes) {
        if (name.ends_with(suffix)) return format;
    }
    return std::nullopt;
}

std::string said(const archive::Refused& refused) {
    return wording::sentence(language(), refused.fault, refused.arguments,
                             {.entry = refused.entry, .limit = refused.limit, .value = refused.value, .offset = refused.offset});
}

// Whatever a server would refuse, by the same words. `fault` is empty where the bytes are not looked at.
struct NotTaken {
    model::Refusal code = model::Refusal::internal;
    std::string_view fault;
    std::string text;
    std::string entry;
    std::int64_t offset = 0;
    std::optional<std::int64_t> limit, value;
};
NotTaken not_taken(const archive::Refused& it) { return {it.code(), model::to_string(it.fault), said(it), it.entry, it.offset, it.limit, it.value}; }

ExitCode refused(const std::string& path, const NotTaken& it, bool json) {
    const std::string code{model::to_string(it.code)}, next = wording::next_step(language(), it.code);
    if (!json) {
        say(wording::say(language(), Told::refused_file, {escaped(path), code, it.text}));
        say(next);
        return ExitCode::failed;
    }
    Json object{{"accepted", false}, {"code", code}};
    if (!it.fault.empty()) object["fault"] = it.fault;
    object["text"] = it.text;
    object["next"] = next;
    if (!it.entry.empty()) object["entry"] = it.entry;
    object["offset"] = it.offset;
    if (it.limit) object["limit"] = *it.limit;
    if (it.value) object["value"] = *it.value;
    print_line(object.dump());
    return ExitCode::failed;
}

// A pack that grows into the folder it is made of has no end.
Result<> check_outside(const std::string& folder, const std::string& target) {
    std::error_code failure;
    const auto inner = std::filesystem::weakly_canonical(target, failure).parent_path();
    if (failure) return Error{Fault::missing, fmt::format("{}: {}", escaped(target), failure.message())};
    const auto outer = std::filesystem::canonical(folder, failure);
    if (failure) return Error{Fault::missing, fmt::format("{}: {}", escaped(folder), failure.message())};
    for (auto at = inner;; at = at.parent_path()) {
        if (at == outer) return Error{Fault::invalid, told(Told::in_the_folder, {escaped(target)})};
        if (at == at.parent_path()) return ok;
    }
}

model::UploadRules unbounded() {
    model::UploadRules rules;
    rules.ignore.clear();
    rules.unpacked_max = rules.entries_max = std::numeric_limits<std::int64_t>::max();
    return rules;
}

struct Made {
    archive::Packed packed;
    client::Selection selection;
    std::vector<client::Warning> warnings;
};

// By reading all of it as a server does. gzip and zstd were, piece by piece, while they were written.
Result<> check_whole(const sys::Fd& file, const archive::Packed& packed) {
    ASSAY_TRY(const archive::Verdict verdict, archive::verify(file, unbounded()));
    if (verdict.refused) return Error{Fault::invalid, said(*verdict.refused)};
    if (verdict.manifest->unpacked_bytes == packed.unpacked_bytes && verdict.manifest->entries == packed.entries) return ok;
    return Error{Fault::internal, "what was written is not what was packed"};
}

Result<Made> make(const std::string& folder, const std::string& target, Format format, bool use_ignore_files) {
    ASSAY_CHECK(check_outside(folder, target));
    model::UploadRules rules = unbounded();
    rules.ignore = model::UploadRules{}.ignore;
    ASSAY_TRY(auto selection, chosen(folder, format, rules, use_ignore_files));
    if (!selection) return Error{Fault::invalid, selection.error().text};
    Made made{.selection = std::move(*selection)};
    sys::ignore_file_size_signal();
    ASSAY_TRY(sys::Draft draft, sys::Draft::make(target, 0644));
    ASSAY_TRY(made.packed, packed(folder, made.selection, format, rules, draft.file(), made.warnings));
    // Read anew: what counts is what a reader of the file finds.
    ASSAY_CHECK(sys::rewind(draft.file()));
    ASSAY_TRY(const Sum sum, sum_of(draft.file(), std::numeric_limits<std::int64_t>::max() - 1));
    if (sum.size != made.packed.size || sum.sha256 != made.packed.sha256) return Error{Fault::disk_failed, "what was written does not come back"};
    if (format != Format::tar_gz && format != Format::tar_zst) ASSAY_CHECK(check_whole(draft.file(), made.packed));
    ASSAY_CHECK(draft.publish());
    return made;
}

}  // namespace

ExitCode pack_command(const std::string& folder, const std::string& target, bool use_ignore_files, bool json) {
    const auto format = format_of(target);
    if (!format) {
        say(told(Told::pack_suffix, {escaped(target)}));
        return ExitCode::misused;
    }
    auto made = make(folder, target, *format, use_ignore_files);
    if (!made) return fail(made.error());
    const archive::Packed& packed = made->packed;
    for (const client::Warning& warning : made->warnings) say(told(Told::warning, {text_of(warning)}));
    if (json) {
        Json left_out = Json::array();
        for (const client::Stay& stay : made->selection.stays) left_out.push_back(stay.path);
        print_line(Json{{"file", target},
                        {"format", archive::to_string(*format)},
                        {"size", packed.size},
                        {"sha256", packed.sha256},
                        {"entries", packed.entries},
                        {"unpacked_bytes", packed.unpacked_bytes},
                        {"left_out", left_out}}
                       .dump(-1, ' ', false, Json::error_handler_t::replace));
        return ExitCode::done;
    }
    for (const client::Stay& stay : made->selection.stays)
        sys::print(stderr, told(Told::left_out, {escaped(stay.path), why(stay)}) + "\n");
    print_line(wording::say(language(), Told::packed,
                            {escaped(target), size_text(packed.size), std::to_string(packed.entries), size_text(packed.unpacked_bytes),
                             packed.sha256}));
    return ExitCode::done;
}

ExitCode verify_command(const std::string& path, const std::optional<model::UploadRules>& module, bool json) {
    const model::UploadRules rules = module.value_or(model::UploadRules{});
    const auto file = sys::open_read(path);
    if (!file) return fail(file.error());
    const auto info = sys::info_of(*file);
    if (!info) return fail(info.error());
    if (module && info->size > rules.size_max) {
        const std::string text = wording::say(language(), Told::file_too_large, {std::to_string(rules.size_max), std::to_string(info->size)});
        return refused(path, {.code = model::Refusal::too_large, .fault = {}, .text = text, .entry = {}, .limit = rules.size_max, .value = info->size}, json);
    }
    const auto verdict = archive::verify(*file, rules);
    if (!verdict) return fail(verdict.error());
    if (verdict->refused) return refused(path, not_taken(*verdict->refused), json);
    const archive::Manifest& manifest = *verdict->manifest;
    const std::string format{archive::to_string(manifest.format)};
    if (json) {
        print_line(Json{{"accepted", true}, {"format", format}, {"entries", manifest.entries}, {"unpacked_bytes", manifest.unpacked_bytes},
                                 {"stripped", manifest.stripped}, {"names_converted", manifest.names_converted}}.dump());
        return ExitCode::done;
    }
    std::string line = wording::say(language(), Told::sound, {escaped(path), format, std::to_string(manifest.entries), size_text(manifest.unpacked_bytes)});
    if (!manifest.stripped.empty()) line += wording::say(language(), Told::stripped, {escaped(manifest.stripped)});
    if (manifest.names_converted > 0) line += "\n" + wording::say(language(), Told::converted, {std::to_string(manifest.names_converted), "GB18030"});
    print_line(line);
    return ExitCode::done;
}

}  // namespace assay::participant
