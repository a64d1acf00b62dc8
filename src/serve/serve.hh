// Serve: builds every room, hands references down, starts and stops them in order. The one long story of the program.
#pragma once

#include <string>

#include "base/result.hh"
#include "serve/config.hh"
#include "serve/data_directory.hh"

namespace assay::serve {

// Runs until SIGTERM or SIGINT. Call it single-threaded. Returns when everything has stopped in order; an error is for stderr
// and exit code 1.
Result<> serve(const Config& config);

}  // namespace assay::serve
