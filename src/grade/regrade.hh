// Regrade: what a stored report is worth under a module's newer revision, without running anything. Pure.
#pragma once

#include "model/plan.hh"
#include "model/report.hh"

namespace assay::grade {

// Whether a run on one plan would do what a run on the other does: they differ in nothing but dates, counting, points, `pass`,
// visibility and what an upload must respect.
bool runs_alike(const model::Plan&, const model::Plan&);

// `report`, concluded under `run`, as `current` values it: points, `pass` and visibility are `current`'s for every stage and test that it
// still has by name; others keep their own. A test keeps the share of its points that it earned.
model::Report regraded(model::Report report, const model::Plan& run, const model::Plan& current);

}  // namespace assay::grade
