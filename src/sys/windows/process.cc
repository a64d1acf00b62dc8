#include "sys/process.hh"

#include <windows.h>

#include <io.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "sys/file.hh"
#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

HANDLE told = INVALID_HANDLE_VALUE;  // the writing end of the pipe that next_signal reads; one for the process

// Ctrl-C, Ctrl-Break, the window's close button, logging off: the system calls this in a thread of its own.
BOOL WINAPI note(DWORD) {
    constexpr std::array<char, 1> interrupted{SIGINT};
    DWORD count = 0;
    return ::WriteFile(told, interrupted.data(), 1, &count, nullptr);
}

}  // namespace

int current_pid() { return static_cast<int>(::GetCurrentProcessId()); }
int online_cpus() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void ignore_file_size_signal() {}  // There is none.

Result<Fd> signal_descriptor(std::vector<int>) {
    HANDLE reading = INVALID_HANDLE_VALUE;
    if (!::CreatePipe(&reading, &told, nullptr, 0)) return last_windows_error("CreatePipe", "");
    ASSAY_TRY(Fd descriptor, fd_of(reading, "signals"));
    if (!::SetConsoleCtrlHandler(note, TRUE)) return last_windows_error("SetConsoleCtrlHandler", "");
    return descriptor;
}

Result<int> next_signal(const Fd& signals) {
    std::array<std::byte, 1> signal{};
    ASSAY_TRY(const std::size_t count, read_some(signals, signal));
    if (count == 0) return Error{Fault::interrupted, "ReadFile(signals): closed"};
    return static_cast<int>(signal[0]);
}

void exit_now(int code) {
    (void)::TerminateProcess(::GetCurrentProcess(), static_cast<UINT>(code));
    std::abort();
}

}  // namespace assay::sys
