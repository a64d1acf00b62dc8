#include "wording/duration.hh"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "base/text.hh"

namespace assay::wording {

std::string duration(Language language, double milliseconds) {
    if (language == Language::english) return duration_text(milliseconds);
    if (milliseconds < 1000) return fmt::format("{:.0f} 毫秒", milliseconds);
    if (milliseconds < 60'000) return fmt::format("{:.1f} 秒", milliseconds / 1000);
    const auto seconds = static_cast<std::int64_t>(std::llround(milliseconds / 1000));
    const std::int64_t hours = seconds / 3600, minutes = seconds / 60 % 60, rest = seconds % 60;
    if (hours > 0) return minutes == 0 ? fmt::format("{} 小时", hours) : fmt::format("{} 小时 {} 分钟", hours, minutes);
    return rest == 0 ? fmt::format("{} 分钟", minutes) : fmt::format("{} 分 {} 秒", minutes, rest);
}

}  // namespace assay::wording
