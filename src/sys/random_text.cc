#include "base/assert.hh"
#include "sys/random.hh"

namespace assay::sys {

std::string random_text(std::size_t count, std::string_view alphabet) {
    ASSAY_ASSERT(alphabet.size() >= 2);
    ASSAY_ASSERT(alphabet.size() <= 256);
    const std::size_t fair = 256 / alphabet.size() * alphabet.size();
    std::string text;
    while (text.size() < count) {
        for (const char c : random_bytes(count)) {
            const auto value = static_cast<unsigned char>(c);
            if (value < fair && text.size() < count) text += alphabet[value % alphabet.size()];
        }
    }
    return text;
}

}  // namespace assay::sys
