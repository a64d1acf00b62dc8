// A plan's JSON: what is understood is written and read again without loss.
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "model/plan.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto plan = model::plan_from_json(input);
    if (!plan) return;
    const std::string json = model::to_json(*plan);
    const auto again = model::plan_from_json(json);
    ASSAY_ASSERT(again);
    ASSAY_ASSERT(model::to_json(*again) == json);
}

}  // namespace assay
