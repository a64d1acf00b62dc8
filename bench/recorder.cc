// How fast a day of frames is read: prints one JSON object.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

#include "recorder/example_frames.hh"
#include "recorder/reading.hh"

using namespace assay;

namespace {

constexpr std::uint64_t day_s = 86'400;
constexpr std::size_t groups = 20;

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main() {
    auto bytes = std::make_shared<std::vector<std::byte>>();
    std::size_t used = 0;
    {
        recorder::Encoder encoder;
        const auto frame = std::make_unique<recorder::Frame>();
        std::vector<std::byte> out(recorder::frame_bytes_max);
        for (std::uint64_t second = 0; second < day_s; ++second) {
            recorder::fill_example(*frame, second, groups);
            const std::size_t size = encoder.encode(*frame, second % recorder::keyframe_every == 0, out);
            bytes->insert(bytes->end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
            used += size;
        }
    }
    const auto read = [bytes](std::span<std::byte> buffer, std::int64_t offset) -> Result<std::size_t> {
        const auto at = std::min(static_cast<std::size_t>(offset), bytes->size());
        const std::size_t size = std::min(buffer.size(), bytes->size() - at);
        std::memcpy(buffer.data(), bytes->data() + at, size);
        return size;
    };
    std::uint64_t frames = 0;
    const auto count = [&frames](const recorder::Frame&) {
        ++frames;
        return true;
    };
    auto begin = std::chrono::steady_clock::now();
    auto recording = recorder::Recording::of({read});
    const double index_s = seconds_since(begin);
    if (!recording) return 1;
    begin = std::chrono::steady_clock::now();
    if (!recording->each({}, count) || frames != day_s) return 1;
    const double read_s = seconds_since(begin);
    begin = std::chrono::steady_clock::now();
    const std::int64_t noon_ns = recorder::example_start_ns + 43'200LL * 1'000'000'000;
    if (!recording->each({.from_ns = noon_ns, .to_ns = noon_ns + 600LL * 1'000'000'000}, count)) return 1;
    fmt::print(
        "{{\"frames\": {}, \"groups\": {}, \"bytes\": {}, \"index_s\": {:.4f}, \"read_s\": {:.4f}, \"part_s\": "
        "{:.4f}}}\n",
        day_s, groups, used, index_s, read_s, seconds_since(begin));
    return 0;
}
