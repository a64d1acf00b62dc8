// What the head of a request for an upload in parts says: metadata, length, checksum, a line each.
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "intake/tus.hh"

namespace assay {

void fuzz(std::string_view input) {
    using namespace intake;
    const auto lines = split(input, '\n');
    const auto line = [&](std::size_t i) { return std::string{i < lines.size() ? lines[i] : std::string_view{}}; };
    http::Request request;
    request.method = "POST";
    request.headers = {{"Upload-Metadata", line(0)}, {"Upload-Length", line(1)}, {"Upload-Offset", line(1)}, {"Upload-Checksum", line(2)},
                       {"Content-Type", "application/offset+octet-stream"}, {"X-HTTP-Method-Override", line(0)}};
    if (const auto creation = tus::creation_of(request)) {
        ASSAY_ASSERT(creation->length >= 0);
        ASSAY_ASSERT(creation->with_upload);
    }
    if (const auto part = tus::part_of(request, false); part && part->checksum) {
        ASSAY_ASSERT(part->offset >= 0);
        ASSAY_ASSERT(part->checksum->digest.size() == (part->checksum->algorithm == tus::Algorithm::sha1 ? 20U : 32U));
    }
    (void)tus::method_of(request);
}

}  // namespace assay
