// A report's JSON: what is understood is written and read again without loss.
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "model/report.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto report = model::report_from_json(input);
    if (!report) return;
    const std::string json = model::to_json(*report);
    const auto again = model::report_from_json(json);
    ASSAY_ASSERT(again);
    ASSAY_ASSERT(model::to_json(*again) == json);
}

}  // namespace assay
