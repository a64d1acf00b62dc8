// Cut: a file back to a length it had.
#pragma once

#include <cstdint>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

Result<> cut_to(const Fd&, std::int64_t size);

}  // namespace assay::sys
