// A report's JSON within the bound of what the server takes. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "model/report.hh"

namespace assay::runner {

// The report's JSON in at most `size_max` bytes: texts of tests and stages are cut ever shorter until it fits; as a last
// resort the single tests of trusted stages, whose number and names are the grader's, are left out and their stage says so.
std::string fitting_json(model::Report report, std::size_t size_max = model::report_size_max);

}  // namespace assay::runner
