// The command line of /assay/run. Pure; needs no library, as the program that it belongs to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"

namespace assay::cli {

struct GuestOptions {
    model::Limits limits{.cpu_ms = -1, .wall_ms = -1, .memory_bytes = -1, .processes = -1, .output_bytes = -1, .disk_bytes = -1, .open_files = -1};  // -1: the stage's own
    int report = -1;  // the descriptor that is to get the JSON; -1: none
    bool help = false;
    std::vector<std::string> command;  // not empty unless `help`
};

// `words` without the program's own name. Errors: invalid, naming the option.
Result<GuestOptions> guest_options(std::span<const char* const> words);
extern const std::string_view guest_help;

}  // namespace assay::cli
