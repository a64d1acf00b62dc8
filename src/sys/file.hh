// Files: whole reads and writes, opening below a directory without ever leaving it, and the sync calls.
//
// Ownership: functions that open return an owning Fd, close-on-exec. Blocking: all of them may wait for the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/fd.hh"

namespace assay::sys {

struct FileInfo {
    enum class Kind { regular, directory, symlink, other };
    Kind kind = Kind::other;
    std::int64_t size = 0;
    std::uint32_t mode = 0;  // permission bits only
    std::uint32_t owner = 0;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t modified_ns = 0;  // of the content
    std::int64_t changed_ns = 0;   // of anything; nobody sets it back
    bool operator==(const FileInfo&) const = default;
};

Result<Fd> open_read(const std::string& path);
Result<Fd> open_directory(const std::string& path);
// Opens for appending writes; creates with `mode` when missing.
Result<Fd> open_append(const std::string& path, std::uint32_t mode = 0600);
// Creates and fails with `conflict` when the name exists.
Result<Fd> create_exclusive(const std::string& path, std::uint32_t mode = 0600);

// Opens `path` below `directory` for reading. Never leaves it, follows a symlink, or blocks on a FIFO.
// Errors: missing, denied (symlink, outside, permission), system.
Result<Fd> open_beneath(const Fd& directory, const std::string& path);
Result<Fd> open_beneath(const Fd& directory, const std::string& path, int flags);  // of open(2), not on Windows

Result<FileInfo> info_of(const Fd&);
Result<FileInfo> info_of_path(const std::string& path);  // does not follow a final symlink

// Reads from the current offset to the end. Errors: too_large when more than `size_max` bytes are there.
Result<std::string> read_all(const Fd&, std::size_t size_max);
Result<std::string> read_file(const std::string& path, std::size_t size_max);
// Reads at most `buffer` bytes; 0 = end. Retries EINTR. For a non-blocking fd with nothing there: Fault::busy.
Result<std::size_t> read_some(const Fd&, std::span<std::byte> buffer);
Result<std::size_t> read_at(const Fd&, std::span<std::byte> buffer, std::int64_t offset);
// Writes everything or fails.
Result<> write_all(const Fd&, ByteView);
Result<> write_all(const Fd&, std::string_view);

// fdatasync / fsync. Never called again after a failure: what the disk holds is then not known (Fault::disk_failed).
Result<> sync_data(const Fd&);
Result<> sync_all(const Fd&);
Result<> sync_directory(const std::string& path);
Result<> sync_file_system(const Fd&);  // everything on it: for a tree of many files
Result<> rename_over(const std::string& from, const std::string& to);

Result<> make_directory(const std::string& path, std::uint32_t mode = 0700);  // an existing directory is fine
Result<> remove_file(const std::string& path);                               // a missing one is fine
Result<> remove_tree(const std::string& path);                               // never follows a symlink
Result<std::string> link_target(const std::string& path);                     // of a symlink, as written
Result<std::vector<std::string>> list_directory(const std::string& path);    // names, sorted, without . and ..
Result<> change_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid);
Result<> change_mode(const std::string& path, std::uint32_t mode);

// Writes `content` durably under `path` (temporary beside it → fdatasync → rename → fsync of the directory), mode 0600.
Result<> write_file_durably(const std::string& path, std::string_view content);

// An anonymous file in memory, sealed against change when `sealed`. For handing bytes to a child.
Result<Fd> memory_file(std::string_view name, ByteView content, bool sealed);
// Seals a memory file that was filled bit by bit, and rewinds it.
Result<> seal_memory_file(const Fd&);

// An unlinked temporary file in `directory` (O_TMPFILE), read and write.
Result<Fd> anonymous_file(const std::string& directory);

Result<Fd> duplicate(const Fd&);
Result<> rewind(const Fd&);
// A pipe: [0] read end, [1] write end, both close-on-exec.
Result<std::pair<Fd, Fd>> make_pipe();
// Gives the file this size with blocks of its own, where the file system can; else writes them.
Result<> preallocate(const Fd&, std::int64_t bytes);

struct DiskRoom {
    std::int64_t size_bytes = 0;
    std::int64_t free_bytes = 0;   // for the user we are
    std::int64_t free_files = 0;   // names that can still be made; the largest number when the file system has no bound
};
Result<DiskRoom> room_of(const std::string& path);  // of the file system that holds it

}  // namespace assay::sys
