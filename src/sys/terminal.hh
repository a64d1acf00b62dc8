// Terminal: whether a person sits there, and typing a secret unseen.
#pragma once

#include <memory>

#include "sys/fd.hh"

namespace assay::sys {

bool is_terminal(int descriptor);

// What is typed at standard input is not shown while this lives. Nothing happens where it is no terminal.
class EchoOff {
public:
    EchoOff();
    ~EchoOff();
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;

private:
    struct Before;
    std::unique_ptr<Before> before_;
};

}  // namespace assay::sys
