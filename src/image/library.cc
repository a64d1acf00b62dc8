#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "image/image.hh"
#include "image/keeping.hh"
#include "image/wire.hh"
#include "model/image.hh"
#include "model/json.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/root_tree.hh"

namespace assay::image {
namespace {

constexpr std::string_view unfinished_mark = "tmp-";
constexpr std::size_t record_bytes_max = 16u << 10;
constexpr std::size_t info_bytes_max = line_bytes_max;

bool hexadecimal(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == text.npos; }
bool is_digest(std::string_view text) { return text.size() == 64 && hexadecimal(text); }

std::string record_path(const std::string& directory, const std::string& name) { return directory + "/names/" + name; }

std::string record_of(const Named& named) {
    return nlohmann::json{{"digest", named.info.digest}, {"from", named.from}, {"imported_ms", named.imported_ms}}.dump(
               -1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Without its Info but for the digest.
Result<Named> read_record(const std::string& directory, const std::string& name) {
    ASSAY_TRY(const std::string text, sys::read_file(record_path(directory, name), record_bytes_max));
    ASSAY_TRY(const nlohmann::json json, model::parse_json(text, {.size_max = record_bytes_max, .depth_max = 2, .values_max = 16}));
    Named named{.name = name, .from = {}, .imported_ms = 0, .info = {}};
    const auto text_at = [&](const char* key) { return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string{}; };
    named.info.digest = text_at("digest");
    named.from = text_at("from");
    if (json.is_object() && json.contains("imported_ms") && json["imported_ms"].is_number_integer()) named.imported_ms = json["imported_ms"].get<std::int64_t>();
    if (!is_digest(named.info.digest)) return Error{Fault::invalid, fmt::format("images/names/{} does not say which image it means", escaped(name))};
    return named;
}

Result<Info> read_info(const std::string& directory, const std::string& digest) {
    ASSAY_TRY(const std::string text, sys::read_file(fmt::format("{}/{}/image.json", directory, digest), info_bytes_max));
    ASSAY_TRY(Info info, info_from(text));
    info.digest = digest;
    return info;
}

Result<std::vector<std::string>> names_in(const std::string& path) {
    auto names = sys::list_directory(path);
    if (!names && names.error().fault() == Fault::missing) return std::vector<std::string>{};
    return names;
}

Result<sys::ProcessLock> take_lock(const std::string& directory) {
    const std::string path = directory + "/lock";
    auto lock = sys::ProcessLock::take(path);
    if (!lock && lock.error().fault() == Fault::conflict) return Error{Fault::busy, "another image is being kept or removed right now; try again"};
    if (lock && sys::effective_uid() == 0) {
        ASSAY_TRY(const sys::FileInfo place, sys::info_of_path(directory));
        ASSAY_CHECK(sys::change_owner(path, place.owner, place.owner));
    }
    return lock;
}

}  // namespace

bool Library::has(const std::string& digest) const {
    if (!is_digest(digest)) return false;
    const auto info = sys::info_of_path(fmt::format("{}/{}/root", directory_, digest));
    return info && info->kind == sys::FileInfo::Kind::directory;
}

bool Library::has_program(const std::string& digest, const std::string& program, std::string_view search) const {
    const auto root = sys::open_directory(fmt::format("{}/{}/root", directory_, digest));
    if (!root) return true;
    if (program.contains('/')) return sys::exists_within(*root, program);
    return std::ranges::any_of(split(search, ':'), [&](std::string_view folder) {
        return sys::exists_within(*root, fmt::format("{}/{}", folder, program));
    });
}

Result<std::vector<Named>> Library::list() const {
    const std::lock_guard lock{mutex_};
    std::vector<Named> all;
    ASSAY_TRY(const auto names, names_in(directory_ + "/names"));
    for (const std::string& name : names) {
        if (!model::valid_image_name(name)) continue;  // A record half written.
        auto record = read_record(directory_, name);
        Named named{.name = name, .from = {}, .imported_ms = 0, .info = {}};  // What it means cannot be read: nothing, then.
        if (record) named = std::move(record).value();
        if (auto info = read_info(directory_, named.info.digest)) named.info = std::move(info).value();
        all.push_back(std::move(named));
    }
    const std::size_t with_name = all.size();
    ASSAY_TRY(const auto folders, names_in(directory_));
    for (const std::string& digest : folders) {
        const auto named = [&](const Named& one) { return one.info.digest == digest; };
        if (!is_digest(digest) || std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(with_name), named)) continue;
        Named nameless;
        nameless.info.digest = digest;
        if (auto info = read_info(directory_, digest)) nameless.info = std::move(info).value();
        all.push_back(std::move(nameless));
    }
    return all;
}

Result<Named> Library::find(const std::string& name) const {
    ASSAY_TRY(std::vector<Named> all, list());
    const bool by_digest = name.size() >= model::digest_digits_min && hexadecimal(name);
    const auto found = std::ranges::find_if(all, [&](const Named& one) { return by_digest ? one.info.digest.starts_with(name) : one.name == name; });
    if (found != all.end() && has(found->info.digest)) return std::move(*found);
    std::vector<std::string> there;
    for (const Named& one : all) {
        if (!one.name.empty()) there.push_back(one.name);
    }
    const std::string known = there.empty() ? "none is imported" : fmt::format("there are {}", fmt::join(there, ", "));
    return Error{Fault::missing, fmt::format("there is no image '{}' ({}); import it with: assay image import {} SOURCE", escaped(name, 80), known, escaped(name, 80))};
}

Result<> Library::remove(const std::string& name, const Used& used) {
    const auto held = hold();
    ASSAY_TRY(const Named image, find(name));
    ASSAY_TRY(const std::vector<Named> all, list());
    const std::lock_guard lock{mutex_};
    ASSAY_TRY(const sys::ProcessLock others, take_lock(directory_));
    const std::string& digest = image.info.digest;
    const auto same = std::ranges::count_if(all, [&](const Named& one) { return one.info.digest == digest; });
    if (same < 2) {
        ASSAY_TRY(const std::string who, used(digest));
        if (!who.empty()) return Error{Fault::conflict, fmt::format("the image {} is used by {}; give it another image and apply it first", escaped(name), who)};
    }
    if (!image.name.empty()) {
        ASSAY_CHECK(sys::remove_file(record_path(directory_, image.name)));
        ASSAY_CHECK(sys::sync_directory(directory_ + "/names"));
    }
    if (same > 1) return ok;
    const std::string gone = fmt::format("{}/{}{}", directory_, unfinished_mark, sys::random_text(16, "0123456789abcdef"));
    ASSAY_CHECK(sys::rename_over(directory_ + "/" + digest, gone));  // All at once: never half an image.
    ASSAY_CHECK(sys::sync_directory(directory_));
    return sys::remove_tree(gone);
}

namespace {

// Under the lock: nobody else's may be so new that it has no lock of its own yet.
Result<> sweep_unfinished(const std::string& directory) {
    ASSAY_TRY(const auto names, names_in(directory));
    for (const std::string& name : names) {
        if (!name.starts_with(unfinished_mark)) continue;
        const std::string path = directory + "/" + name;
        auto holder = sys::lock_holder(path + "/lock");
        if (holder && *holder) continue;
        ASSAY_CHECK(sys::remove_tree(path));
    }
    return ok;
}

}  // namespace

Result<> Library::sweep() {
    const std::lock_guard lock{mutex_};
    ASSAY_TRY(const sys::ProcessLock others, take_lock(directory_));
    return sweep_unfinished(directory_);
}

Result<Unfinished> Unfinished::begin(const std::string& directory, std::uint32_t owner) {
    ASSAY_TRY(const sys::ProcessLock others, take_lock(directory));
    ASSAY_CHECK(sweep_unfinished(directory));
    const std::string path = fmt::format("{}/{}{}", directory, unfinished_mark, sys::random_text(16, "0123456789abcdef"));
    ASSAY_CHECK(sys::make_directory(directory + "/names"));
    ASSAY_CHECK(sys::make_directory(path));
    auto lock = sys::ProcessLock::take(path + "/lock");
    if (!lock) return lock.take_error();
    ASSAY_CHECK(sys::make_directory(path + "/root"));
    ASSAY_CHECK(sys::change_mode(path + "/root", 0755));
    if (sys::effective_uid() == 0) {
        for (const std::string& made : {directory + "/names", path, path + "/lock", path + "/root"}) ASSAY_CHECK(sys::change_owner(made, owner, owner));
    }
    return Unfinished{directory, path, std::move(lock).value()};
}

Unfinished::~Unfinished() {
    if (!path_.empty()) (void)sys::remove_tree(path_);
}

Result<bool> Unfinished::keep(const Named& named) && {
    ASSAY_TRY(const sys::ProcessLock others, take_lock(directory_));
    const std::string target = directory_ + "/" + named.info.digest;
    const auto there = sys::info_of_path(target);
    const bool fresh = !there;
    if (fresh) {
        ASSAY_CHECK(sys::rename_over(path_, target));
        path_.clear();
        ASSAY_CHECK(sys::sync_directory(directory_));
        ASSAY_CHECK(sys::remove_file(target + "/lock"));
    }
    ASSAY_CHECK(sys::write_file_durably(record_path(directory_, named.name), record_of(named)));
    return fresh;
}

}  // namespace assay::image
