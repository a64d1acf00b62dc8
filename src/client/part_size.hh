// PartSize: how large the next part of an upload is. One that is too large for the way loses all that was sent of it: the server keeps
// none of a part that did not come whole. So it is halved where the way broke under it or was too slow for it, and doubled where it came
// quickly; what something on the way takes offence at is never asked of it again. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace assay::client {

constexpr std::int64_t part_bytes = 512 << 10;             // below every proxy's default limit
constexpr std::int64_t part_bytes_refused_min = 16 << 10;  // whoever takes offence at less does so whatever the size
constexpr std::int64_t part_bytes_broken_min = 32 << 10;   // less would be more of headers than of parts

class PartSize {
public:
    // `within`: a part must come, or it is given up.
    explicit PartSize(std::chrono::milliseconds within) : within_{within} {}

    std::int64_t bytes() const { return bytes_; }
    // Something on the way took offence at its size. Whether a smaller one may pass.
    bool refused() {
        if (most_ <= part_bytes_refused_min) return false;
        bytes_ = most_ = std::max(part_bytes_refused_min, std::min(bytes_, most_) / 4);
        return true;
    }
    void broke() { bytes_ = std::max(bytes_ / 2, std::min(part_bytes_broken_min, most_)); }
    void came(std::chrono::milliseconds took) {
        if (took <= within_ / quick_of) bytes_ = std::min(bytes_ * 2, most_);
    }

private:
    static constexpr int quick_of = 4;  // of a part of twice the size, half the time is left yet
    std::chrono::milliseconds within_;
    std::int64_t bytes_ = part_bytes;
    std::int64_t most_ = part_bytes;
};

}  // namespace assay::client
