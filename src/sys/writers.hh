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

struct FileWriter {
    int pid = 0;
    std::string command;  // as the process names itself: hostile text
};
// Other processes that have this file open for writing, as far as /proc shows them to us; at most `count_max`. Looks at no
// more than `descriptors_looked_at_max` descriptors.
std::vector<FileWriter> writers_of(const FileInfo&, std::size_t count_max);
constexpr std::size_t descriptors_looked_at_max = 200'000;

}  // namespace assay::sys
