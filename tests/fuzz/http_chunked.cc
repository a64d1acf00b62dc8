// A chunked body: the same bytes come out, and the same is refused, in whatever pieces it comes in.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "http/chunked.hh"

namespace assay {
namespace {

struct Decoded {
    std::string body;
    std::size_t left = 0;  // bytes after the end
    bool finished = false;
    bool broken = false;
    bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view input, std::size_t piece_size) {
    Decoded decoded;
    http::Chunked chunked;
    while (!input.empty()) {
        ByteView piece = bytes_of(input.substr(0, piece_size));
        input.remove_prefix(piece.size());
        while (!piece.empty()) {
            const auto run = chunked.next(piece);
            if (!run) {
                decoded.broken = true;
                return decoded;
            }
            decoded.body += text_of(*run);
            decoded.finished = chunked.finished();
            if (decoded.finished) {
                decoded.left = piece.size() + input.size();
                return decoded;
            }
        }
    }
    return decoded;
}

}  // namespace

void fuzz(std::string_view input) {
    const Decoded whole = decode(input, std::max<std::size_t>(input.size(), 1));
    ASSAY_ASSERT(whole.body.size() <= input.size());
    for (const std::size_t piece_size : {1u, 2u, 7u}) ASSAY_ASSERT(decode(input, piece_size) == whole);
}

}  // namespace assay
