// Writers: reading a file that others may write to. Keeping them out for a moment, telling whether they were there, and naming them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sys/file.hh"

namespace assay::sys {

// A read lease (fcntl F_SETLEASE): while it is held nobody has the file open for writing, and whoever wants to waits until it is
// released, at most as long as the kernel lets them (/proc/sys/fs/lease-break-time). No signal reaches anybody.
class WriteGuard {
public:
    // `file` was opened for reading alone, and must outlive the guard. nullopt: somebody has it open for writing, it is another
    // user's, or its file system has no leases.
    static std::optional<WriteGuard> take(const Fd& file);
    WriteGuard(WriteGuard&& other) noexcept;
    WriteGuard& operator=(WriteGuard&&) = delete;
    ~WriteGuard();

    // Whether nobody has asked to write so far.
    bool held() const;

private:
    explicit WriteGuard(int file) : file_{file} {}
    int file_;  // -1: moved from
};

// What no file system of this machine has stamped a change with so far: in ns since 1970, as FileInfo. What they stamp with lags
// behind this by a tick, or by none.
std::int64_t file_stamp_now();

struct FileHolder {
    std::int64_t pid = 0;
    std::string program;  // as it names itself: hostile text
    bool writes = false;  // it is known to have the file open for writing; else it has it open, in what way is not known
};
// Other processes that are in the way of reading the file at `path` below `root`, as far as the system shows them to us; at most
// `count_max`. On Linux those that have it open for writing, by /proc; on Windows all that have it open, by its Restart Manager.
std::vector<FileHolder> holders_of(const Fd& root, const std::string& path, std::size_t count_max);
constexpr std::size_t descriptors_looked_at_max = 200'000;  // by one call on Linux
constexpr std::size_t holders_looked_at_max = 64;           // by one call on Windows

}  // namespace assay::sys
