#include "sys/posix_zone.hh"

#include <algorithm>
#include <chrono>

namespace assay::sys {
namespace {

using namespace std::chrono;

class Parser {
public:
    explicit Parser(std::string_view text) : rest_{text} {}

    bool done() const { return rest_.empty(); }
    bool accept(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // At least three letters, or anything between angle brackets. What it is called does not matter here.
    bool name() {
        if (accept('<')) {
            const auto end = rest_.find('>');
            if (end == std::string_view::npos || end < 3) return false;
            rest_.remove_prefix(end + 1);
            return true;
        }
        const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
        const auto end = std::ranges::find_if_not(rest_, letter) - rest_.begin();
        rest_.remove_prefix(static_cast<std::size_t>(end));
        return end >= 3;
    }
    std::optional<int> number(int low, int high) {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && digits < 4 && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
            value = value * 10 + (rest_[digits] - '0');
        }
        rest_.remove_prefix(digits);
        if (digits == 0 || value < low || value > high) return std::nullopt;
        return value;
    }
    // [+-]h[hh][:mm[:ss]]
    std::optional<std::int32_t> time(int hours_max) {
        const bool negative = accept('-');
        if (!negative) accept('+');
        const auto hour = number(0, hours_max);
        if (!hour) return std::nullopt;
        int total = *hour * 3600;
        for (const int unit : {60, 1}) {
            if (!accept(':')) break;
            const auto part = number(0, 59);
            if (!part) return std::nullopt;
            total += *part * unit;
        }
        return negative ? -total : total;
    }
    std::optional<PosixZone::Change> change() {
        using Kind = PosixZone::Change::Kind;
        PosixZone::Change change;
        std::optional<int> month = 1, week = 1, day;
        if (accept('M')) {
            change.kind = Kind::month_week_day;
            month = number(1, 12);
            if (!accept('.')) return std::nullopt;
            week = number(1, 5);
            if (!accept('.')) return std::nullopt;
            day = number(0, 6);
        } else if (accept('J')) {
            change.kind = Kind::julian;
            day = number(1, 365);
        } else {
            day = number(0, 365);
        }
        if (!month || !week || !day) return std::nullopt;
        change.month = *month;
        change.week = *week;
        change.day = *day;
        if (accept('/')) {
            const auto at = time(167);
            if (!at) return std::nullopt;
            change.time_s = *at;
        }
        return change;
    }

private:
    std::string_view rest_;
};

// Local seconds since 1970 at which the change is in `in`.
std::int64_t local_second(const PosixZone::Change& change, year in) {
    using Kind = PosixZone::Change::Kind;
    const sys_days new_year{in / January / 1};
    sys_days date = new_year + days{change.day};
    if (change.kind == Kind::julian) {
        // Day 60 is 1 March in every year.
        date = new_year + days{change.day - 1 + (in.is_leap() && change.day >= 60 ? 1 : 0)};
    } else if (change.kind == Kind::month_week_day) {
        const month of{static_cast<unsigned>(change.month)};
        const weekday on{static_cast<unsigned>(change.day)};
        date = change.week == 5 ? sys_days{in / of / on[last]}
                                : sys_days{in / of / on[static_cast<unsigned>(change.week)]};
    }
    return std::int64_t{date.time_since_epoch().count()} * day_seconds + change.time_s;
}

}  // namespace

std::int32_t PosixZone::offset_at(std::int64_t second) const {
    if (!summer) return offset_s;
    const year_month_day date{floor<days>(sys_seconds{seconds{second + offset_s}})};
    const std::int64_t begins = local_second(summer->begins, date.year()) - offset_s;
    const std::int64_t ends = local_second(summer->ends, date.year()) - summer->offset_s;
    // South of the equator summer goes over the new year.
    const bool now = begins < ends ? second >= begins && second < ends : second >= begins || second < ends;
    return now ? summer->offset_s : offset_s;
}

std::optional<PosixZone> parse_posix_zone(std::string_view text) {
    Parser parser{text};
    if (!parser.name()) return std::nullopt;
    const auto west = parser.time(24);
    if (!west) return std::nullopt;
    PosixZone zone{.offset_s = -*west, .summer = std::nullopt};  // POSIX counts to the west.
    if (parser.done()) return zone;

    if (!parser.name()) return std::nullopt;
    PosixZone::Summer summer{.offset_s = zone.offset_s + 3600, .begins = {}, .ends = {}};
    if (!parser.accept(',')) {
        const auto summer_west = parser.time(24);
        if (!summer_west || !parser.accept(',')) return std::nullopt;
        summer.offset_s = -*summer_west;
    }
    const auto begins = parser.change();
    if (!begins || !parser.accept(',')) return std::nullopt;
    const auto ends = parser.change();
    if (!ends || !parser.done()) return std::nullopt;
    summer.begins = *begins;
    summer.ends = *ends;
    zone.summer = summer;
    return zone;
}

}  // namespace assay::sys
