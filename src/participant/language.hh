// The language of whoever sits at this terminal.
#pragma once

#include <cstdlib>

#include "wording/command_line.hh"

namespace assay::participant {

// Call it before any thread of ours: it reads the environment.
inline wording::Language language() {
    for (const char* const name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr && *value != '\0') return wording::language_of_locale(value);
    }
    return wording::Language::english;
}

}  // namespace assay::participant
