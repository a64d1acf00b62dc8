// What a server answers a runner: whatever it says, it is understood in full or ends the session.
#include <string_view>

#include "base/assert.hh"
#include "runner/protocol.hh"

namespace assay {

void fuzz(std::string_view input) {
    if (const auto opened = runner::opened_from_json(input)) {
        ASSAY_ASSERT(opened->heartbeat.count() >= 1);
        ASSAY_ASSERT(opened->heartbeat <= opened->lease / 2);
    }
    if (const auto lease = runner::lease_from_json(input)) {
        ASSAY_ASSERT(lease->sha256.size() == 64);
        ASSAY_ASSERT(lease->revision_digest.size() == 64);
        ASSAY_ASSERT(lease->size_bytes >= 0);
    }
    (void)runner::beat_from_json(input);
}

}  // namespace assay
