// A datagram from anybody, as it came and with a signature that is right.
#include <string>
#include <string_view>

#include "alert/digest.hh"
#include "base/assert.hh"
#include "base/text.hh"
#include "sys/sha256.hh"

namespace assay {

void fuzz(std::string_view input) {
    using namespace alert;
    constexpr std::string_view secret = "sixteen bytes or more";
    (void)digest_from(input, secret);
    std::string content = "ASD1" + std::string{"\x01\x00\x00\x00", 4} + std::string{input};
    content.resize(digest_bytes - 32, '\0');
    const auto digest = digest_from(content + sys::hmac_sha256(bytes_of(secret), bytes_of(content)), secret);
    ASSAY_ASSERT(digest.has_value());
    ASSAY_ASSERT(valid_utf8(digest->host));
    ASSAY_ASSERT(valid_utf8(digest->cause));
    ASSAY_ASSERT(!is_news(*digest, *digest));
    const auto again = digest_from(to_datagram(*digest, secret), secret);
    ASSAY_ASSERT(again.has_value());
}

}  // namespace assay
