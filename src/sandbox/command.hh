// The unprivileged side's part of a command's way to its launcher (launch.hh).
#pragma once

#include <string>
#include <vector>

#include "base/result.hh"
#include "sandbox/launch.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// The block that a launcher takes apart.
std::string pack_command(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                         const std::string& directory);
// `bytes` (pack_command) into `place`, or, when they are longer, into the memory file that comes back.
Result<sys::Fd> place_command(const std::string& bytes, CommandBlock& place);

}  // namespace assay::sandbox
