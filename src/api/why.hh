// Why a submission waits, or why a verdict is a fault, as JSON: of its participant on the public route, of anybody's for staff.
#pragma once

#include <string>

#include "diagnosis/chain.hh"
#include "queue/view.hh"

namespace assay::api {

// Errors: missing (there is no such submission), and the store's.
Result<std::string> why_json(store::Reading&, const queue::Board&, const SubmissionId&, diagnosis::Audience,
                             wording::Language, std::int64_t now_ms);
Result<std::string> why_json(store::Store&, const queue::Board&, const SubmissionId&, diagnosis::Audience,
                             wording::Language, std::int64_t now_ms);

// For staff: the stored report of its newest verdict, nothing left out. Errors: missing (no such submission, or no verdict yet).
Result<std::string> whole_report_json(store::Store&, const SubmissionId&);

}  // namespace assay::api
