// Difference: what a new revision changes, in lines for whoever applied it. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/plan.hh"

namespace assay::course {

// "due 2026-10-15T23:59:59.000+08:00 -> none", "tests of stage 'tests': 2 new, 1 gone, 3 changed"; last, whether what was judged before is
// worth a rejudge. Times are in `after`'s zone.
std::vector<std::string> plan_difference(const model::Plan& before, const model::Plan& after);

}  // namespace assay::course
