// What the workbench and the roots made of it are put together with. Paths given here are our own.
#pragma once

#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/result.hh"
#include "sys/fd.hh"
#include "sys/file.hh"

namespace assay::sandbox {

inline const std::string workbench = "/tmp";
inline const std::string own_program = workbench + "/program";  // what a trusted stage finds as /assay/run
constexpr std::uint64_t safe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr std::uint64_t shown = safe | MOUNT_ATTR_RDONLY;
constexpr std::uint64_t exhibited = shown | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

// Whoever calls this has an umask of nothing.
inline Result<> make_dir(const std::string& path, mode_t mode = 0755) { return sys::make_directory(path, mode); }
// As it is: a folder is bound, a link made anew, anything else left out.
Result<> show_entry(const std::string& from, const std::string& to);
// A detached copy, with all below it, of what is at `path` below `at` (empty: of `at` itself).
Result<sys::Fd> clone_tree(int at, const std::string& path, std::uint64_t attributes);
Result<> attach(int tree, const std::string& target);
Result<> bind(const std::string& from, const std::string& to, std::uint64_t attributes);

}  // namespace assay::sandbox
