#include "sys/file_tree.hh"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sys {
namespace {

Result<Fd> open_directory_beneath(const Fd& root, const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long raw = ::syscall(SYS_openat2, root.get(), path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (raw < 0) return last_error("openat2", escaped(path));
    return Fd{static_cast<int>(raw)};
}

}  // namespace

Result<TreeWriter> TreeWriter::here() {
    const int raw = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (raw < 0) return last_error("open", ".");
    return TreeWriter{Fd{raw}};
}

Result<std::string> TreeWriter::enter_parent(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
    if (!parent_ || parent != parent_path_) {
        ASSAY_TRY(parent_, open_directory_beneath(root_, parent));
        parent_path_ = parent;
    }
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<> TreeWriter::make_directory(const std::string& path) {
    for (std::size_t slash = 0; slash != std::string::npos;) {
        slash = path.find('/', slash + 1);
        const std::string part = path.substr(0, slash);
        if (parent_ && (part == parent_path_ || parent_path_.starts_with(part + "/"))) continue;
        ASSAY_TRY(const std::string name, enter_parent(part));
        if (::mkdirat(parent_.get(), name.c_str(), 0755) == 0) {
            // Whatever the umask took away; nobody else writes here, so the name is still ours.
            if (::fchmodat(parent_.get(), name.c_str(), 0755, 0) != 0) return last_error("fchmodat", escaped(part));
            continue;
        }
        if (errno != EEXIST) return last_error("mkdirat", escaped(part));
        struct ::stat there{};
        if (::fstatat(parent_.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return last_error("fstatat", escaped(part));
        if (!S_ISDIR(there.st_mode)) return error_of(EEXIST, "mkdirat", escaped(part));
    }
    return ok;
}

Result<Fd> TreeWriter::make_file(const std::string& path, bool executable) {
    ASSAY_TRY(const std::string name, enter_parent(path));
    Fd file{::openat(parent_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file) return last_error("openat", escaped(path));
    if (::fchmod(file.get(), executable ? 0755 : 0644) != 0) return last_error("fchmod", escaped(path));
    return file;
}

Result<> TreeWriter::make_symlink(const std::string& path, const std::string& target) {
    ASSAY_TRY(const std::string name, enter_parent(path));
    if (::symlinkat(target.c_str(), parent_.get(), name.c_str()) != 0) return last_error("symlinkat", escaped(path));
    return ok;
}

Result<Fd> TreeWriter::open_file(const std::string& path) const { return open_beneath(root_, path); }

}  // namespace assay::sys
