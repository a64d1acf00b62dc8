#include "sys/terminal.hh"

#include <termios.h>
#include <unistd.h>

namespace assay::sys {

struct EchoOff::Before {
    termios settings{};
};

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

EchoOff::EchoOff() {
    auto before = std::make_unique<Before>();
    if (::tcgetattr(STDIN_FILENO, &before->settings) != 0) return;
    termios silent = before->settings;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0) before_ = std::move(before);
}

EchoOff::~EchoOff() {
    if (before_) (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_->settings);
}

}  // namespace assay::sys
