// Quiet: system calls for a process that must not allocate, since memory may be what is short: numbers instead of errors, buffers
// of the caller's. Everything else uses sys/file.hh and sys/socket.hh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sys/fd.hh"

namespace assay::sys {

// From `offset`, as a file of /proc or /sys is read again. Returns the bytes read, or minus the number of the error.
std::ptrdiff_t read_quietly(const Fd&, std::span<char> buffer, std::int64_t offset = 0);
std::ptrdiff_t write_quietly(const Fd&, std::span<const std::byte> bytes, std::int64_t offset);
bool sync_quietly(const Fd&);

// Opens for reading below `directory`; an Fd that holds nothing when it cannot. `path` ends in a zero byte.
Fd open_quietly(const Fd& directory, const char* path);
Fd open_directory_quietly(const Fd& directory, const char* path);
// false: the directory `name` below `directory` has none below it, for sure; /proc, /sys and most file systems tell by its links.
bool may_have_directories(const Fd& directory, const char* name);
// Opens a file for reading and writing, without waiting.
Fd open_writable_quietly(const char* path);

// open(2) for a library that takes such a function (SQLite): reads leave no time in the inode, where the file is ours. The caller owns what
// is returned; -1 and errno.
int open_without_read_time(const char* path, int flags, int mode);

// The names in a directory, from its begin, a buffer's worth at a time.
class NamesQuietly {
public:
    explicit NamesQuietly(const Fd& directory);
    // The next name but . and ..; empty: no more. Good until the next call. It ends in a zero byte.
    struct Name {
        std::string_view text;
        bool directory = false;
    };
    Name next();

private:
    int directory_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    alignas(8) char buffer_[2048];
};

// The clocks of one moment.
struct Moment {
    std::uint64_t boot_time_ns = 0;
    std::uint64_t monotonic_ns = 0;
    std::int64_t real_time_ns = 0;
};
Moment this_moment();

struct Watched {
    int fd = -1;  // -1: never ready
    bool urgent =
        false;  // waits for an urgent condition (POLLPRI), as pressure triggers tell it, not for something to read
    bool ready = false;  // an answer: it has come, or the other end is gone
};
// Waits until one of them (at most 8) is ready or the monotonic time has come.
void wait_quietly(std::span<Watched> watched, std::uint64_t until_monotonic_ns);

// Of this process so far.
struct OwnUse {
    std::uint64_t cpu_us = 0;  // of the calling thread
    std::uint64_t major_faults = 0;
};
OwnUse own_use();

}  // namespace assay::sys
