#include "sys/windows/native.hh"

#include <io.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hh"

namespace assay::sys {
namespace {

constexpr DWORD disk_quota_exceeded = 1295;  // ERROR_DISK_QUOTA_EXCEEDED, which these headers lack
constexpr std::int64_t file_time_of_1970 = 116'444'736'000'000'000;

bool is_slash(wchar_t c) { return c == L'/' || c == L'\\'; }

bool is_drive(std::wstring_view path) {
    return path.size() >= 2 && path[1] == L':' && ((path[0] >= L'a' && path[0] <= L'z') || (path[0] >= L'A' && path[0] <= L'Z'));
}

// What of an absolute path is no name: "C:\", "\\server\share\".
std::size_t root_size(std::wstring_view path) {
    if (is_drive(path)) return path.size() > 2 && is_slash(path[2]) ? 3 : 2;
    if (path.size() < 2 || !is_slash(path[0]) || !is_slash(path[1])) return 0;
    std::size_t at = 2;
    for (int names = 0; names < 2; ++names) {
        while (at < path.size() && !is_slash(path[at])) ++at;
        if (at < path.size()) ++at;
    }
    return at;
}

void append_names(std::vector<std::wstring_view>& names, std::wstring_view path) {
    while (!path.empty()) {
        const auto end = static_cast<std::size_t>(std::ranges::find_if(path, is_slash) - path.begin());
        const std::wstring_view name = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        if (name == L"..") {
            if (!names.empty()) names.pop_back();
        } else if (!name.empty() && name != L".") {
            names.push_back(name);
        }
    }
}

Result<std::wstring> current_folder() {
    std::wstring here(MAX_PATH, L'\0');
    for (;;) {
        const DWORD size = ::GetCurrentDirectoryW(static_cast<DWORD>(here.size()), here.data());
        if (size == 0) return last_windows_error("GetCurrentDirectory", "");
        const bool whole = size < here.size();
        here.resize(size);
        if (whole) return here;
    }
}

Fault fault_of(DWORD number) {
    switch (number) {
        case ERROR_FILE_NOT_FOUND: case ERROR_PATH_NOT_FOUND: case ERROR_INVALID_DRIVE: case ERROR_BAD_NETPATH: case ERROR_BAD_NET_NAME:
            return Fault::missing;
        case ERROR_ACCESS_DENIED: case ERROR_WRITE_PROTECT: case ERROR_PRIVILEGE_NOT_HELD: case ERROR_DELETE_PENDING:
            return Fault::denied;
        case ERROR_SHARING_VIOLATION: case ERROR_LOCK_VIOLATION: return Fault::busy;
        case ERROR_DISK_FULL: case ERROR_HANDLE_DISK_FULL: case disk_quota_exceeded: return Fault::disk_full;
        case ERROR_CRC: case ERROR_IO_DEVICE: case ERROR_DISK_CORRUPT: case ERROR_FILE_CORRUPT: return Fault::disk_failed;
        case ERROR_FILE_EXISTS: case ERROR_ALREADY_EXISTS: return Fault::conflict;
        case ERROR_INVALID_NAME: case ERROR_FILENAME_EXCED_RANGE: case ERROR_DIRECTORY: return Fault::invalid;
        default: return Fault::system;
    }
}

// In the machine's own language.
std::string sentence_of(DWORD number) {
    std::array<wchar_t, 512> text{};
    DWORD size = ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, nullptr, number, 0,
                                  text.data(), static_cast<DWORD>(text.size()), nullptr);
    while (size > 0 && (text[size - 1] <= L' ' || text[size - 1] == L'.' || text[size - 1] == L'\u3002')) --size;
    const auto sentence = narrow({text.data(), size});
    return sentence ? *sentence : std::string{};
}

}  // namespace

HANDLE handle_of(int descriptor) { return reinterpret_cast<HANDLE>(::_get_osfhandle(descriptor)); }  // NOLINT(performance-no-int-to-ptr)
HANDLE handle_of(const Fd& fd) { return handle_of(fd.get()); }

Result<Fd> fd_of(HANDLE handle, std::string_view subject) {
    const int raw = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle), 0);
    if (raw >= 0) return Fd{raw};
    (void)::CloseHandle(handle);
    return Error{Fault::system, "_open_osfhandle(" + escaped(subject) + "): no descriptor is free"};
}

void Fd::reset() {
    if (raw_ >= 0) (void)::_close(std::exchange(raw_, -1));
}

