// What a confined verifier answers, which hostile bytes may have taken over: understood in full, or an error.
#include <string_view>

#include "archive/verify.hh"
#include "base/assert.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto verdict = archive::answer_from_json(input);
    if (!verdict) return;
    ASSAY_ASSERT(verdict->manifest.has_value() != verdict->refused.has_value());
    const auto again = archive::answer_from_json(archive::answer_to_json(verdict));
    ASSAY_ASSERT(again);
    ASSAY_ASSERT(archive::answer_to_json(again) == archive::answer_to_json(verdict));
}

}  // namespace assay
