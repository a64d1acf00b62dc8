#include "sys/program.hh"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/text.hh"
#include "sys/terminal.hh"
#include "sys/windows/native.hh"

// What nobody caught ends the program, here without its name: libstdc++'s own prints that, and brings 45 KB that can spell it.
namespace __gnu_cxx {
void __verbose_terminate_handler() {
    (void)std::fputs("assay: ended by an exception that nobody caught\n", stderr);
    std::abort();
}
}  // namespace __gnu_cxx

namespace assay::sys {
namespace {

constexpr std::size_t letters_max = 8192;  // of one call: older consoles take no more than 64 KiB

// With what is no Unicode shown as U+FFFD: an argument is a name that will not be found, and text is still read.
std::string readable(std::wstring_view utf16) {
    std::string utf8(3 * utf16.size(), '\0');
    const int size = utf16.empty() ? 0
                                   : ::WideCharToMultiByte(CP_UTF8, 0, utf16.data(), static_cast<int>(utf16.size()), utf8.data(),
                                                           static_cast<int>(utf8.size()), nullptr, nullptr);
    utf8.resize(static_cast<std::size_t>(std::max(0, size)));
    return utf8;
}

std::wstring letters_of(std::string_view utf8) {
    std::wstring utf16(utf8.size(), L'\0');
    const int size = utf8.empty() ? 0
                                  : ::MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()), utf16.data(),
                                                          static_cast<int>(utf16.size()));
    utf16.resize(static_cast<std::size_t>(std::max(0, size)));
    return utf16;
}

}  // namespace

void prepare_streams() {
    // The run time would write \r\n, and would take a 0x1A for the end.
    for (const int descriptor : {0, 1, 2}) (void)::_setmode(descriptor, _O_BINARY);
    for (const int descriptor : {1, 2}) {
        DWORD mode = 0;
        if (::GetConsoleMode(handle_of(descriptor), &mode))
            (void)::SetConsoleMode(handle_of(descriptor), mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
    }
}

std::vector<std::string> arguments(int argc, char** argv) {
    int count = 0;
    wchar_t** const words = ::CommandLineToArgvW(::GetCommandLineW(), &count);
    if (words == nullptr) return {argv, argv + argc};
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(readable(words[i]));
    (void)::LocalFree(static_cast<void*>(words));
    return all;
}

std::optional<std::string> variable(const char* name) {
    const std::wstring wide_name = letters_of(name);
    std::wstring value(::GetEnvironmentVariableW(wide_name.c_str(), nullptr, 0), L'\0');
    if (value.empty()) return std::nullopt;
    value.resize(::GetEnvironmentVariableW(wide_name.c_str(), value.data(), static_cast<DWORD>(value.size())));
    return value.empty() ? std::nullopt : std::optional{readable(value)};
}

std::string user_locale() {
    std::array<wchar_t, LOCALE_NAME_MAX_LENGTH> name{};
    const int size = ::GetUserDefaultLocaleName(name.data(), static_cast<int>(name.size()));
    return size > 1 ? readable({name.data(), static_cast<std::size_t>(size) - 1}) : std::string{};
}

void print(std::FILE* stream, std::string_view text) {
    const int descriptor = ::_fileno(stream);
    if (!is_terminal(descriptor)) {
        (void)std::fwrite(text.data(), 1, text.size(), stream);
        if (stream == stderr) (void)std::fflush(stream);  // Not every run time leaves it unbuffered in a pipe.
        return;
    }
    (void)std::fflush(stream);
    const std::wstring letters = letters_of(text);
    for (std::wstring_view rest = letters; !rest.empty();) {
        std::size_t count = std::min(rest.size(), letters_max);
        if (count < rest.size() && IS_HIGH_SURROGATE(rest[count - 1])) --count;
        DWORD written = 0;
        if (!::WriteConsoleW(handle_of(descriptor), rest.data(), static_cast<DWORD>(count), &written, nullptr) || written == 0) return;
        rest.remove_prefix(written);
    }
}

}  // namespace assay::sys
