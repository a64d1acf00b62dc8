// Writes a recording of a made-up machine: `why_recording FILE SECONDS [THRASH_AT]`. From second THRASH_AT on, for half a minute, job 7 in
// slot-3 grows until nothing is left, and programs are read back from the disk again and again.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "recorder/codec.hh"
#include "recorder/example_frames.hh"

using namespace assay;

namespace {

constexpr std::uint64_t thrash_s = 30;
constexpr std::uint64_t grown_bytes_per_s = 100 << 20;

void add_thrash(recorder::Frame& frame, std::uint64_t second, std::uint64_t at) {
    const std::uint64_t during = std::min(second - at, thrash_s);
    frame.reclaim.refaults_file_total += during * 4'700;
    frame.pressure.memory_some_us_total += during * 600'000;
    frame.pressure.memory_full_us_total += during * 400'000;
    frame.pressure.io_full_us_total += during * 500'000;
    const bool now = second - at < thrash_s;
    if (now) frame.memory.available_bytes = 100 << 20;
    if (now) frame.loops[0].lag_ms_max = 2'000;
    for (recorder::Cgroup& group : frame.cgroups) {
        if (group.id != 4 || !now) continue;
        group.job = 7;
        group.anon_bytes += during * grown_bytes_per_s;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    std::FILE* const file = std::fopen(argv[1], "wb");
    if (file == nullptr) return 1;
    const std::uint64_t seconds = std::strtoull(argv[2], nullptr, 10);
    const std::uint64_t thrash_at = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : seconds;
    recorder::Encoder encoder;
    const auto frame = std::make_unique<recorder::Frame>();
    std::vector<std::byte> out(recorder::frame_bytes_max);
    for (std::uint64_t second = 0; second < seconds; ++second) {
        recorder::fill_example(*frame, second, 20);
        if (second >= thrash_at) add_thrash(*frame, second, thrash_at);
        const std::size_t size = encoder.encode(*frame, second % recorder::keyframe_every == 0, out);
        if (std::fwrite(out.data(), 1, size, file) != size) return 1;
    }
    return std::fclose(file) == 0 ? 0 : 1;
}
