#include "sys/reset.hh"

#include <sys/socket.h>

namespace assay::sys {

void reset_when_closed(const Fd& socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace assay::sys
