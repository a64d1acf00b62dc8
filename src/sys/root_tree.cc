#include "sys/root_tree.hh"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/text.hh"
#include "sys/error.hh"

namespace assay::sys {
namespace {

constexpr std::size_t target_bytes_max = 4096;

Result<Fd> open_at(const Fd& directory, const std::string& path, std::uint64_t flags) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long raw = ::syscall(SYS_openat2, directory.get(), path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (raw < 0 && (errno == ELOOP || errno == ENOTDIR)) return Error{Fault::denied, escaped(path) + " leads through a link or a file"};
    if (raw < 0) return last_error("openat2", path);
    return Fd{static_cast<int>(raw)};
}

// nullopt: nothing has the name.
Result<std::optional<struct ::stat>> status_at(const Fd& directory, const std::string& name) {
    struct ::stat info{};
    if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return std::optional{info};
    if (errno == ENOENT) return std::optional<struct ::stat>{};
    return last_error("fstatat", name);
}

RootTree::Kind kind_of(const struct ::stat& info) {
    if (S_ISDIR(info.st_mode)) return RootTree::Kind::directory;
    if (S_ISREG(info.st_mode)) return RootTree::Kind::regular;
    return S_ISLNK(info.st_mode) ? RootTree::Kind::symlink : RootTree::Kind::other;
}

Result<std::vector<std::string>> names_in(const Fd& directory) {
    const int own = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // A position of its own.
    if (own < 0) return last_error("openat", "folder");
    DIR* const raw = ::fdopendir(own);
    if (raw == nullptr) {
        const Fd unused{own};
        return last_error("fdopendir", "folder");
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(raw)) {
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failure = errno;
    ::closedir(raw);
    if (failure != 0) return error_of(failure, "readdir", "folder");
    std::ranges::sort(names);
    return names;
}

std::string joined(const std::string& folder, const std::string& name) { return folder.empty() ? name : folder + "/" + name; }

bool kept(const RootTree::Keep& keep, const std::string& path) { return keep && keep(path); }

Result<bool> remove_in(const Fd& directory, const std::string& path, const RootTree::Keep& keep);

// Whether the name is free now.
Result<bool> remove_at(const Fd& parent, const std::string& name, const std::string& path, const RootTree::Keep& keep) {
    ASSAY_TRY(const auto info, status_at(parent, name));
    if (!info) return true;
    if (!S_ISDIR(info->st_mode)) {
        if (kept(keep, path)) return false;
        if (::unlinkat(parent.get(), name.c_str(), 0) != 0) return last_error("unlinkat", path);
        return true;
    }
    ASSAY_TRY(const Fd directory, open_at(parent, name, O_RDONLY | O_DIRECTORY));
    ASSAY_TRY(const bool empty, remove_in(directory, path, keep));
    if (!empty || kept(keep, path)) return false;
    if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0) return last_error("unlinkat", path);
    return true;
}

// Whether the folder is empty now. As deep as paths are.
Result<bool> remove_in(const Fd& directory, const std::string& path, const RootTree::Keep& keep) {
    ASSAY_TRY(const std::vector<std::string> names, names_in(directory));
    bool empty = true;
    for (const std::string& name : names) {
        ASSAY_TRY(const bool gone, remove_at(directory, name, joined(path, name), keep));
        empty = empty && gone;
    }
    return empty;
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}
std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0

}  // namespace

Result<> RootTree::enter(const std::string& folder) {
    if (folder_ && folder == folder_path_) return ok;
    ASSAY_TRY(folder_, open_at(root_, folder, O_PATH | O_DIRECTORY));
    folder_path_ = folder;
    return ok;
}

Result<RootTree::Place> RootTree::place_of(const std::string& path) {
    if (auto entered = enter(folder_of(path)); !entered) {
        if (entered.error().fault() == Fault::missing) return Place{};
        return entered.take_error();
    }
    return Place{&folder_, last_of(path)};
}

Result<> RootTree::make_above(const std::string& path) {
    const std::string folder = folder_of(path);
    auto entered = enter(folder);
    if (entered || entered.error().fault() != Fault::missing) return entered;
    for (std::size_t slash = 0; slash != std::string::npos;) {
        slash = folder.find('/', slash + 1);
        const std::string part = folder.substr(0, slash);
        ASSAY_CHECK(enter(folder_of(part)));
        const std::string name = last_of(part);
        if (::mkdirat(folder_.get(), name.c_str(), 0755) == 0) {
            if (::fchmodat(folder_.get(), name.c_str(), 0755, 0) != 0) return last_error("fchmodat", part);
        } else if (errno != EEXIST) {
            return last_error("mkdirat", part);
        }
    }
    return enter(folder);
}

Result<RootTree::Place> RootTree::cleared_place_of(const std::string& path) {
    ASSAY_CHECK(make_above(path));
    const Place place{&folder_, last_of(path)};
    ASSAY_CHECK(remove_at(folder_, place.name, path, {}));
    return place;
}

Result<RootTree::Kind> RootTree::kind(const std::string& path) {
    ASSAY_TRY(const Place place, place_of(path));
    if (place.directory == nullptr) return Kind::nothing;
    ASSAY_TRY(const auto info, status_at(*place.directory, place.name));
    return info ? kind_of(*info) : Kind::nothing;
}

Result<std::size_t> RootTree::count(const std::string& folder) {
    ASSAY_TRY(const Fd directory, open_at(root_, folder, O_RDONLY | O_DIRECTORY));
    ASSAY_TRY(const std::vector<std::string> names, names_in(directory));
    return names.size();
}

Result<> RootTree::make_directory(const std::string& path, std::uint32_t mode) {
    ASSAY_CHECK(make_above(path));
    const std::string name = last_of(path);
    ASSAY_TRY(const auto info, status_at(folder_, name));
    if (!info || !S_ISDIR(info->st_mode)) {
        if (info && ::unlinkat(folder_.get(), name.c_str(), 0) != 0) return last_error("unlinkat", path);
        if (::mkdirat(folder_.get(), name.c_str(), 0700) != 0) return last_error("mkdirat", path);
    }
    // Nobody else writes here: the name is a folder, and no link that this would follow.
    if (::fchmodat(folder_.get(), name.c_str(), mode & 0777, 0) != 0) return last_error("fchmodat", path);
    return ok;
}

Result<Fd> RootTree::make_file(const std::string& path, std::uint32_t mode) {
    ASSAY_TRY(const Place place, cleared_place_of(path));
    Fd file{::openat(place.directory->get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file) return last_error("openat", path);
    if (::fchmod(file.get(), mode & 0777) != 0) return last_error("fchmod", path);
    return file;
}

Result<> RootTree::make_symlink(const std::string& path, const std::string& target) {
    ASSAY_TRY(const Place place, cleared_place_of(path));
    if (::symlinkat(target.c_str(), place.directory->get(), place.name.c_str()) != 0) return last_error("symlinkat", path);
    return ok;
}

Result<> RootTree::make_link(const std::string& path, const std::string& existing) {
    ASSAY_TRY(const Fd from, open_at(root_, folder_of(existing), O_PATH | O_DIRECTORY));
    const std::string name = last_of(existing);
    ASSAY_TRY(const auto info, status_at(from, name));
    if (!info) return Error{Fault::missing, "no such file: " + escaped(existing)};
    if (S_ISDIR(info->st_mode)) return Error{Fault::denied, "a folder has one name: " + escaped(existing)};
    if (path == existing) return ok;
    ASSAY_TRY(const Place place, cleared_place_of(path));
    // Without AT_SYMLINK_FOLLOW: a link's other name is that of the link.
    if (::linkat(from.get(), name.c_str(), place.directory->get(), place.name.c_str(), 0) != 0) return last_error("linkat", path);
    return ok;
}

Result<> RootTree::remove(const std::string& path, const Keep& keep) {
    ASSAY_TRY(const Place place, place_of(path));
    if (place.directory == nullptr) return ok;
    ASSAY_CHECK(remove_at(*place.directory, place.name, path, keep));
    folder_.reset();  // It may be gone.
    return ok;
}

Result<> RootTree::clear(const std::string& path, const Keep& keep) {
    auto directory = open_at(root_, path, O_RDONLY | O_DIRECTORY);
    if (!directory) {
        if (directory.error().fault() == Fault::missing) return ok;
        return directory.take_error();
    }
    ASSAY_CHECK(remove_in(*directory, path, keep));
    folder_.reset();
    return ok;
}

bool exists_within(const Fd& root, const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const Fd found{static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how))};
    return static_cast<bool>(found);
}

