// A recording of any bytes: read whole, in bounded memory, in order; and what was decoded can be encoded and decoded again.
#include <cstring>
#include <vector>

#include "base/assert.hh"
#include "recorder/rates.hh"
#include "recorder/reading.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto read = [&](std::span<std::byte> buffer, std::int64_t offset) -> Result<std::size_t> {
        const auto at = static_cast<std::size_t>(offset);
        if (at >= input.size()) return std::size_t{0};
        const std::size_t size = std::min(buffer.size(), input.size() - at);
        std::memcpy(buffer.data(), input.data() + at, size);
        return size;
    };
    auto recording = recorder::Recording::of({read});
    ASSAY_ASSERT(recording.has_value());
    static recorder::Frame before;
    recorder::Encoder encoder;
    recorder::Decoder decoder;
    std::vector<std::byte> again(recorder::frame_bytes_max);
    std::uint64_t told = 0;
    bool first = true;
    const auto read_whole = recording->each({}, [&](const recorder::Frame& frame) {
        ASSAY_ASSERT(first || frame.sequence > told);
        told = frame.sequence;
        if (!first) (void)recorder::rates_between(before, frame);
        first = false;
        before = frame;
        const std::size_t size = encoder.encode(frame, false, again);
        ASSAY_ASSERT(size >= recorder::frame_bytes_min);
        ASSAY_ASSERT(decoder.decode(ByteView{again}.first(size)) == recorder::Decoder::Outcome::frame);
        ASSAY_ASSERT(decoder.frame().memory.free_bytes == frame.memory.free_bytes ||
                     decoder.frame().sections != frame.sections);
        return true;
    });
    ASSAY_ASSERT(read_whole.has_value());
}

}  // namespace assay
