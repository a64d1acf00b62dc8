#include "sys/writers.hh"

#include <windows.h>

#include <io.h>
#include <restartmanager.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

constexpr int lists_max = 3;  // asked for: it may have become longer meanwhile

template <class Function>
Function* function(HMODULE library, const char* name) {
    return reinterpret_cast<Function*>(reinterpret_cast<void*>(::GetProcAddress(library, name)));
}

// Whoever has files open, by the library that installers ask. It is loaded when a file is in the way and never otherwise, from the
// system's own folder alone: a library of that name beside us would be a stranger's.
class RestartManager {
public:
    RestartManager() {
        library_.reset(::LoadLibraryExW(L"rstrtmgr.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32));
        if (!library_) return;
        register_ = function<decltype(RmRegisterResources)>(library_.get(), "RmRegisterResources");
        list_ = function<decltype(RmGetList)>(library_.get(), "RmGetList");
        end_ = function<decltype(RmEndSession)>(library_.get(), "RmEndSession");
        auto* const start = function<decltype(RmStartSession)>(library_.get(), "RmStartSession");
        std::array<wchar_t, CCH_RM_SESSION_KEY + 1> key{};
        started_ = start != nullptr && register_ != nullptr && list_ != nullptr && end_ != nullptr && start(&session_, 0, key.data()) == ERROR_SUCCESS;
    }
    RestartManager(const RestartManager&) = delete;
    RestartManager& operator=(const RestartManager&) = delete;
    ~RestartManager() {
        if (started_) (void)end_(session_);
    }

    // Empty where it cannot tell.
    std::vector<RM_PROCESS_INFO> who_has(const std::wstring& path) {
        std::vector<RM_PROCESS_INFO> list;
        const wchar_t* names[] = {path.c_str()};
        if (!started_ || register_(session_, 1, names, 0, nullptr, 0, nullptr) != ERROR_SUCCESS) return list;
        for (int asked = 0; asked < lists_max; ++asked) {
            UINT there = 0, count = static_cast<UINT>(list.size());
            DWORD reasons = 0;
            const DWORD answer = list_(session_, &there, &count, list.data(), &reasons);
            if (answer == ERROR_SUCCESS) {
                list.resize(std::min<std::size_t>(count, list.size()));
                return list;
            }
            if (answer != ERROR_MORE_DATA || there > holders_looked_at_max) break;
            list.assign(there, {});
        }
        return {};
    }

private:
    struct Unload {
        void operator()(HMODULE library) const { (void)::FreeLibrary(library); }
    };
    std::unique_ptr<std::remove_pointer_t<HMODULE>, Unload> library_;
    decltype(RmRegisterResources)* register_ = nullptr;
    decltype(RmGetList)* list_ = nullptr;
    decltype(RmEndSession)* end_ = nullptr;
    DWORD session_ = 0;
    bool started_ = false;
};

// As people write it, where that is not too long: not every program takes the extended form.
Result<std::wstring> plain_path(const Fd& root, const std::string& path) {
    std::wstring folder(MAX_PATH, L'\0');
    DWORD size = ::GetFinalPathNameByHandleW(handle_of(root), folder.data(), static_cast<DWORD>(folder.size()), VOLUME_NAME_DOS);
    if (size >= folder.size()) {
        folder.resize(size);
        size = ::GetFinalPathNameByHandleW(handle_of(root), folder.data(), static_cast<DWORD>(folder.size()), VOLUME_NAME_DOS);
    }
    if (size == 0 || size >= folder.size()) return last_windows_error("GetFinalPathNameByHandle", path);
    folder.resize(size);
    ASSAY_TRY(std::wstring name, wide(path));
    std::ranges::replace(name, L'/', L'\\');
    const std::wstring whole = folder + (folder.ends_with(L'\\') ? L"" : L"\\") + name;
    constexpr std::wstring_view drive = L"\\\\?\\", server = L"\\\\?\\UNC\\";
    if (whole.size() - drive.size() >= MAX_PATH) return whole;
    return whole.starts_with(server) ? L"\\\\" + whole.substr(server.size()) : whole.substr(drive.size());
}

}  // namespace

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

std::vector<FileHolder> holders_of(const Fd& root, const std::string& path, std::size_t count_max) {
    std::vector<FileHolder> found;
    const auto name = plain_path(root, path);
    if (!name) return found;
    for (RM_PROCESS_INFO& one : RestartManager{}.who_has(*name)) {
        if (found.size() >= count_max) break;
        if (one.Process.dwProcessId == ::GetCurrentProcessId()) continue;
        one.strAppName[CCH_RM_MAX_APP_NAME] = L'\0';
        auto program = narrow(static_cast<const wchar_t*>(one.strAppName));
        found.push_back({.pid = one.Process.dwProcessId, .program = program ? std::move(*program) : "", .writes = false});
    }
    return found;
}

}  // namespace assay::sys
