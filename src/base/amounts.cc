// Sizes and durations for people. Apart from text.cc, so that a program without {fmt} can use that.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text.hh"

namespace assay {

std::string size_text(std::int64_t bytes) {
    constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < names.size()) {
        value /= 1024;
        ++unit;
    }
    const bool whole = value == std::floor(value) || value >= 100;
    return whole ? fmt::format("{:.0f} {}", value, names[unit]) : fmt::format("{:.1f} {}", value, names[unit]);
}

std::string duration_text(double milliseconds) {
    if (milliseconds < 1000) return fmt::format("{:.0f} ms", milliseconds);
    if (milliseconds < 60'000) return fmt::format("{:.1f} s", milliseconds / 1000);
    const auto seconds = static_cast<std::int64_t>(std::llround(milliseconds / 1000));
    const std::int64_t hours = seconds / 3600, minutes = seconds / 60 % 60, rest = seconds % 60;
    if (hours > 0) return minutes == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} min", hours, minutes);
    return rest == 0 ? fmt::format("{} min", minutes) : fmt::format("{} min {} s", minutes, rest);
}

}  // namespace assay
