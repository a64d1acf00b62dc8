// The names of the system calls in which a thread can be found waiting, by the number that this machine gives them.
#pragma once

#include <string_view>

namespace assay::sys {

// Empty: none of those that wait.
std::string_view system_call_name(long number);

}  // namespace assay::sys
