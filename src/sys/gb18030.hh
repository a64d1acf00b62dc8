// Text in GB18030, by the system's own table. Threading: one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace assay::sys {

// Loads the table where it is a file, for a process that is about to give up opening files, or to fork such ones.
void prepare_gb18030();
// As UTF-8; nullopt: it is no valid GB18030. Errors: unsupported (this system has no table).
Result<std::optional<std::string>> utf8_from_gb18030(std::string_view);

}  // namespace assay::sys
