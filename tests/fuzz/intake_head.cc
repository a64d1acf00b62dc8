// What the head of an upload says beside its form: declared digest and size, Idempotency-Key, fields in the address; and what a
// commitment's body asks for.
#include <string_view>

#include "base/assert.hh"
#include "intake/body.hh"
#include "intake/commitment.hh"

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
    if (const auto asked = intake::commitment_asked(input)) {
        ASSAY_ASSERT(asked->sha256.size() == 64);
        ASSAY_ASSERT(asked->size >= 0);
        ASSAY_ASSERT(!asked->course.empty());
    }
    if (const auto key = intake::upload_key_of(request)) ASSAY_ASSERT(!key->empty());
}

}  // namespace assay
