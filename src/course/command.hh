// Command: "make -j2 'all of it'" -> argv, the way a shell splits words, without being one: quotes and backslashes only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace assay::course {

constexpr std::size_t command_words_max = 256;
constexpr std::size_t command_bytes_max = 32 * 1024;

// Errors: invalid: an open quote, nothing to run, NUL, or what only a shell could do ($ | > < ; & ` * ? ~ … outside quotes).
Result<std::vector<std::string>> split_command(std::string_view text);
// The same bounds for a command that came as a list.
Result<> check_command(const std::vector<std::string>& command);

}  // namespace assay::course
