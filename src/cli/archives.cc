// assay pack, assay verify: the same packing and judging as around an upload, without a server.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <limits>
#include <utility>

#include "archive/archive.hh"
#include "base/text.hh"
#include "cli/commands.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"
#include "wording/archive_faults.hh"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;
using archive::Format;

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
    return wording::sentence(wording::Language::english, refused.fault, refused.arguments,
                             {.entry = refused.entry, .limit = refused.limit, .value = refused.value, .offset = refused.offset});
}

Json json_of(const archive::Refused& refused) {
    Json json{{"accepted", false}, {"code", model::to_string(refused.code())}, {"fault", model::to_string(refused.fault)}, {"text", said(refused)}};
    if (!refused.entry.empty()) json["entry"] = refused.entry;
    json["offset"] = refused.offset;
    if (refused.limit) json["limit"] = *refused.limit;
    if (refused.value) json["value"] = *refused.value;
    return json;
}

Result<std::string> sha256_of(const sys::Fd& file) {
    sys::Sha256 sum;
    std::vector<std::byte> part(1u << 20);
    for (std::int64_t at = 0;;) {
        ASSAY_TRY(const std::size_t count, sys::read_at(file, part, at));
        if (count == 0) return std::move(sum).hex();
        sum.add(ByteView{part}.first(count));
        at += static_cast<std::int64_t>(count);
    }
}

// What is written beside the target until it is whole. Gone with the object unless it was published.
class Draft {
public:
    static Result<Draft> make(const std::string& target) {
        Draft draft;
        draft.path_ = target + "." + sys::random_text(8, "abcdefghijklmnopqrstuvwxyz") + ".part";
        ASSAY_TRY(draft.file_, sys::create_exclusive(draft.path_, 0644));
        return draft;
    }
    Draft(Draft&& other) noexcept : path_{std::exchange(other.path_, {})}, file_{std::move(other.file_)} {}
    Draft& operator=(Draft&&) = delete;
    ~Draft() {
        if (!path_.empty()) (void)sys::remove_file(path_);
    }
    const sys::Fd& file() const { return file_; }
    const std::string& path() const { return path_; }
    Result<> publish(const std::string& target) {
        ASSAY_CHECK(sys::sync_all(file_));
        ASSAY_CHECK(sys::rename_over(path_, target));
        path_.clear();
        const std::string parent = std::filesystem::path{target}.parent_path().string();
        return sys::sync_directory(parent.empty() ? "." : parent);
    }

private:
    Draft() = default;
    std::string path_;
    sys::Fd file_;
};

// A pack that grows into the folder it is made of has no end.
Result<> check_outside(const std::string& folder, const std::string& target) {
    std::error_code failure;
    const auto inner = std::filesystem::weakly_canonical(target, failure).parent_path();
    if (failure) return Error{Fault::missing, fmt::format("{}: {}", escaped(target), failure.message())};
    const auto outer = std::filesystem::canonical(folder, failure);
    if (failure) return Error{Fault::missing, fmt::format("{}: {}", escaped(folder), failure.message())};
    for (auto at = inner;; at = at.parent_path()) {
        if (at == outer) return Error{Fault::invalid, fmt::format("{} lies in the folder that is packed; write it elsewhere", escaped(target))};
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
    std::string sha256;
    std::int64_t size = 0;
};

Result<Made> make(const std::string& folder, const std::string& target, Format format) {
    ASSAY_CHECK(check_outside(folder, target));
    ASSAY_TRY(Draft draft, Draft::make(target));
    Made made;
    ASSAY_TRY(made.packed, archive::pack_folder(folder, model::UploadRules{}.ignore, format, draft.file()));
    // Opened anew for reading: what counts is what a reader of the file finds.
    ASSAY_TRY(const sys::Fd written, sys::open_read(draft.path()));
    ASSAY_TRY(const archive::Verdict verdict, archive::verify(written, unbounded()));
    if (verdict.refused) return Error{Fault::invalid, said(*verdict.refused)};
    if (verdict.manifest->unpacked_bytes != made.packed.unpacked_bytes || verdict.manifest->entries != made.packed.entries) {
        return Error{Fault::internal, "what was written is not what was packed"};
    }
    ASSAY_TRY(made.sha256, sha256_of(written));
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(written));
    made.size = info.size;
    ASSAY_CHECK(draft.publish(target));
    return made;
}

}  // namespace

ExitCode pack_command(const std::string& folder, const std::string& target, bool json) {
    const auto format = format_of(target);
    if (!format) {
        std::fprintf(stderr, "assay: %s: name it .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst or .zip\n", escaped(target).c_str());
        return ExitCode::misused;
    }
    auto made = make(folder, target, *format);
    if (!made) return fail(made.error());
    const archive::Packed& packed = made->packed;
    if (json) {
        std::printf("%s\n", Json{{"file", target}, {"format", archive::to_string(*format)}, {"size", made->size}, {"sha256", made->sha256},
                                 {"entries", packed.entries}, {"unpacked_bytes", packed.unpacked_bytes}, {"left_out", packed.left_out}}
                                .dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
        return ExitCode::done;
    }
    for (const std::string& path : packed.left_out) std::fprintf(stderr, "left out: %s\n", escaped(path).c_str());
    std::printf("%s: %s, %lld entries of %s, sha256 %s\n", escaped(target).c_str(), size_text(made->size).c_str(),
                static_cast<long long>(packed.entries), size_text(packed.unpacked_bytes).c_str(), made->sha256.c_str());
    return ExitCode::done;
}

ExitCode verify_command(const std::string& path, bool json) {
    const auto judge = [&]() -> Result<archive::Verdict> {
        ASSAY_TRY(const sys::Fd file, sys::open_read(path));
        return archive::verify(file, {});
    };
    auto verdict = judge();
    if (!verdict) return fail(verdict.error());
    if (verdict->refused) {
        const archive::Refused& refused = *verdict->refused;
        if (json) std::printf("%s\n", json_of(refused).dump().c_str());
        else std::fprintf(stderr, "assay: %s: refused (%s): %s\n", escaped(path).c_str(), std::string{model::to_string(refused.code())}.c_str(), said(refused).c_str());
        return ExitCode::failed;
    }
    const archive::Manifest& manifest = *verdict->manifest;
    if (json) {
        std::printf("%s\n", Json{{"accepted", true}, {"format", archive::to_string(manifest.format)}, {"entries", manifest.entries},
                                 {"unpacked_bytes", manifest.unpacked_bytes}, {"stripped", manifest.stripped}}.dump().c_str());
        return ExitCode::done;
    }
    std::printf("%s: sound %s, %lld entries of %s%s\n", escaped(path).c_str(), std::string{archive::to_string(manifest.format)}.c_str(),
                static_cast<long long>(manifest.entries), size_text(manifest.unpacked_bytes).c_str(),
                manifest.stripped.empty() ? "" : fmt::format(", in the folder '{}', which is stripped", escaped(manifest.stripped)).c_str());
    return ExitCode::done;
}

}  // namespace assay::cli
