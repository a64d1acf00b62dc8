// Giving a connection up, instead of leaving it to the system to send on what it was given.
#pragma once

#include "sys/fd.hh"

namespace assay::sys {

// Once the last descriptor of this socket is closed the connection ends at once, and what has not arrived yet never does. Best effort:
// an error means that it is gone already.
void reset_when_closed(const Fd& socket);

}  // namespace assay::sys
