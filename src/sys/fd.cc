#include "sys/fd.hh"

#include <unistd.h>

namespace assay::sys {

void Fd::reset() {
    if (raw_ >= 0) ::close(std::exchange(raw_, -1));
}

}  // namespace assay::sys
