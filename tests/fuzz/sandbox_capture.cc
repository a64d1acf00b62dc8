// What a command printed, as the runner keeps it: head and tail of the stream, and the truth about the rest. The first byte of
// the input is how much is kept, the second how large the pieces are.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "sandbox/capture.hh"

namespace assay {

void fuzz(std::string_view input) {
    if (input.size() < 2) return;
    const auto kept_max = static_cast<std::size_t>(static_cast<unsigned char>(input[0]));
    const auto piece_size = static_cast<std::size_t>(static_cast<unsigned char>(input[1])) + 1;
    const std::string_view stream = input.substr(2);

    sandbox::Capture capture{kept_max};
    for (std::size_t at = 0; at < stream.size(); at += piece_size) capture.add(stream.substr(at, piece_size));
    const model::Captured kept = std::move(capture).take();

    ASSAY_ASSERT(kept.bytes == static_cast<std::int64_t>(stream.size()));
    ASSAY_ASSERT(kept.head.size() + kept.tail.size() <= kept_max);
    ASSAY_ASSERT(kept.bytes == static_cast<std::int64_t>(kept.head.size() + kept.tail.size()) + kept.dropped_bytes);
    ASSAY_ASSERT(kept.dropped_bytes == std::max<std::int64_t>(0, kept.bytes - static_cast<std::int64_t>(kept_max)));
    ASSAY_ASSERT(stream.starts_with(kept.head));
    ASSAY_ASSERT(stream.ends_with(kept.tail));
}

}  // namespace assay
