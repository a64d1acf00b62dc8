#include "sys/terminal.hh"

#include <windows.h>

#include <io.h>

#include "sys/windows/native.hh"

namespace assay::sys {

struct EchoOff::Before {
    DWORD mode = 0;
};

// A console, and not just any device: NUL is one as well.
bool is_terminal(int descriptor) {
    DWORD mode = 0;
    return ::_isatty(descriptor) != 0 && ::GetConsoleMode(handle_of(descriptor), &mode) != 0;
}

EchoOff::EchoOff() {
    auto before = std::make_unique<Before>();
    const HANDLE input = handle_of(0);
    if (!::GetConsoleMode(input, &before->mode)) return;
    if (::SetConsoleMode(input, before->mode & ~DWORD{ENABLE_ECHO_INPUT})) before_ = std::move(before);
}

EchoOff::~EchoOff() {
    if (before_) (void)::SetConsoleMode(handle_of(0), before_->mode);
}

}  // namespace assay::sys
