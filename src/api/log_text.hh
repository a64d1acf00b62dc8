// The log of a submission as one text: what its untrusted stages and visible tests printed. Pure.
#pragma once

#include <string>

#include "model/report.hh"

namespace assay::api {

// `report` as its participant may see it. Safe on a terminal: control characters are shown, not sent.
std::string log_text(const model::Report& report);

}  // namespace assay::api
