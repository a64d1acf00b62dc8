#include "sys/quiet.hh"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace assay::sys {
namespace {

constexpr std::size_t watched_max = 8;
constexpr std::uint64_t second_ns = 1'000'000'000;

std::uint64_t clock_ns(clockid_t clock) {
    timespec time{};
    (void)clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * second_ns + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::ptrdiff_t read_quietly(const Fd& file, std::span<char> buffer, std::int64_t offset) {
    for (;;) {
        const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), offset);
        if (got >= 0) return got;
        if (errno != EINTR) return -errno;
    }
}

std::ptrdiff_t write_quietly(const Fd& file, std::span<const std::byte> bytes, std::int64_t offset) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t put =
            ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, offset + static_cast<std::int64_t>(done));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? -errno : -EIO;
        done += static_cast<std::size_t>(put);
    }
    return static_cast<std::ptrdiff_t>(done);
}

bool sync_quietly(const Fd& file) { return ::fdatasync(file.get()) == 0; }

Fd open_quietly(const Fd& directory, const char* path) {
    return Fd{::openat(directory ? directory.get() : AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)};
}

Fd open_directory_quietly(const Fd& directory, const char* path) {
    return Fd{::openat(directory ? directory.get() : AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW)};
}

bool may_have_directories(const Fd& directory, const char* name) {
    constexpr nlink_t itself = 2;  // its name, and the "." in it
    struct stat info{};
    return ::fstatat(directory.get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_nlink != itself;
}

Fd open_writable_quietly(const char* path) { return Fd{::open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)}; }

int open_without_read_time(const char* path, int flags, int mode) {
    const int file = ::open(path, flags | O_NOATIME | O_CLOEXEC, mode);
    const bool not_ours = file < 0 && errno == EPERM;  // The kernel lets only a file's owner read without a trace.
    return not_ours ? ::open(path, flags | O_CLOEXEC, mode) : file;
}

NamesQuietly::NamesQuietly(const Fd& directory) : directory_{directory.get()} {
    (void)::lseek(directory_, 0, SEEK_SET);
}

NamesQuietly::Name NamesQuietly::next() {
    for (;;) {
        if (at_ >= size_) {
            const long got = ::syscall(SYS_getdents64, directory_, buffer_, sizeof buffer_);
            if (got <= 0) return {};
            at_ = 0;
            size_ = static_cast<std::size_t>(got);
        }
        const auto* const entry = reinterpret_cast<const dirent64*>(buffer_ + at_);
        at_ += entry->d_reclen;
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") return {.text = name, .directory = entry->d_type == DT_DIR};
    }
}

Moment this_moment() {
    return {.boot_time_ns = clock_ns(CLOCK_BOOTTIME),
            .monotonic_ns = clock_ns(CLOCK_MONOTONIC),
            .real_time_ns = static_cast<std::int64_t>(clock_ns(CLOCK_REALTIME))};
}

void wait_quietly(std::span<Watched> watched, std::uint64_t until_monotonic_ns) {
    pollfd polled[watched_max];
    const std::size_t count = std::min(watched.size(), watched_max);
    for (;;) {
        for (std::size_t i = 0; i < count; ++i) {
            polled[i] = {
                .fd = watched[i].fd, .events = static_cast<short>(watched[i].urgent ? POLLPRI : POLLIN), .revents = 0};
        }
        const std::uint64_t now = clock_ns(CLOCK_MONOTONIC);
        const std::uint64_t left = until_monotonic_ns > now ? until_monotonic_ns - now : 0;
        const timespec timeout{.tv_sec = static_cast<time_t>(left / second_ns),
                               .tv_nsec = static_cast<long>(left % second_ns)};
        const int ready = ::ppoll(polled, count, &timeout, nullptr);
        if (ready < 0 && errno == EINTR && left > 0) continue;
        for (std::size_t i = 0; i < count; ++i) watched[i].ready = ready > 0 && polled[i].revents != 0;
        return;
    }
}

OwnUse own_use() {
    rusage usage{};
    (void)::getrusage(RUSAGE_SELF, &usage);
    return {.cpu_us = clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1'000,
            .major_faults = static_cast<std::uint64_t>(usage.ru_majflt)};
}

}  // namespace assay::sys
