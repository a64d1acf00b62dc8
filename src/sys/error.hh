// A failed system call as an Error: the text names the call and its subject.
#pragma once

#include <string_view>

#include "base/result.hh"

namespace assay::sys {

// Reads errno first. ENOENT -> missing; EACCES, EPERM, ELOOP, EXDEV -> denied; ENOSPC, EDQUOT -> disk_full; EIO -> disk_failed;
// EEXIST -> conflict; EPIPE, ECONNRESET, ECONNREFUSED -> unreachable; ETIMEDOUT -> timed_out; the rest -> system.
Error last_error(std::string_view call, std::string_view subject);
Error error_of(int error_number, std::string_view call, std::string_view subject);

}  // namespace assay::sys
