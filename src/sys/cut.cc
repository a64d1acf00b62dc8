#include "sys/cut.hh"

#include <unistd.h>

#include "sys/error.hh"

namespace assay::sys {

Result<> cut_to(const Fd& fd, std::int64_t size) {
    if (::ftruncate(fd.get(), size) != 0) return last_error("ftruncate", "file");
    return ok;
}

}  // namespace assay::sys
