#include "client/folder.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::client {
namespace {

constexpr std::array<std::string_view, 4> version_control{".git", ".hg", ".svn", ".jj"};

struct Walk {
    const std::string& top;
    const sys::Fd& directory;  // of `top`: whatever is swapped meanwhile, nothing outside is read
    std::int64_t bytes_left;
    std::int64_t files_max;
    Folder found{};

    Result<> enter(const std::string& inside, std::size_t depth) {
        if (depth > folder_depth_max) return Error{Fault::too_large, fmt::format("{}: folders nest deeper than {}", escaped(inside), folder_depth_max)};
        ASSAY_TRY(const auto names, sys::list_directory(inside.empty() ? top : top + "/" + inside));
        for (const std::string& name : names) ASSAY_CHECK(take(inside.empty() ? name : inside + "/" + name, name, depth));
        return ok;
    }

    Result<> take(const std::string& path, const std::string& name, std::size_t depth) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(top + "/" + path));
        switch (info.kind) {
            case sys::FileInfo::Kind::directory:
                if (std::ranges::find(version_control, name) == version_control.end()) return enter(path, depth + 1);
                found.left_out.push_back(path);
                return ok;
            case sys::FileInfo::Kind::symlink:
                return Error{Fault::invalid, fmt::format("{} is a symbolic link; hand in an archive you packed yourself to keep it", escaped(path))};
            case sys::FileInfo::Kind::other: return Error{Fault::invalid, fmt::format("{} is no plain file", escaped(path))};
            case sys::FileInfo::Kind::regular: break;
        }
        if (static_cast<std::int64_t>(found.files.size()) >= files_max) return Error{Fault::too_large, fmt::format("more than {} files", files_max)};
        ASSAY_TRY(const sys::Fd file, sys::open_beneath(directory, path));
        auto content = sys::read_all(file, static_cast<std::size_t>(bytes_left));
        if (!content && content.error().fault() == Fault::too_large) {
            return Error{Fault::too_large, fmt::format("the files are larger together than what the module unpacks (at {})", escaped(path))};
        }
        if (!content) return content.take_error().in(path);
        bytes_left -= static_cast<std::int64_t>(content->size());
        found.files.push_back({.path = path, .executable = (info.mode & 0111) != 0, .content = std::move(*content)});
        return ok;
    }
};

}  // namespace

Result<Folder> read_folder(const std::string& path, std::int64_t bytes_max, std::int64_t files_max) {
    ASSAY_TRY(const sys::Fd directory, sys::open_directory(path));
    Walk walk{.top = path, .directory = directory, .bytes_left = bytes_max, .files_max = files_max};
    ASSAY_CHECK(walk.enter("", 0));
    if (walk.found.files.empty()) return Error{Fault::invalid, "the folder is empty"};
    return std::move(walk.found);
}

}  // namespace assay::client
