// What the files of this folder share: handles behind descriptors, UTF-8 and UTF-16, paths, errors. Internal to sys on Windows.
//
// An Fd holds a descriptor of the C run time, which owns the handle. Nothing here takes the "ANSI" API, whose letters depend on the
// machine, nor the run time's own opening and reading, which may change what it reads.
#pragma once

#include <windows.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

HANDLE handle_of(const Fd&);
HANDLE handle_of(int descriptor);
// Takes the handle over, whatever it returns. Errors: system (no descriptor is free).
Result<Fd> fd_of(HANDLE, std::string_view subject);

// Owns a handle that nobody else sees.
class Handle {
public:
    explicit Handle(HANDLE raw) : raw_{raw} {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle(Handle&& other) noexcept : raw_{std::exchange(other.raw_, INVALID_HANDLE_VALUE)} {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~Handle() {
        if (*this) (void)::CloseHandle(raw_);
    }
    explicit operator bool() const { return raw_ != INVALID_HANDLE_VALUE && raw_ != nullptr; }
    HANDLE get() const { return raw_; }
    HANDLE release() { return std::exchange(raw_, INVALID_HANDLE_VALUE); }

private:
    HANDLE raw_;
};

// Errors: invalid (it is no UTF-8, or no UTF-16).
Result<std::wstring> wide(std::string_view utf8);
Result<std::string> narrow(std::wstring_view utf16);

// The form in which no length is too long and no name means something else: \\?\C:\folder\file. Takes '/' and '\', paths from here,
// from the drive's root, of a drive and of a server; "." and ".." are resolved as they are written. `here` is absolute. Pure.
std::wstring extended_path(std::wstring_view here, std::wstring_view path);
// Of a path as the rest of us writes it. Errors: invalid (no UTF-8, a zero byte, or a name that would mean a stream of a file).
Result<std::wstring> native_path(const std::string& path);
// What Windows would not let anybody open again by this name: nullptr = it is fine. Of one component. Pure.
const char* why_forbidden(std::string_view name);

Error windows_error(DWORD number, std::string_view call, std::string_view subject);
// Reads GetLastError() first.
Error last_windows_error(std::string_view call, std::string_view subject);

// As FileInfo has it: ns since 1970.
std::int64_t ns_since_1970(std::int64_t file_time);

}  // namespace assay::sys
