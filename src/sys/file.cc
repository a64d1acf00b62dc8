#include "sys/file.hh"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>

#include "sys/error.hh"
#include "sys/random.hh"

namespace assay::sys {
namespace {

Result<Fd> open_as(const std::string& path, int flags, std::uint32_t mode = 0) {
    const int raw = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (raw < 0) return last_error("open", path);
    return Fd{raw};
}

FileInfo info_from(const struct ::stat& s) {
    const auto kind = S_ISREG(s.st_mode)   ? FileInfo::Kind::regular
                      : S_ISDIR(s.st_mode) ? FileInfo::Kind::directory
                      : S_ISLNK(s.st_mode) ? FileInfo::Kind::symlink
                                           : FileInfo::Kind::other;
    const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
    return {kind, s.st_size, s.st_mode & 07777, s.st_uid, s.st_dev, s.st_ino, ns(s.st_mtim), ns(s.st_ctim)};
}

}  // namespace

Result<Fd> open_read(const std::string& path) { return open_as(path, O_RDONLY | O_NONBLOCK); }
Result<Fd> open_directory(const std::string& path) { return open_as(path, O_RDONLY | O_DIRECTORY); }
Result<Fd> open_append(const std::string& path, std::uint32_t mode) { return open_as(path, O_WRONLY | O_CREAT | O_APPEND, mode); }
Result<Fd> create_exclusive(const std::string& path, std::uint32_t mode) {
    return open_as(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

Result<Fd> open_beneath(const Fd& directory, const std::string& path) {
    return open_beneath(directory, path, O_RDONLY | O_NONBLOCK);  // A planted FIFO must not hang us.
}

Result<Fd> open_beneath(const Fd& directory, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long raw = ::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how);
    if (raw < 0) return last_error("openat2", path);
    return Fd{static_cast<int>(raw)};
}

Result<FileInfo> info_of(const Fd& fd) {
    struct ::stat s{};
    if (::fstat(fd.get(), &s) != 0) return last_error("fstat", "open file");
    return info_from(s);
}

Result<FileInfo> info_of_path(const std::string& path) {
    struct ::stat s{};
    if (::lstat(path.c_str(), &s) != 0) return last_error("lstat", path);
    return info_from(s);
}

Result<std::size_t> read_some(const Fd& fd, std::span<std::byte> buffer) {
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno == EINTR) continue;
        if (errno == EAGAIN) return Error{Fault::busy, "read: nothing there yet"};
        return last_error("read", "open file");
    }
}

Result<std::size_t> read_at(const Fd& fd, std::span<std::byte> buffer, std::int64_t offset) {
    for (;;) {
        const ssize_t n = ::pread(fd.get(), buffer.data(), buffer.size(), offset);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) return last_error("pread", "open file");
    }
}

Result<> write_all(const Fd& fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return last_error("write", "open file");
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return ok;
}

Result<> sync_data(const Fd& fd) {
    if (::fdatasync(fd.get()) != 0) return Error{Fault::disk_failed, last_error("fdatasync", "open file").text()};
    return ok;
}

Result<> sync_all(const Fd& fd) {
    if (::fsync(fd.get()) != 0) return Error{Fault::disk_failed, last_error("fsync", "open file").text()};
    return ok;
}

Result<> sync_file_system(const Fd& fd) {
    if (::syncfs(fd.get()) != 0) return Error{Fault::disk_failed, last_error("syncfs", "open file").text()};
    return ok;
}

Result<> sync_directory(const std::string& path) {
    ASSAY_TRY(const Fd directory, open_directory(path));
    return sync_all(directory);
}

Result<> rename_over(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return last_error("rename", from + " -> " + to);
    return ok;
}

Result<> make_directory(const std::string& path, std::uint32_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) return ok;
    const int saved = errno;
    if (saved == EEXIST) {
        const auto there = info_of_path(path);
        if (there && there->kind == FileInfo::Kind::directory) return ok;
    }
    return error_of(saved, "mkdir", path);
}

Result<std::string> link_target(const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return last_error("readlink", path);
    target.resize(static_cast<std::size_t>(size));
    return target;
}

Result<> remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return last_error("unlink", path);
    return ok;
}

Result<> remove_tree(const std::string& path) {
    std::error_code failure;
    std::filesystem::remove_all(path, failure);
    if (failure) return error_of(failure.value(), "remove_all", path);
    return ok;
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    DIR* const raw = ::opendir(path.c_str());
    if (raw == nullptr) return last_error("opendir", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(raw)) {
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failure = errno;
    ::closedir(raw);
    if (failure != 0) return error_of(failure, "readdir", path);
    std::ranges::sort(names);
    return names;
}

Result<> change_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
    if (::lchown(path.c_str(), uid, gid) != 0) return last_error("lchown", path);
    return ok;
}

Result<> change_mode(const std::string& path, std::uint32_t mode) {
    if (::chmod(path.c_str(), mode) != 0) return last_error("chmod", path);
    return ok;
}

Result<Fd> memory_file(std::string_view name, ByteView content, bool sealed) {
    const std::string label{name};
    const int raw = ::memfd_create(label.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (raw < 0) return last_error("memfd_create", name);
    Fd fd{raw};
    ASSAY_CHECK(write_all(fd, content));
    ASSAY_CHECK(rewind(fd));
    if (sealed) ASSAY_CHECK(seal_memory_file(fd));
    return fd;
}

Result<> seal_memory_file(const Fd& fd) {
    ASSAY_CHECK(rewind(fd));
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return last_error("fcntl(F_ADD_SEALS)", "memory file");
    }
    return ok;
}

Result<Fd> anonymous_file(const std::string& directory) { return open_as(directory, O_RDWR | O_TMPFILE, 0600); }

Result<Fd> duplicate(const Fd& fd) {
    const int raw = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
    if (raw < 0) return last_error("fcntl(F_DUPFD_CLOEXEC)", "open file");
    return Fd{raw};
}

Result<> rewind(const Fd& fd) {
    if (::lseek(fd.get(), 0, SEEK_SET) < 0) return last_error("lseek", "open file");
    return ok;
}

Result<std::pair<Fd, Fd>> make_pipe() {
    int raw[2];
    if (::pipe2(raw, O_CLOEXEC) != 0) return last_error("pipe2", "");
    return std::pair{Fd{raw[0]}, Fd{raw[1]}};
}

Result<> preallocate(const Fd& fd, std::int64_t bytes) {
    int failure = 0;
    do failure = ::fallocate(fd.get(), 0, 0, bytes) == 0 ? 0 : errno;
    while (failure == EINTR);
    if (failure == 0) return ok;
    if (failure != EOPNOTSUPP) return error_of(failure, "fallocate", "open file");
    constexpr std::int64_t step = 1 << 20;
    for (std::int64_t written = 0; written < bytes; written += step) {
        // Random, so that a file system which compresses keeps as many blocks.
        ASSAY_CHECK(write_all(fd, random_bytes(static_cast<std::size_t>(std::min(step, bytes - written)))));
    }
    return ok;
}

Result<DiskRoom> room_of(const std::string& path) {
    struct ::statvfs s{};
    if (::statvfs(path.c_str(), &s) != 0) return last_error("statvfs", path);
    const auto block = static_cast<std::int64_t>(s.f_frsize);
    return DiskRoom{
        .size_bytes = static_cast<std::int64_t>(s.f_blocks) * block,
        .free_bytes = static_cast<std::int64_t>(s.f_bavail) * block,
        .free_files = s.f_files == 0 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(s.f_favail),
    };
}

}  // namespace assay::sys
