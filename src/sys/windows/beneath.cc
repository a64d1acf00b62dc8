// Opening below a folder: one name after the other, each from the folder before it, so that no link on the way is followed.
#include <winternl.h>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

struct Opened {
    Handle handle{INVALID_HANDLE_VALUE};
    bool reparse = false;
    bool link = false;  // stands for another name: a symbolic link or a junction
};

Result<Opened> open_name(HANDLE folder, std::wstring& name, ACCESS_MASK access, ULONG options, const std::string& path) {
    UNICODE_STRING text{.Length = static_cast<USHORT>(name.size() * sizeof(wchar_t)),
                        .MaximumLength = static_cast<USHORT>(name.size() * sizeof(wchar_t)),
                        .Buffer = name.data()};
    OBJECT_ATTRIBUTES attributes{};
    InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE, folder, nullptr);
    IO_STATUS_BLOCK status{};
    HANDLE raw = INVALID_HANDLE_VALUE;
    const NTSTATUS done = ::NtCreateFile(&raw, access | SYNCHRONIZE | FILE_READ_ATTRIBUTES, &attributes, &status, nullptr, 0,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                                         options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, nullptr, 0);
    if (done < 0) return windows_error(::RtlNtStatusToDosError(done), "NtCreateFile", path);
    Opened opened{.handle = Handle{raw}};
    FILE_ATTRIBUTE_TAG_INFO tag{};
    if (!::GetFileInformationByHandleEx(raw, FileAttributeTagInfo, &tag, sizeof tag)) return last_windows_error("GetFileInformationByHandleEx", path);
    opened.reparse = (tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    opened.link = opened.reparse && IsReparseTagNameSurrogate(tag.ReparseTag);
    return opened;
}

}  // namespace

Result<Fd> open_beneath(const Fd& directory, const std::string& path) {
    Handle folder{INVALID_HANDLE_VALUE};
    const auto names = split(path, '/');
    for (const std::string_view name : names) {  // Before anything is opened: what is there does not change the answer.
        if (name.empty() || name == "." || name == ".." || name.find_first_of("\\:") != std::string_view::npos)
            return Error{Fault::denied, "NtCreateFile(" + escaped(path) + "): a name in it leads elsewhere"};
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool last = i + 1 == names.size();
        ASSAY_TRY(std::wstring name, wide(names[i]));
        const HANDLE from = folder ? folder.get() : handle_of(directory);
        const ACCESS_MASK access = last ? FILE_READ_DATA : FILE_TRAVERSE;
        const ULONG options = last ? 0 : FILE_DIRECTORY_FILE;
        ASSAY_TRY(Opened opened, open_name(from, name, access, options | FILE_OPEN_REPARSE_POINT, path));
        if (opened.link) return Error{Fault::denied, "NtCreateFile(" + escaped(path) + "): a link"};
        // Not a link but, say, a file that a cloud has to bring first: the driver behind it does so when asked for the file itself.
        if (opened.reparse) {
            ASSAY_TRY(opened, open_name(from, name, access, options, path));
        }
        folder = std::move(opened.handle);
    }
    return fd_of(folder.release(), path);
}

}  // namespace assay::sys
