// Why a submission waits, as JSON: of its participant on the public route, of anybody's for staff.
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

}  // namespace assay::api
