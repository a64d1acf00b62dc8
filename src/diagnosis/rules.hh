// Rules: from what was seen to why. Pure. The signals and the order are those of docs/why.md, which says where the numbers come from.
#pragma once

#include "diagnosis/finding.hh"
#include "diagnosis/observed.hh"

namespace assay::diagnosis {

// The cause that decides. Never nothing: what cannot be decided names what could not be read.
Finding explain(const Observed&);

}  // namespace assay::diagnosis
