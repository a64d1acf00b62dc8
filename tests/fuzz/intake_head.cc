// What the head of an upload says beside its form: declared digest and size, Idempotency-Key, fields in the address.
#include <string_view>

#include "base/assert.hh"
#include "intake/body.hh"

namespace assay {

void fuzz(std::string_view input) {
    http::Request request;
    request.query = input;
    request.headers = {{"Repr-Digest", std::string{input}}, {"Idempotency-Key", std::string{input}}};
    intake::Fields fields;
    if (const auto declared = intake::declared_of(request, fields, true); declared && declared->sha256) ASSAY_ASSERT(declared->sha256->size() == 64);
    fields.sha256 = fields.size = std::string{input};
    if (const auto declared = intake::declared_of(request, fields, true)) {
        ASSAY_ASSERT(declared->sha256->size() == 64);
        ASSAY_ASSERT(*declared->size >= 0);
    }
    if (const auto key = intake::upload_key_of(request)) ASSAY_ASSERT(!key->empty());
}

}  // namespace assay
