#include "sys/file.hh"

#include <windows.h>
#include <winioctl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <thread>

#include "base/text.hh"
#include "sys/random.hh"
#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

using namespace std::chrono_literals;

constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::size_t step_bytes = 1u << 20;  // of one read or write: some network drives take no more
constexpr int renames_max = 6;                // over a file that a virus scanner or an indexer looks at: 1.5 s in all
constexpr std::chrono::milliseconds first_pause = 25ms;

Result<Handle> open_handle(const std::string& path, DWORD access, DWORD share, DWORD disposition, DWORD flags) {
    ASSAY_TRY(const std::wstring name, native_path(path));
    Handle handle{::CreateFileW(name.c_str(), access, share, nullptr, disposition, flags, nullptr)};
    if (!handle) return last_windows_error("CreateFile", path);
    return handle;
}

Result<Fd> open_as(const std::string& path, DWORD access, DWORD disposition, DWORD flags) {
    ASSAY_TRY(Handle handle, open_handle(path, access, share_all, disposition, flags));
    return fd_of(handle.release(), path);
}

// The last name: what is made under a forbidden one could not be opened, or removed, by most programs.
Result<> check_new_name(const std::string& path) {
    const std::string_view name = std::string_view{path}.substr(path.find_last_of("/\\") + 1);
    if (const char* const why = why_forbidden(name)) return Error{Fault::invalid, "Windows takes no file of the name '" + escaped(name) + "': " + why};
    return ok;
}

FileInfo::Kind kind_of(DWORD attributes, DWORD tag) {
    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && IsReparseTagNameSurrogate(tag)) {
        const bool known = tag == IO_REPARSE_TAG_SYMLINK || tag == IO_REPARSE_TAG_MOUNT_POINT;
        return known ? FileInfo::Kind::symlink : FileInfo::Kind::other;
    }
    if ((attributes & FILE_ATTRIBUTE_DEVICE) != 0) return FileInfo::Kind::other;
    return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FileInfo::Kind::directory : FileInfo::Kind::regular;
}

Result<FileInfo> info_from(HANDLE file, std::string_view subject) {
    if (::GetFileType(file) != FILE_TYPE_DISK) return FileInfo{};
    FILE_BASIC_INFO basic{};
    FILE_STANDARD_INFO standard{};
    FILE_ATTRIBUTE_TAG_INFO tag{};
    BY_HANDLE_FILE_INFORMATION identity{};
    if (!::GetFileInformationByHandleEx(file, FileBasicInfo, &basic, sizeof basic) ||
        !::GetFileInformationByHandleEx(file, FileStandardInfo, &standard, sizeof standard) ||
        !::GetFileInformationByHandleEx(file, FileAttributeTagInfo, &tag, sizeof tag) || !::GetFileInformationByHandle(file, &identity))
        return last_windows_error("GetFileInformationByHandle", subject);
    const FileInfo::Kind kind = kind_of(tag.FileAttributes, tag.ReparseTag);
    return FileInfo{.kind = kind,
                    .size = kind == FileInfo::Kind::regular ? standard.EndOfFile.QuadPart : 0,
                    .mode = kind == FileInfo::Kind::directory ? 0700u : 0600u,  // Who may read is not said in bits here.
                    .device = identity.dwVolumeSerialNumber,
                    .inode = static_cast<std::uint64_t>(identity.nFileIndexHigh) << 32 | identity.nFileIndexLow,
                    .modified_ns = ns_since_1970(basic.LastWriteTime.QuadPart),
                    .changed_ns = ns_since_1970(basic.ChangeTime.QuadPart)};
}

}  // namespace

Result<Fd> open_read(const std::string& path) { return open_as(path, GENERIC_READ, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL); }
Result<Fd> open_directory(const std::string& path) {
    ASSAY_TRY(Fd folder, open_as(path, FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS));
    ASSAY_TRY(const FileInfo info, info_of(folder));
    if (info.kind != FileInfo::Kind::directory) return windows_error(ERROR_DIRECTORY, "CreateFile", path);
    return folder;
}

