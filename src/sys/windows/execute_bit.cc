#include "sys/execute_bit.hh"

namespace assay::sys {

bool keeps_execute_bit() { return false; }

}  // namespace assay::sys
