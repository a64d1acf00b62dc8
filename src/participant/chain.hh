// Why a submission waits, as a server tells it: one cause below the other.
#pragma once

#include <string>

#include "participant/exit_code.hh"

namespace assay::participant {

// `answer`: the document of /why. It may be anybody's: what it says is escaped.
ExitCode print_chain(const std::string& answer);

}  // namespace assay::participant
