#include "cli/when.hh"

#include <fmt/format.h>

#include <optional>

#include "base/text.hh"
#include "sys/zone.hh"

namespace assay::cli {
namespace {

// Takes `digits` digits off the front, and `after` behind them unless it is 0.
bool take(std::string_view& text, std::size_t digits, char after, int& value) {
    if (text.size() < digits + (after != 0 ? 1 : 0)) return false;
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    if (after != 0 && text[digits] != after) return false;
    text.remove_prefix(digits + (after != 0 ? 1 : 0));
    return true;
}

bool take_clock(std::string_view& text, sys::LocalTime& time) {
    if (!take(text, 2, ':', time.hour) || !take(text, 2, 0, time.minute)) return false;
    time.second = 0;
    if (text.starts_with(':')) {
        text.remove_prefix(1);
        if (!take(text, 2, 0, time.second)) return false;
    }
    if (text.starts_with('.')) {  // parts of a second are not looked for
        text.remove_prefix(1);
        while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
    }
    return time.hour < 24 && time.minute < 60 && time.second < 60;
}

std::optional<int> offset_s(std::string_view text) {
    if (text == "Z" || text == "z") return 0;
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const int sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    if (!take(text, 2, ':', hours) || !take(text, 2, 0, minutes)) return std::nullopt;
    return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

Result<sys::WallTime> parse_when(std::string_view text, sys::WallTime now, const std::string& zone) {
    const Error wrong{
        Fault::invalid,
        fmt::format("'{}' is no time; write 17:15:50, 2026-10-15 17:15:50, 2026-10-15T17:15:50+08:00 or -10min",
                    escaped(text, 40))};
    if (text.starts_with('-')) {
        const auto ms = parse_duration_ms(text.substr(1));
        if (!ms) return wrong;
        return now - std::chrono::milliseconds{*ms};
    }
    sys::LocalTime time;
    std::string_view rest = text;
    const bool dated = rest.size() > 5 && rest[4] == '-';
    if (!dated) {
        time = sys::local_time(now, zone);
        time.millisecond = 0;
        if (!take_clock(rest, time) || !rest.empty()) return wrong;
        const sys::WallTime today = sys::from_local(time, zone);
        return today <= now ? today : today - std::chrono::hours{24};
    }
    if (!take(rest, 4, '-', time.year) || !take(rest, 2, '-', time.month) || !take(rest, 2, 0, time.day)) return wrong;
    if (time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31) return wrong;
    time.hour = time.minute = time.second = 0;
    if (!rest.empty()) {
        if (rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ') return wrong;
        rest.remove_prefix(1);
        if (!take_clock(rest, time)) return wrong;
    }
    if (rest.empty()) return sys::from_local(time, zone);
    const auto offset = offset_s(rest);
    if (!offset) return wrong;
    return sys::from_local(time, "UTC") - std::chrono::seconds{*offset};
}

}  // namespace assay::cli