Result<std::wstring> wide(std::string_view utf8) {
    if (utf8.empty()) return std::wstring{};
    std::wstring utf16(utf8.size(), L'\0');
    const int size = ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8.data(), static_cast<int>(utf8.size()), utf16.data(),
                                           static_cast<int>(utf16.size()));
    if (size <= 0) return Error{Fault::invalid, "'" + escaped(utf8) + "' is no UTF-8"};
    utf16.resize(static_cast<std::size_t>(size));
    return utf16;
}

Result<std::string> narrow(std::wstring_view utf16) {
    if (utf16.empty()) return std::string{};
    std::string utf8(3 * utf16.size(), '\0');
    const auto convert = [&](DWORD flags) {
        return ::WideCharToMultiByte(CP_UTF8, flags, utf16.data(), static_cast<int>(utf16.size()), utf8.data(), static_cast<int>(utf8.size()),
                                     nullptr, nullptr);
    };
    if (const int size = convert(WC_ERR_INVALID_CHARS); size > 0) {
        utf8.resize(static_cast<std::size_t>(size));
        return utf8;
    }
    utf8.resize(static_cast<std::size_t>(std::max(0, convert(0))));
    return Error{Fault::invalid, "the name '" + escaped(utf8) + "' holds half a letter (it is no valid UTF-16); rename it"};
}

std::wstring extended_path(std::wstring_view here, std::wstring_view path) {
    if (path.starts_with(L"\\\\?\\") || path.starts_with(L"\\\\.\\")) return std::wstring{path};
    std::wstring_view from = path;
    std::vector<std::wstring_view> names;
    if (root_size(path) == 0) {  // Of here, or of its drive or server.
        from = here.starts_with(L"\\\\?\\") ? here.substr(4) : here;
        if (path.empty() || !is_slash(path[0])) append_names(names, from.substr(root_size(from)));
    }
    const std::size_t root = root_size(from);
    append_names(names, from.data() == path.data() ? path.substr(root) : path);
    std::wstring whole = L"\\\\?\\";
    if (is_drive(from)) {
        whole += from.substr(0, 2);
    } else {
        whole += L"UNC\\";
        std::wstring server{from.substr(2, root - 2)};
        std::ranges::replace(server, L'/', L'\\');
        if (server.ends_with(L'\\')) server.pop_back();
        whole += server;
    }
    for (const std::wstring_view name : names) (whole += L'\\') += name;
    if (names.empty()) whole += L'\\';
    return whole;
}

const char* why_forbidden(std::string_view name) {
    static constexpr std::array<std::string_view, 6> devices{"con", "prn", "aux", "nul", "conin$", "conout$"};
    if (name.find_first_of("<>:\"|?*\\/") != std::string_view::npos) return "it holds one of < > : \" | ? * \\ /";
    if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) return "it holds a control character";
    if (name.ends_with('.') || name.ends_with(' ')) return "it ends in a dot or a space";
    std::string base = lower_ascii(name.substr(0, name.find('.')));
    while (base.ends_with(' ')) base.pop_back();
    const bool port = base.size() == 4 && (base.starts_with("com") || base.starts_with("lpt")) && base[3] >= '1' && base[3] <= '9';
    if (port || std::ranges::find(devices, base) != devices.end()) return "it means a device";
    return nullptr;
}

Result<std::wstring> native_path(const std::string& path) {
    if (path.contains('\0')) return Error{Fault::invalid, "the path '" + escaped(path) + "' holds a zero byte"};
    ASSAY_TRY(const std::wstring name, wide(path));
    const std::size_t colon = name.rfind(L':');
    const bool extended = name.starts_with(L"\\\\?\\");
    if (!extended && colon != std::wstring::npos && (colon != 1 || !is_drive(name)))
        return Error{Fault::invalid, "'" + escaped(path) + "' names a stream inside a file (a ':' in a name); that is not for us"};
    if (!extended && is_drive(name) && (name.size() == 2 || !is_slash(name[2])))
        return Error{Fault::invalid, "'" + escaped(path) + "' depends on what the current folder of that drive is; write it with a '\\' behind the ':'"};
    ASSAY_TRY(const std::wstring here, current_folder());
    return extended_path(here, name);
}

Error windows_error(DWORD number, std::string_view call, std::string_view subject) {
    return {fault_of(number), std::string{call} + "(" + escaped(subject) + "): " + sentence_of(number) + " (" + std::to_string(number) + ")"};
}

Error last_windows_error(std::string_view call, std::string_view subject) {
    const DWORD saved = ::GetLastError();  // First line: anything below may overwrite it.
    return windows_error(saved, call, subject);
}

std::int64_t ns_since_1970(std::int64_t file_time) { return (file_time - file_time_of_1970) * 100; }

}  // namespace assay::sys
