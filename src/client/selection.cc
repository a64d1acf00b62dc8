#include "client/selection.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "archive/folder.hh"
#include "archive/patterns.hh"
#include "base/text.hh"
#include "client/settings.hh"
#include "sys/file.hh"

namespace assay::client {
namespace {

using Kind = sys::FileInfo::Kind;

// What is no part of the work, beside what the module ignores anyway.
constexpr std::array<std::string_view, 6> never_handed_in{".git",        ".hg", ".svn", ".jj", project_file_name,
                                                          own_rules_name};

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string below(std::string_view folder, std::string_view name) {
    return folder.empty() ? std::string{name} : fmt::format("{}/{}", folder, name);
}

class Choosing : public archive::Picker {
public:
    Choosing(const std::string& root, const model::UploadRules& rules, bool use_ignore_files)
        : root_{root}, rules_{rules}, reads_{use_ignore_files} {}

    Result<> enter(const std::string& folder) override {
        ASSAY_TRY(const std::string git, text_of_rules(below(folder, git_rules_name)));
        ASSAY_TRY(const std::string own, text_of_rules(below(folder, own_rules_name)));
        return ignore_.enter(folder, git, own);
    }
    void leave() override { ignore_.leave(); }

    Result<bool> goes(const std::string& path, const sys::FileInfo& info) override {
        Stay stay{.path = path,
                  .directory = info.kind == Kind::directory,
                  .size = info.kind == Kind::regular ? info.size : 0};
        if (!decided(stay)) {
            if (info.kind == Kind::other) odd_.push_back(path);
            return info.kind != Kind::other;
        }
        stays_.push_back(std::move(stay));
        return false;
    }
    std::vector<Stay> take_stays() { return std::move(stays_); }
    std::vector<std::string> take_had_back() {
        std::ranges::sort(had_back_);
        return std::move(had_back_);
    }
    std::vector<std::string> take_odd() { return std::move(odd_); }

private:
    bool decided(Stay& stay) {
        if (std::ranges::find(never_handed_in, last_part(stay.path)) != never_handed_in.end()) {
            stay.ruling.rule = last_part(stay.path);
            return true;
        }
        const auto pattern = std::ranges::find_if(rules_.ignore, [&](const std::string& one) {
            return archive::ignored({&one, 1}, stay.path, stay.directory);
        });
        if (pattern != rules_.ignore.end()) {
            stay.why = Stay::Why::module;
            stay.ruling.rule = *pattern;
            return true;
        }
        auto ruling = ignore_.ruling(stay.path, stay.directory);
        if (ruling && !ruling->stays) had_back_.push_back(stay.path);
        if (!ruling || !ruling->stays) return false;
        stay.why = Stay::Why::rule;
        stay.ruling = std::move(*ruling);
        return true;
    }

    // Like git, which follows no link here either. What is there and cannot be read must not count as nothing.
    Result<std::string> text_of_rules(const std::string& path) const {
        if (!reads_) return std::string{};
        const auto info = sys::info_of_path(root_ + "/" + path);
        if (!info && info.error().fault() != Fault::missing) return info.error();
        if (!info || info->kind != Kind::regular) return std::string{};
        auto text = sys::read_file(root_ + "/" + path, ignore_file_bytes_max);
        if (!text) return text.take_error().in(path);
        return text;
    }

    const std::string& root_;
    const model::UploadRules& rules_;
    const bool reads_;
    Ignore ignore_;
    std::vector<Stay> stays_;
    std::vector<std::string> had_back_, odd_;
};

// A path below `folder` of the tree at `root` that the glob means, looked for only where it can be. `left`: names still looked at.
// What cannot be read has none.
std::optional<std::string> found_below(const std::string& root, const std::string& folder, std::string_view glob,
                                       std::size_t& left) {
    const auto depth = static_cast<std::size_t>(std::ranges::count(folder, '/') + (folder.empty() ? 0 : 1));
    const auto parts = split(glob, '/');
    if (depth >= parts.size()) return std::nullopt;
    const auto names = sys::list_directory(folder.empty() ? root : root + "/" + folder);
    if (!names) return std::nullopt;
    for (const std::string& name : *names) {
        if (left == 0) break;
        --left;
        if (!archive::glob_matches(parts[depth], name)) continue;
        const std::string path = below(folder, name);
        if (depth + 1 == parts.size()) return path;
        const auto info = sys::info_of_path(root + "/" + path);
        if (!info || info->kind != Kind::directory) continue;
        if (auto found = found_below(root, path, glob, left)) return found;
    }
    return std::nullopt;
}

// Whether the first parts of the glob mean this folder.
bool leads_into(std::string_view glob, std::string_view folder) {
    const auto parts = split(glob, '/');
    const auto names = split(folder, '/');
    return parts.size() > names.size() &&
           std::ranges::equal(std::span{parts}.first(names.size()), names, archive::glob_matches);
}

std::string_view without_slash(std::string_view glob) {
    return glob.ends_with('/') ? glob.substr(0, glob.size() - 1) : glob;
}

}  // namespace

Result<Selection> select(const std::string& folder, const model::UploadRules& rules, bool use_ignore_files) {
    Choosing choosing{folder, rules, use_ignore_files};
    Selection selection;
    ASSAY_TRY(selection.goes, archive::list_folder(folder, choosing));
    selection.stays = choosing.take_stays();
    selection.had_back = choosing.take_had_back();
    selection.odd = choosing.take_odd();
    return selection;
}

std::optional<Kept> kept_back(const std::string& folder, const Selection& selection, std::string_view required) {
    const std::string_view glob = without_slash(required);
    std::size_t left = looked_at_max;
    for (const Stay& stay : selection.stays) {
        if (stay.why != Stay::Why::rule) continue;
        if (archive::glob_matches(glob, stay.path)) return Kept{stay.path, stay.ruling, stay.path, stay.directory};
        if (!stay.directory || !leads_into(glob, stay.path)) continue;
        if (auto found = found_below(folder, stay.path, glob, left))
            return Kept{std::move(*found), stay.ruling, stay.path, true};
    }
    return std::nullopt;
}

std::optional<std::string> better_root(const std::string& folder, const Selection& selection,
                                       const std::vector<std::string>& required) {
    if (required.empty()) return std::nullopt;
    const auto has = [&](std::string_view top, const std::string& glob) {
        return std::ranges::any_of(selection.goes, [&](const archive::Entry& entry) {
            const std::string_view path = entry.path;
            return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/' &&
                   archive::glob_matches(without_slash(glob), path.substr(top.size() + 1));
        });
    };
    for (const archive::Entry& top : selection.goes) {
        if (top.kind != archive::Entry::Kind::directory || top.path.contains('/')) continue;
        if (std::ranges::all_of(required, [&](const std::string& glob) { return has(top.path, glob); }))
            return top.path;
    }
    std::error_code failure;
    const std::string above = std::filesystem::canonical(folder, failure).parent_path().string();
    if (failure) return std::nullopt;
    const bool all = std::ranges::all_of(required, [&](const std::string& glob) {
        std::size_t left = looked_at_max;
        return found_below(above, "", without_slash(glob), left).has_value();
    });
    return all ? std::optional<std::string>{".."} : std::nullopt;
}

}  // namespace assay::client
