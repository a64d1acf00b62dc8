#include "sys/writers.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <ctime>
#include <utility>

#include "base/text.hh"

namespace assay::sys {
namespace {

std::optional<int> number_of(std::string_view text) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "flags:\t0100001": octal, as given to open.
bool opened_for_writing(const std::string& fdinfo) {
    constexpr std::string_view label = "flags:";
    const std::size_t at = fdinfo.find(label);
    if (at == std::string::npos) return false;
    const std::size_t from = fdinfo.find_first_not_of(" \t", at + label.size());
    if (from == std::string::npos) return false;
    unsigned flags = 0;
    std::from_chars(fdinfo.data() + from, fdinfo.data() + fdinfo.size(), flags, 8);
    return (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace

std::optional<WriteGuard> WriteGuard::take(const Fd& file) {
    // The kernel tells the holder of a lease that somebody waits. By itself it would send SIGIO, which ends a process.
    if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return std::nullopt;
    if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) != 0) return std::nullopt;
    return WriteGuard{file.get()};
}

WriteGuard::WriteGuard(WriteGuard&& other) noexcept : file_{std::exchange(other.file_, -1)} {}

WriteGuard::~WriteGuard() {
    if (file_ >= 0) (void)::fcntl(file_, F_SETLEASE, F_UNLCK);
}

bool WriteGuard::held() const { return file_ >= 0 && ::fcntl(file_, F_GETLEASE) == F_RDLCK; }

std::int64_t file_stamp_now() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::vector<FileHolder> holders_of(const Fd& root, const std::string& path, std::size_t count_max) {
    std::vector<FileHolder> found;
    const auto open = open_beneath(root, path);
    if (!open) return found;
    const auto file = info_of(*open);
    if (!file) return found;
    const auto processes = list_directory("/proc");
    if (!processes) return found;
    std::size_t looked_at = 0;
    for (const std::string& process : *processes) {
        const auto pid = number_of(process);
        if (!pid || *pid == ::getpid()) continue;
        const std::string folder = "/proc/" + process;
        const auto descriptors = list_directory(folder + "/fd");
        if (!descriptors) continue;  // It is another user's, or has ended.
        const bool writes = std::ranges::any_of(*descriptors, [&](const std::string& descriptor) {
            if (++looked_at > descriptors_looked_at_max) return false;
            struct ::stat s{};
            if (::stat((folder + "/fd/" + descriptor).c_str(), &s) != 0 || s.st_dev != file->device ||
                s.st_ino != file->inode)
                return false;
            const auto flags = read_file(folder + "/fdinfo/" + descriptor, 64 << 10);
            return flags && opened_for_writing(*flags);
        });
        if (!writes) continue;
        const auto command = read_file(folder + "/comm", 256);
        found.push_back({.pid = *pid, .program = command ? std::string{trimmed(*command)} : "", .writes = true});
        if (found.size() >= count_max) break;
    }
    return found;
}

}  // namespace assay::sys
