// The log of a submission as one text: what its untrusted stages and visible tests printed, and how each test ended. Pure.
#pragma once

#include <string>

#include "model/report.hh"
#include "wording/wording.hh"

namespace assay::api {

// `report` as its participant may see it; `due_passed` as for that. Safe on a terminal: control characters are shown, not sent.
std::string log_text(const model::Report& report, wording::Language language, bool due_passed);

}  // namespace assay::api
