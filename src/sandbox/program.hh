// Programs that are a part of this executable, so that nothing else is installed and a replaced one keeps what it came with.
#pragma once

#include "base/text.hh"

namespace assay::sandbox {

ByteView guest_program();  // what a trusted stage finds as /assay/run: static, so that it starts in any image
ByteView launcher_program();  // launcher/main.cc

}  // namespace assay::sandbox
