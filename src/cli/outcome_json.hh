// What one command did, as `assay run --json` and `/assay/run --report` print it. Other programs build on it.
#pragma once

#include <string>

#include "model/limits.hh"
#include "model/words.hh"

namespace assay::cli {

// `writable_bind`: some of what it wrote is not under `disk`.
std::string outcome_json(const model::Outcome&, model::Verdict, bool writable_bind);

}  // namespace assay::cli
