// A Restart Manager that answers, since wine's does not: by the interface that is published (restartmanager.h), and it complains of whoever
// does not keep to it. What it is asked goes into the file that STAND_IN_LOG names. STAND_IN says how it behaves:
//   answers   whoever asks, and the processes of STAND_IN_HOLDERS, have the file
//   grows     the same, and one more once whoever asks knows how many there are
//   many      more than anybody makes room for
//   fails     there is no list
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <restartmanager.h>

enum { session = 7, holders_max = 200 };
static DWORD registered, asked;

static void told(const char* what, const char* more) {
    const char* const path = getenv("STAND_IN_LOG");
    const HANDLE log = CreateFileA(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    DWORD done = 0;
    WriteFile(log, what, (DWORD)strlen(what), &done, NULL);
    WriteFile(log, more, (DWORD)strlen(more), &done, NULL);
    WriteFile(log, "\n", 1, &done, NULL);
    CloseHandle(log);
}
static int is(const char* how) {
    const char* const wanted = getenv("STAND_IN");
    return wanted != NULL && strcmp(wanted, how) == 0;
}

DWORD WINAPI RmStartSession(DWORD* handle, DWORD flags, WCHAR key[]) {
    if (handle == NULL || key == NULL || flags != 0) return ERROR_BAD_ARGUMENTS;
    for (size_t i = 0; i < CCH_RM_SESSION_KEY; ++i) key[i] = L'0';  // As much room as whoever asks must have.
    key[CCH_RM_SESSION_KEY] = 0;
    *handle = session;
    told("start", "");
    return ERROR_SUCCESS;
}

DWORD WINAPI RmRegisterResources(DWORD handle, UINT files, LPCWSTR names[], UINT programs, RM_UNIQUE_PROCESS known[], UINT services, LPCWSTR own[]) {
    if (handle != session || files != 1 || names == NULL || programs != 0 || known != NULL || services != 0 || own != NULL) return ERROR_BAD_ARGUMENTS;
    if (wcsncmp(names[0], L"\\\\?\\", 4) == 0) return ERROR_INVALID_NAME;  // Short enough for the usual form.
    if (GetFileAttributesW(names[0]) == INVALID_FILE_ATTRIBUTES) return ERROR_FILE_NOT_FOUND;
    char name[1000] = "";
    WideCharToMultiByte(CP_UTF8, 0, names[0], -1, name, sizeof name - 1, NULL, NULL);
    told("register ", name);
    registered = 1;
    return ERROR_SUCCESS;
}

static void fill(RM_PROCESS_INFO* one, DWORD pid, const WCHAR* name) {
    memset(one, 0, sizeof *one);
    one->Process.dwProcessId = pid;
    lstrcpynW(one->strAppName, name, CCH_RM_MAX_APP_NAME + 1);
    one->ApplicationType = RmUnknownApp;
    one->AppStatus = RmStatusRunning;
    one->TSSessionId = (DWORD)RM_INVALID_TS_SESSION;
}

DWORD WINAPI RmGetList(DWORD handle, UINT* needed, UINT* count, RM_PROCESS_INFO list[], DWORD* reasons) {
    if (handle != session || needed == NULL || count == NULL || reasons == NULL || (*count > 0 && list == NULL)) return ERROR_BAD_ARGUMENTS;
    if (!registered) return ERROR_INVALID_HANDLE;
    told("list", "");
    if (is("fails")) return ERROR_WRITE_FAULT;
    RM_PROCESS_INFO all[holders_max];
    UINT there = 0;
    fill(&all[there++], GetCurrentProcessId(), L"itself");
    const char* at = getenv("STAND_IN_HOLDERS");
    while (at != NULL && *at != 0 && there < holders_max) {
        char* end = NULL;
        fill(&all[there++], strtoul(at, &end, 10), L"文档编辑器 \x1b[31m");
        at = *end == ',' ? end + 1 : end;
    }
    if (is("grows") && asked > 0) fill(&all[there++], 90000, L"another");
    if (is("many")) for (; there < holders_max; ++there) fill(&all[there], 90000 + there, L"another");
    ++asked;
    *needed = there;
    *reasons = RmRebootReasonNone;
    if (*count < there) return ERROR_MORE_DATA;
    memcpy(list, all, there * sizeof *list);
    *count = there;
    return ERROR_SUCCESS;
}

DWORD WINAPI RmEndSession(DWORD handle) {
    if (handle != session) return ERROR_INVALID_HANDLE;
    told("end", "");
    return ERROR_SUCCESS;
}