Result<> set_modified(const Fd& file, std::int64_t seconds) {
    const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = 0}};
    if (::futimens(file.get(), times) != 0) return last_error("futimens", "open file");
    return ok;
}

namespace {

class Walk {
public:
    Walk(std::size_t depth_max, const std::function<Result<>(Walked&)>& visit) : depth_max_{depth_max}, visit_{visit} {}

    Result<> below(const Fd& directory, const std::string& path, std::size_t depth, dev_t device) {
        if (depth > depth_max_) return Error{Fault::too_large, "folders nested too deeply: " + escaped(path, 200)};
        ASSAY_TRY(const std::vector<std::string> names, names_in(directory));
        for (const std::string& name : names) ASSAY_CHECK(one(directory, name, joined(path, name), depth, device));
        return ok;
    }

private:
    Result<> one(const Fd& directory, const std::string& name, const std::string& path, std::size_t depth, dev_t device) {
        ASSAY_TRY(const auto info, status_at(directory, name));
        if (!info) return Error{Fault::conflict, escaped(path) + " went away while the folder was read"};
        Walked entry;
        entry.path = path;
        entry.kind = kind_of(*info);
        entry.mode = info->st_mode & 07777;
        entry.modified_s = info->st_mtim.tv_sec;
        Fd inside;
        switch (entry.kind) {
            case RootTree::Kind::regular: {
                ASSAY_TRY(entry.file, open_at(directory, name, O_RDONLY | O_NONBLOCK));
                struct ::stat opened{};
                if (::fstat(entry.file.get(), &opened) != 0) return last_error("fstat", path);
                if (!S_ISREG(opened.st_mode)) return Error{Fault::conflict, escaped(path) + " changed while the folder was read"};
                entry.size = opened.st_size;
                entry.attributes = ::flistxattr(entry.file.get(), nullptr, 0) > 0;
                break;
            }
            case RootTree::Kind::symlink: {
                entry.target.resize(target_bytes_max);
                const ssize_t size = ::readlinkat(directory.get(), name.c_str(), entry.target.data(), entry.target.size());
                if (size < 0) return last_error("readlinkat", path);
                entry.target.resize(static_cast<std::size_t>(size));
                break;
            }
            case RootTree::Kind::directory: {
                if (info->st_dev != device) break;
                ASSAY_TRY(inside, open_at(directory, name, O_RDONLY | O_DIRECTORY));
                break;
            }
            case RootTree::Kind::other: case RootTree::Kind::nothing: break;
        }
        ASSAY_CHECK(visit_(entry));
        entry.file.reset();
        return inside ? below(inside, path, depth + 1, device) : Result<>{ok};
    }

    std::size_t depth_max_;
    const std::function<Result<>(Walked&)>& visit_;
};

}  // namespace

Result<> walk_tree(const Fd& root, std::size_t depth_max, const std::function<Result<>(Walked&)>& visit) {
    struct ::stat info{};
    if (::fstat(root.get(), &info) != 0) return last_error("fstat", "folder");
    return Walk{depth_max, visit}.below(root, "", 1, info.st_dev);
}

}  // namespace assay::sys
