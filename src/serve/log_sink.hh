// Where the server's log lines go: stderr, one JSON object a line, with the time in front.
#pragma once

namespace assay::serve {

// Call once, before other threads start.
void log_to_stderr();

}  // namespace assay::serve
