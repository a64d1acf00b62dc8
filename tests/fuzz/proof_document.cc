// What somebody shows as a receipt or a commitment.
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "proof/proof.hh"

namespace assay {

void fuzz(std::string_view input) {
    // Without the key of a server nothing is genuine, whatever it looks like.
    const std::string key(32, 'k');
    ASSAY_ASSERT(!proof::check_receipt(input, key));
    ASSAY_ASSERT(!proof::check_commitment(input, key));
}

}  // namespace assay
