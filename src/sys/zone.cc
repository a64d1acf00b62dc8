// Method: a zone is its TZif transitions (RFC 8536, version 2 or later), searched by bisection, and behind the last one the
// rule of its footer. Newer tzdata keeps few transitions, so the rule is what answers for most dates of today.
#include "sys/zone.hh"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/posix_zone.hh"

namespace assay::sys {
namespace {

constexpr std::size_t zone_file_bytes_max = 256 * 1024;
constexpr std::size_t zone_name_bytes_max = 64;
constexpr std::size_t timezone_file_bytes_max = 4096;

struct Zone {
    std::vector<std::int64_t> changes;  // seconds since 1970 UTC, ascending
    std::vector<std::int32_t> offsets;  // from that change on; as many as `changes`
    std::int32_t first_offset = 0;      // before the first change
    std::optional<PosixZone> rule;      // from the last change on

    std::int32_t offset_at(std::int64_t second) const {
        const auto next = std::ranges::upper_bound(changes, second);
        if (next == changes.end() && rule) return rule->offset_at(second);
        if (next == changes.begin()) return first_offset;
        return offsets[static_cast<std::size_t>(next - changes.begin()) - 1];
    }
};

// Big-endian numbers from the front of a text; `good` turns false for ever when it runs out.
struct Reader {
    std::string_view rest;
    bool good = true;