Result<Fd> create_exclusive(const std::string& path, std::uint32_t) {
    ASSAY_CHECK(check_new_name(path));
    return open_as(path, GENERIC_READ | GENERIC_WRITE | DELETE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
}

Result<FileInfo> info_of(const Fd& fd) { return info_from(handle_of(fd), "open file"); }

Result<FileInfo> info_of_path(const std::string& path) {
    ASSAY_TRY(const Handle file, open_handle(path, FILE_READ_ATTRIBUTES, share_all, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT));
    return info_from(file.get(), path);
}

Result<std::size_t> read_some(const Fd& fd, std::span<std::byte> buffer) {
    DWORD count = 0;
    if (::ReadFile(handle_of(fd), buffer.data(), static_cast<DWORD>(std::min(buffer.size(), step_bytes)), &count, nullptr)) return std::size_t{count};
    if (::GetLastError() == ERROR_BROKEN_PIPE || ::GetLastError() == ERROR_HANDLE_EOF) return std::size_t{0};
    return last_windows_error("ReadFile", "open file");
}

Result<std::size_t> read_at(const Fd& fd, std::span<std::byte> buffer, std::int64_t offset) {
    OVERLAPPED at{};
    at.Offset = static_cast<DWORD>(offset & 0xFFFF'FFFF);
    at.OffsetHigh = static_cast<DWORD>(offset >> 32);
    DWORD count = 0;
    if (::ReadFile(handle_of(fd), buffer.data(), static_cast<DWORD>(std::min(buffer.size(), step_bytes)), &count, &at)) return std::size_t{count};
    if (::GetLastError() == ERROR_HANDLE_EOF) return std::size_t{0};
    return last_windows_error("ReadFile", "open file");
}

Result<> write_all(const Fd& fd, ByteView bytes) {
    while (!bytes.empty()) {
        DWORD count = 0;
        if (!::WriteFile(handle_of(fd), bytes.data(), static_cast<DWORD>(std::min(bytes.size(), step_bytes)), &count, nullptr))
            return last_windows_error("WriteFile", "open file");
        bytes = bytes.subspan(count);
    }
    return ok;
}

Result<> sync_all(const Fd& fd) {
    if (!::FlushFileBuffers(handle_of(fd))) return Error{Fault::disk_failed, last_windows_error("FlushFileBuffers", "open file").text()};
    return ok;
}
Result<> sync_data(const Fd& fd) { return sync_all(fd); }
// A name is on disk when rename_over returned (MOVEFILE_WRITE_THROUGH); a folder cannot be flushed without an administrator's rights.
Result<> sync_directory(const std::string&) { return ok; }

Result<> rename_over(const std::string& from, const std::string& to) {
    ASSAY_CHECK(check_new_name(to));
    ASSAY_TRY(const std::wstring source, native_path(from));
    ASSAY_TRY(const std::wstring target, native_path(to));
    for (int tries = 1;; ++tries) {
        if (::MoveFileExW(source.c_str(), target.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) return ok;
        const DWORD failure = ::GetLastError();
        // Whoever looks at the old file at this moment is in the way; here a rename does not pass by.
        if ((failure != ERROR_SHARING_VIOLATION && failure != ERROR_ACCESS_DENIED) || tries >= renames_max)
            return windows_error(failure, "MoveFileEx", from + " -> " + to);
        std::this_thread::sleep_for(first_pause * (1 << (tries - 1)));
    }
}

Result<> make_directory(const std::string& path, std::uint32_t) {
    ASSAY_TRY(const std::wstring name, native_path(path));
    if (::CreateDirectoryW(name.c_str(), nullptr)) return ok;
    const DWORD failure = ::GetLastError();
    const auto there = info_of_path(path);
    if (there && there->kind == FileInfo::Kind::directory) return ok;
    return windows_error(failure, "CreateDirectory", path);
}

Result<> remove_file(const std::string& path) {
    ASSAY_TRY(const std::wstring name, native_path(path));
    if (::DeleteFileW(name.c_str()) || ::GetLastError() == ERROR_FILE_NOT_FOUND) return ok;
    return last_windows_error("DeleteFile", path);
}

Result<std::string> link_target(const std::string& path) {
    ASSAY_TRY(const Handle link, open_handle(path, FILE_READ_ATTRIBUTES, share_all, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT));
    alignas(8) std::array<std::byte, MAXIMUM_REPARSE_DATA_BUFFER_SIZE> data{};
    DWORD size = 0;
    if (!::DeviceIoControl(link.get(), FSCTL_GET_REPARSE_POINT, nullptr, 0, data.data(), static_cast<DWORD>(data.size()), &size, nullptr))
        return last_windows_error("FSCTL_GET_REPARSE_POINT", path);
    const auto number = [&](std::size_t at) { return static_cast<std::size_t>(data[at]) | static_cast<std::size_t>(data[at + 1]) << 8; };
    // ntifs.h: tag, length, then where the substitute and the printed name stand, behind all of which both are.
    const std::size_t tag = number(0) | number(2) << 16;
    const std::size_t names = tag == IO_REPARSE_TAG_SYMLINK ? 20 : 16;
    const std::size_t from = names + number(12), bytes = number(14);
    if (size < names || from + bytes > size) return Error{Fault::invalid, "the link '" + escaped(path) + "' cannot be read"};
    std::wstring target(bytes / 2, L'\0');
    std::ranges::copy(std::span{data}.subspan(from, bytes / 2 * 2), std::as_writable_bytes(std::span{target}).begin());
    ASSAY_TRY(std::string text, narrow(target));
    std::ranges::replace(text, '\\', '/');
    return text;
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    ASSAY_TRY(std::wstring name, native_path(path));
    if (!name.ends_with(L'\\')) name += L'\\';
    WIN32_FIND_DATAW entry{};
    const HANDLE search = ::FindFirstFileExW((name + L"*").c_str(), FindExInfoBasic, &entry, FindExSearchNameMatch, nullptr, FIND_FIRST_EX_LARGE_FETCH);
    if (search == INVALID_HANDLE_VALUE) return last_windows_error("FindFirstFile", path);
    std::vector<std::string> names;
    Result<> failure = ok;
    do {
        const std::wstring_view found{static_cast<const wchar_t*>(entry.cFileName)};
        if (found == L"." || found == L"..") continue;
        auto text = narrow(found);
        if (text) names.push_back(std::move(*text));
        else failure = text.take_error().in(path);
    } while (failure && ::FindNextFileW(search, &entry));
    if (failure && ::GetLastError() != ERROR_NO_MORE_FILES) failure = last_windows_error("FindNextFile", path);
    (void)::FindClose(search);
    ASSAY_CHECK(std::move(failure));
    std::ranges::sort(names);
    return names;
}

Result<Fd> anonymous_file(const std::string& directory) {
    const std::string path = directory + "/assay-" + random_text(16, "abcdefghijklmnopqrstuvwxyz");
    ASSAY_TRY(Handle handle, open_handle(path, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_DELETE, CREATE_NEW,
                                         FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE));
    return fd_of(handle.release(), path);
}

// Windows has no file without a name. This one is kept in memory as long as there is some, and goes with its last handle, however we end.
Result<Fd> memory_file(std::string_view, ByteView content, bool) {
    std::array<wchar_t, MAX_PATH + 2> folder{};
    const DWORD size = ::GetTempPathW(static_cast<DWORD>(folder.size()), folder.data());
    if (size == 0 || size >= folder.size()) return last_windows_error("GetTempPath", "");
    ASSAY_TRY(const std::string path, narrow({folder.data(), size}));
    ASSAY_TRY(Fd file, anonymous_file(path));
    ASSAY_CHECK(write_all(file, content));
    ASSAY_CHECK(rewind(file));
    return file;
}

Result<> rewind(const Fd& fd) {
    if (!::SetFilePointerEx(handle_of(fd), LARGE_INTEGER{}, nullptr, FILE_BEGIN)) return last_windows_error("SetFilePointerEx", "open file");
    return ok;
}

}  // namespace assay::sys
