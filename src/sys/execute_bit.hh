// Whether a file's mode says that it is a program; elsewhere its content has to.
#pragma once

namespace assay::sys {

bool keeps_execute_bit();

}  // namespace assay::sys
