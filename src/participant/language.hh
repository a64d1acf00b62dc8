// The language of whoever sits at this terminal.
#pragma once

#include "sys/program.hh"
#include "wording/command_line.hh"

namespace assay::participant {

// Call it before any thread of ours: it reads the environment.
inline wording::Language language() {
    for (const char* const name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        if (const auto value = sys::variable(name)) return wording::language_of_locale(*value);
    }
    return wording::language_of_locale(sys::user_locale());
}

}  // namespace assay::participant
