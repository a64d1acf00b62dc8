#include "sys/writers.hh"

#include <windows.h>

#include <io.h>

#include <utility>

#include "sys/windows/native.hh"

namespace assay::sys {

// A second handle that shares the file for reading alone: nobody gets one without it who has the file open for writing, or mapped
// for it, and nobody can open it for writing until it is closed.
std::optional<WriteGuard> WriteGuard::take(const Fd& file) {
    const HANDLE again = ::ReOpenFile(handle_of(file), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, 0);
    if (again == INVALID_HANDLE_VALUE) return std::nullopt;
    auto guard = fd_of(again, "open file");
    if (!guard) return std::nullopt;
    return WriteGuard{guard->release()};
}

WriteGuard::WriteGuard(WriteGuard&& other) noexcept : file_{std::exchange(other.file_, -1)} {}

WriteGuard::~WriteGuard() {
    if (file_ >= 0) (void)::_close(file_);
}

bool WriteGuard::held() const { return file_ >= 0; }

std::int64_t file_stamp_now() {
    FILETIME now{};
    ::GetSystemTimePreciseAsFileTime(&now);
    return ns_since_1970(static_cast<std::int64_t>(now.dwHighDateTime) << 32 | now.dwLowDateTime);
}

// TODO(#5): the restart manager names them, from a path and not from an identity.
std::vector<FileWriter> writers_of(const FileInfo&, std::size_t) { return {}; }

}  // namespace assay::sys
