#include <fmt/format.h>

#include "base/text.hh"
#include "course/course.hh"
#include "sys/file.hh"

namespace assay::course {
namespace {

constexpr std::size_t depth_max = 32;

struct Walk {
    const std::string& top;
    const sys::Fd& directory;  // of `top`: whatever is swapped meanwhile, nothing outside is read
    std::vector<archive::SourceFile> files;
    std::int64_t bytes = 0;

    Result<> enter(const std::string& inside, std::size_t depth) {
        if (depth > depth_max)
            return Error{Fault::too_large, fmt::format("{}: folders nest deeper than {}", escaped(inside), depth_max)};
        ASSAY_TRY(const auto names, sys::list_directory(inside.empty() ? top : top + "/" + inside));
        for (const std::string& name : names) {
            if (name.starts_with('.')) continue;
            ASSAY_CHECK(take(inside.empty() ? name : inside + "/" + name, depth));
        }
        return ok;
    }

    Result<> take(const std::string& path, std::size_t depth) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(top + "/" + path));
        switch (info.kind) {
            case sys::FileInfo::Kind::directory: return enter(path, depth + 1);
            case sys::FileInfo::Kind::symlink:
                return Error{Fault::invalid,
                             fmt::format("{} is a symbolic link; a course holds plain files only", escaped(path))};
            case sys::FileInfo::Kind::other:
                return Error{Fault::invalid, fmt::format("{} is no plain file", escaped(path))};
            case sys::FileInfo::Kind::regular: break;
        }
        if (files.size() == folder_files_max)
            return Error{Fault::too_large, fmt::format("more than {} files", folder_files_max)};
        ASSAY_TRY(const sys::Fd file, sys::open_beneath(directory, path));
        auto content = sys::read_all(file, static_cast<std::size_t>(folder_bytes_max - bytes));
        if (!content && content.error().fault() == Fault::too_large) {
            return Error{Fault::too_large, fmt::format("the files are larger than {} together (at {})",
                                                       size_text(folder_bytes_max), escaped(path))};
        }
        if (!content) return content.take_error().in(path);
        bytes += static_cast<std::int64_t>(content->size());
        files.push_back({.path = path, .executable = (info.mode & 0111) != 0, .content = std::move(*content)});
        return ok;
    }
};

}  // namespace

Result<std::vector<archive::SourceFile>> read_folder(const std::string& path) {
    ASSAY_TRY(const sys::Fd directory, sys::open_directory(path));
    Walk walk{.top = path, .directory = directory, .files = {}, .bytes = 0};
    ASSAY_CHECK(walk.enter("", 0));
    return std::move(walk.files);
}

}  // namespace assay::course
