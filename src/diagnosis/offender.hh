// Offender: who used most of what a cause is about. Pure, over the moments of an incident and before it.
#pragma once

#include <span>

#include "diagnosis/incident.hh"
#include "diagnosis/moment.hh"

namespace assay::diagnosis {

enum class By : std::uint8_t { nobody, grown, limited, cpu, read, written };

// Who used most of it. Of groups inside of each other the innermost one that did most of it; memory is summed from the calm minute on, for
// it grew before anything stalled, and counts at its highest: whoever took it and is gone by the end did it none the less.
void name_offender(std::span<const Moment> before, std::span<const Moment> during, By, Root&);

}  // namespace assay::diagnosis
