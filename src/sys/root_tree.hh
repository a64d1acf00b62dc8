// RootTree: a file tree that may become somebody's root, made and changed beneath one descriptor and nowhere else.
//
// Paths are relative and clean ("a/b", no "." or ".."). Nothing is found through a symbolic link: one on the way to a path is
// an error (denied), one at its end is the thing itself. It needs openat2, openat, mkdirat, symlinkat, linkat, unlinkat,
// newfstatat, fchmodat, getdents64 and what opening and closing takes, so that it can work under a narrow system-call filter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

class RootTree {
public:
    enum class Kind { nothing, directory, regular, symlink, other };
    // Of a path: whether it stays, whatever is asked.
    using Keep = std::function<bool(const std::string& path)>;

    explicit RootTree(Fd root) : root_{std::move(root)} {}

    // nothing: also when a folder above it is not there.
    Result<Kind> kind(const std::string& path);
    Result<std::size_t> count(const std::string& folder);  // names in it; "" = the root

    // Each of these makes the folders above (0755) and takes away what has the name already; a folder that stays a folder
    // keeps what is in it. Modes are permission bits alone. Errors: denied (a link, or a file, is on the way), disk_full.
    Result<> make_directory(const std::string& path, std::uint32_t mode);
    Result<Fd> make_file(const std::string& path, std::uint32_t mode);  // open for writing
    Result<> make_symlink(const std::string& path, const std::string& target);
    // Another name of what `existing` is. Errors: missing, denied (a folder).
    Result<> make_link(const std::string& path, const std::string& existing);

    // Takes away `path` and what is below it, but for what is kept and the folders that hold it. Nothing there is fine.
    Result<> remove(const std::string& path, const Keep& keep = {});
    // What is below the folder `path` ("" = the root) alone.
    Result<> clear(const std::string& path, const Keep& keep);

private:
    struct Place {
        const Fd* directory = nullptr;  // nullptr: it is not there
        std::string name;
    };
    Result<Place> place_of(const std::string& path);
    Result<Place> cleared_place_of(const std::string& path);  // its folder is made, and the name is free
    Result<> enter(const std::string& folder);
    Result<> make_above(const std::string& path);

    Fd root_;
    Fd folder_;               // the one used last; most names lie beside the one before
    std::string folder_path_;
};

// Whether `path` leads to something for whoever has `root` as its root: links count as they would for him, "/" is `root`.
bool exists_within(const Fd& root, const std::string& path);

// Sets when the content was changed last, in seconds since 1970.
Result<> set_modified(const Fd& file, std::int64_t seconds);

struct Walked {
    std::string path;         // below the root, clean
    RootTree::Kind kind = RootTree::Kind::other;
    std::uint32_t mode = 0;   // with setuid, setgid and sticky
    std::int64_t size = 0;    // of a regular file
    std::int64_t modified_s = 0;
    std::string target;       // of a symlink
    bool attributes = false;  // extended ones, capabilities among them; of regular files
    Fd file;                  // of a regular file: open for reading
};
// Shows every entry below `root`, each folder before what is in it, names in byte order. Follows no link; a folder that is
// another file system's is shown, and not what is in it. Errors: what the visitor returns, denied, too_large (nested deeper
// than `depth_max`).
Result<> walk_tree(const Fd& root, std::size_t depth_max, const std::function<Result<>(Walked&)>& visit);

}  // namespace assay::sys