    std::string_view take(std::size_t count) {
        if (count > rest.size()) good = false;
        if (!good) return {};
        const std::string_view taken = rest.substr(0, count);
        rest.remove_prefix(count);
        return taken;
    }
    std::int64_t number(std::size_t width) {
        const std::string_view digits = take(width);
        if (!good) return 0;
        std::uint64_t value = (digits[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        for (const char digit : digits) value = value << 8 | static_cast<unsigned char>(digit);
        return static_cast<std::int64_t>(value);
    }
};

struct Counts {
    char version = 0;
    std::size_t utc = 0, standard = 0, leaps = 0, changes = 0, types = 0, letters = 0;
    std::size_t body_bytes(std::size_t width) const {
        return changes * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + utc;
    }
};

std::optional<Counts> read_counts(Reader& reader) {
    if (reader.take(4) != "TZif") return std::nullopt;
    Counts counts;
    const std::string_view version = reader.take(16);
    for (std::size_t* field :
         {&counts.utc, &counts.standard, &counts.leaps, &counts.changes, &counts.types, &counts.letters}) {
        const std::int64_t value = reader.number(4);
        // No count can exceed the file, which also keeps the sums below from overflowing.
        if (value < 0 || value > static_cast<std::int64_t>(zone_file_bytes_max)) return std::nullopt;
        *field = static_cast<std::size_t>(value);
    }
    if (!reader.good) return std::nullopt;
    counts.version = version[0];
    return counts;
}

std::optional<Zone> parse_zone(std::string_view file) {
    Reader reader{file};
    const auto old = read_counts(reader);
    if (!old || old->version < '2') return std::nullopt;
    reader.take(old->body_bytes(4));
    const auto counts = read_counts(reader);
    if (!counts || counts->types == 0) return std::nullopt;

    Reader body{reader.take(counts->body_bytes(8))};
    Reader times{body.take(counts->changes * 8)};
    const std::string_view kinds = body.take(counts->changes);
    Reader types{body.take(counts->types * 6)};
    if (!reader.good || !body.good) return std::nullopt;

    std::vector<std::int32_t> type_offsets;
    for (std::size_t i = 0; i < counts->types; ++i) {
        const std::int64_t offset = types.number(4);
        if (offset < -day_seconds * 2 || offset > day_seconds * 2) return std::nullopt;
        type_offsets.push_back(static_cast<std::int32_t>(offset));
        types.take(2);
    }
    Zone zone;
    zone.first_offset = type_offsets[0];
    for (const char kind : kinds) {
        const auto index = static_cast<unsigned char>(kind);
        if (index >= type_offsets.size()) return std::nullopt;
        zone.changes.push_back(times.number(8));
        zone.offsets.push_back(type_offsets[index]);
    }
    if (!std::ranges::is_sorted(zone.changes)) return std::nullopt;

    std::string_view footer = reader.rest;
    if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return std::nullopt;
    footer = footer.substr(1, footer.size() - 2);
    if (!footer.empty()) {
        zone.rule = parse_posix_zone(footer);
        if (!zone.rule) return std::nullopt;
    }
    return zone;
}

// "Area/City" and the like: what can never leave the folder, and names no hidden file.
bool plain_name(std::string_view name) {
    if (name.empty() || name.size() > zone_name_bytes_max) return false;
    const auto parts = split(name, '/');
    // right/… counts leap seconds, which no other clock of ours does.
    if (parts.front() == "right") return false;
    return std::ranges::all_of(parts, [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                   c == '+';
        });
    });
}

std::string zone_folder() {
    const char* named = std::getenv("TZDIR");
    return named != nullptr && *named != '\0' ? named : "/usr/share/zoneinfo";
}

// nullptr = there is no such zone. Only zones that exist are kept, so their number is bounded by the folder.
std::shared_ptr<const Zone> find_zone(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const Zone>> known;
    if (!plain_name(name)) return nullptr;
    const std::string path = zone_folder() + "/" + name;
    const std::scoped_lock lock{mutex};
    if (const auto found = known.find(path); found != known.end()) return found->second;
    const auto file = read_file(path, zone_file_bytes_max);
    if (!file) return nullptr;
    auto zone = parse_zone(*file);
    if (!zone) return nullptr;
    return known.emplace(path, std::make_shared<const Zone>(std::move(*zone))).first->second;
}

std::int32_t offset_in(const std::string& zone, std::int64_t second) {
    const auto found = find_zone(zone);
    return found ? found->offset_at(second) : 0;
}

LocalTime fields_of(WallTime time, std::int32_t offset_s) {
    using namespace std::chrono;
    const auto shifted = time + seconds{offset_s};
    const auto midnight = floor<days>(shifted);
    const year_month_day date{midnight};
    const hh_mm_ss clock{shifted - midnight};
    return {
        .year = static_cast<int>(date.year()),
        .month = static_cast<int>(static_cast<unsigned>(date.month())),
        .day = static_cast<int>(static_cast<unsigned>(date.day())),
        .hour = static_cast<int>(clock.hours().count()),
        .minute = static_cast<int>(clock.minutes().count()),
        .second = static_cast<int>(clock.seconds().count()),
        .millisecond = static_cast<int>(clock.subseconds().count()),
        .offset_s = offset_s,
    };
}

std::int64_t second_of(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

bool known_zone(const std::string& name) { return find_zone(name) != nullptr; }

std::string server_zone() {
    if (const char* named = std::getenv("TZ"); named != nullptr) {
        const std::string name{*named == ':' ? named + 1 : named};
        if (known_zone(name)) return name;
    }
    if (const auto file = read_file("/etc/timezone", timezone_file_bytes_max)) {
        const std::string name{trimmed(*file)};
        if (known_zone(name)) return name;
    }
    std::error_code failed;
    const std::string target = std::filesystem::read_symlink("/etc/localtime", failed).string();
    constexpr std::string_view folder = "zoneinfo/";
    if (const auto at = target.find(folder); !failed && at != std::string::npos) {
        const std::string name = target.substr(at + folder.size());
        if (known_zone(name)) return name;
    }
    return "UTC";
}

LocalTime local_time(WallTime time, const std::string& zone) {
    return fields_of(time, offset_in(zone, second_of(time)));
}

std::string date_and_time(WallTime time, const std::string& zone) {
    const LocalTime local = local_time(time, zone);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.year, local.month, local.day, local.hour,
                       local.minute, local.second);
}

std::string rfc3339(WallTime time, const std::string& zone) {
    // An offset has whole minutes here; those with seconds are from before 1972, and the same instant is still named.
    const std::int32_t minutes = offset_in(zone, second_of(time)) / 60;
    const LocalTime local = fields_of(time, minutes * 60);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02}", local.year, local.month, local.day,
                       local.hour, local.minute, local.second, local.millisecond, minutes < 0 ? '-' : '+',
                       std::abs(minutes) / 60, std::abs(minutes) % 60);
}

WallTime from_local(const LocalTime& local, const std::string& zone) {
    using namespace std::chrono;
    const sys_days date{year{local.year} / month{static_cast<unsigned>(local.month)} /
                        day{static_cast<unsigned>(local.day)}};
    const WallTime naive = WallTime{date} + hours{local.hour} + minutes{local.minute} + seconds{local.second} +
                           milliseconds{local.millisecond};
    // Whatever changes near it changes between a day before and a day after.
    const std::int64_t second = second_of(naive);
    const std::int32_t before = offset_in(zone, second - day_seconds);
    const std::int32_t after = offset_in(zone, second + day_seconds);
    // The larger offset is the earlier instant.
    for (const std::int32_t offset : {std::max(before, after), std::min(before, after)}) {
        if (offset_in(zone, second - offset) == offset) return naive - seconds{offset};
    }
    return naive - seconds{before};  // A time that clocks passed over.
}

}  // namespace assay::sys
