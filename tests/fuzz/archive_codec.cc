// The framing of one codec: the first byte says which, the rest is its stream. Whatever it is, decoding ends, with as many bytes
// as the framing allows, or is refused; it never hands out more than it was asked for, and "end" stays the end.
#include <array>
#include <string_view>

#include "archive/source.hh"
#include "base/assert.hh"

namespace assay {
namespace {

using archive::Input;
using archive::Source;

constexpr std::size_t decoded_max = 4u << 20;   // then it is a bomb's work, which verify bounds
constexpr std::array codecs{archive::plain_source, archive::gzip_source, archive::bzip2_source, archive::xz_source, archive::zstd_source};

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    const auto codec = codecs[static_cast<unsigned char>(input.front()) % codecs.size()];
    Input bytes{bytes_of(input.substr(1))};
    const auto source = codec(bytes);
    std::array<std::byte, 4096> piece;
    for (std::size_t total = 0; total < decoded_max;) {
        // Pieces of all sizes: a frame's edge falls inside some and beside others.
        const auto wanted = std::span{piece}.first(1 + total % piece.size());
        auto got = source->read(wanted);
        if (!got) return;
        ASSAY_ASSERT(*got <= wanted.size());
        ASSAY_ASSERT(source->offset() >= 0);
        if (*got == 0) {
            auto again = source->read(wanted);
            ASSAY_ASSERT(again && *again == 0);
            return;
        }
        total += *got;
    }
}

}  // namespace assay
