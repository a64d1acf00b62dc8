// Texts of a report: what programs wrote, cut and made valid UTF-8. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "model/report.hh"

namespace assay::runner {

// Head and tail of `bytes` with a line between that says how much is missing, when there are more than `size_max` (at least
// 128); else all. Invalid UTF-8 is replaced, so bytes that are no text may take up to three times the room.
std::string kept_text(std::string_view bytes, std::size_t size_max);

// The report's JSON in at most `size_max` bytes: texts of tests and stages are cut ever shorter until it fits; as a last
// resort the single tests of trusted stages are left out, and their stage's message says so.
std::string fitting_json(model::Report report, std::size_t size_max = model::report_size_max);

}  // namespace assay::runner
