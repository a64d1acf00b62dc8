#include "course/section.hh"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hh"
#include "sys/zone.hh"

namespace assay::course {
namespace {

constexpr int year_min = 1970;
constexpr int year_max = 9999;

std::string_view kind_of(const Value& value) {
    constexpr std::string_view kinds[] = {"text",   "a whole number", "a number", "true or false",
                                          "a date", "a list",         "a table"};
    return kinds[value.is.index()];
}

bool control_free(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    const auto near = nearest(word, known);
    return near ? fmt::format("; did you mean '{}'?", *near) : std::string{};
}

}  // namespace

Result<Section> Section::open(const std::string& file, const Value& value, std::string name,
                              std::span<const std::string_view> known, std::span<const Later> later) {
    const auto* table = std::get_if<Table>(&value.is);
    if (table == nullptr)
        return problem_at(file, value.line, fmt::format("{} must be a table, not {}", name, kind_of(value)));
    for (const auto& [key, entry] : *table) {
        if (std::ranges::find(known, key) != known.end()) continue;
        if (const auto found = std::ranges::find(later, key, &Later::key); found != later.end()) {
            return problem_at(file, entry.line, fmt::format("{} in {}: {}", key, name, found->sentence));
        }
        const std::string near = suggestion(key, known);
        return problem_at(file, entry.line,
                          fmt::format("unknown key '{}' in {}{}", escaped(key, 64), name,
                                      near.empty() ? fmt::format("; known are {}", fmt::join(known, ", ")) : near));
    }
    return Section{file, value, std::move(name)};
}

const Value* Section::find(std::string_view key) const {
    const auto found = table().find(key);
    return found == table().end() ? nullptr : &found->second;
}

Error Section::problem(std::string_view key, std::string_view text) const {
    const Value* found = find(key);
    return problem_at(*file_, found != nullptr ? found->line : value_->line,
                      fmt::format("{} in {}: {}", key, name_, text));
}

Result<> Section::require(std::string_view key) const {
    if (has(key)) return ok;
    return problem_at(*file_, value_->line, fmt::format("{} lacks '{}'", name_, key));
}

Result<std::optional<std::string>> Section::bytes(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<std::string>{};
    const auto* text = std::get_if<std::string>(&found->is);
    if (text == nullptr) return problem(key, fmt::format("must be text in quotes, not {}", kind_of(*found)));
    return std::optional{*text};
}

Result<std::optional<std::string>> Section::text(std::string_view key, std::size_t size_max) const {
    ASSAY_TRY(auto text, bytes(key));
    if (!text) return text;
    if (!control_free(*text)) return problem(key, "must not contain line breaks or control characters");
    if (text->size() > size_max) return problem(key, fmt::format("must be at most {} bytes long", size_max));
    return text;
}

Result<std::optional<std::int64_t>> Section::whole(std::string_view key, std::int64_t low, std::int64_t high) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<std::int64_t>{};
    const auto* number = std::get_if<std::int64_t>(&found->is);
    if (number == nullptr || *number < low || *number > high) {
        return problem(key, fmt::format("must be a whole number from {} to {}", low, high));
    }
    return std::optional{*number};
}

Result<std::optional<double>> Section::number(std::string_view key, double low, double high) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<double>{};
    double value = NAN;
    if (const auto* real = std::get_if<double>(&found->is)) value = *real;
    if (const auto* number = std::get_if<std::int64_t>(&found->is)) value = static_cast<double>(*number);
    if (!(value >= low && value <= high)) return problem(key, fmt::format("must be a number from {} to {}", low, high));
    return std::optional{value};
}

Result<std::optional<bool>> Section::flag(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<bool>{};
    const auto* flag = std::get_if<bool>(&found->is);
    if (flag == nullptr) return problem(key, fmt::format("must be true or false, not {}", kind_of(*found)));
    return std::optional{*flag};
}

Result<std::optional<std::int64_t>> Section::size(std::string_view key, std::int64_t low, std::int64_t high) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<std::int64_t>{};
    std::int64_t value = -1;
    if (const auto* number = std::get_if<std::int64_t>(&found->is)) {
        value = *number;
    } else {
        ASSAY_TRY(const auto text, bytes(key));
        auto parsed = parse_size(*text);
        if (!parsed) return problem(key, parsed.error().text());
        value = *parsed;
    }
    if (value < low || value > high) {
        return problem(key, fmt::format("must be from {} to {}, not {}", size_text(low), size_text(high), value));
    }
    return std::optional{value};
}

Result<std::optional<std::int64_t>> Section::duration_ms(std::string_view key, std::int64_t low,
                                                         std::int64_t high) const {
    ASSAY_TRY(const auto text, bytes(key));  // A bare number would hide its unit.
    if (!text) return std::optional<std::int64_t>{};
    auto parsed = parse_duration_ms(*text);
    if (!parsed) return problem(key, parsed.error().text());
    if (*parsed < low || *parsed > high) {
        return problem(key, fmt::format("must be from {} to {}", duration_text(static_cast<double>(low)),
                                        duration_text(static_cast<double>(high))));
    }
    return std::optional{*parsed};
}

Result<std::optional<std::vector<std::string>>> Section::texts(std::string_view key, std::size_t count_max) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<std::vector<std::string>>{};
    const auto* list = std::get_if<List>(&found->is);
    if (list == nullptr) return problem(key, fmt::format("must be a list of texts, not {}", kind_of(*found)));
    if (list->size() > count_max) return problem(key, fmt::format("must have at most {} entries", count_max));
    std::vector<std::string> texts;
    for (const Value& item : *list) {
        const auto* text = std::get_if<std::string>(&item.is);
        if (text == nullptr)
            return problem_at(*file_, item.line,
                              fmt::format("{} in {}: each entry must be text in quotes", key, name_));
        texts.push_back(*text);
    }
    return std::optional{std::move(texts)};
}

Result<std::optional<std::int64_t>> Section::time_ms(std::string_view key, const std::string& timezone, Day day) const {
    const Value* found = find(key);
    if (found == nullptr) return std::optional<std::int64_t>{};
    const auto* time = std::get_if<DateTime>(&found->is);
    if (time == nullptr) return problem(key, "must be a date without quotes, such as 2026-10-15T23:59:59+08:00");
    if (time->year < year_min || time->year > year_max) {
        return problem(key, fmt::format("must be between the years {} and {}", year_min, year_max));
    }
    const bool last_second = time->date_alone && day == Day::ends;
    const sys::LocalTime local{.year = time->year,
                               .month = time->month,
                               .day = time->day,
                               .hour = last_second ? 23 : time->hour,
                               .minute = last_second ? 59 : time->minute,
                               .second = last_second ? 59 : time->second,
                               .millisecond = time->millisecond,
                               .offset_s = 0};
    if (!time->offset_minutes) return std::optional{sys::to_ms(sys::from_local(local, timezone))};
    return std::optional{sys::to_ms(sys::from_local(local, "UTC") - std::chrono::minutes{*time->offset_minutes})};
}

Result<std::optional<std::string>> Section::word(std::string_view key, std::span<const std::string_view> words,
                                                 std::span<const Later> later) const {
    ASSAY_TRY(auto found, bytes(key));
    if (!found || std::ranges::find(words, *found) != words.end()) return found;
    if (const auto known = std::ranges::find(later, *found, &Later::key); known != later.end()) {
        return problem(key, fmt::format("\"{}\": {}", *found, known->sentence));
    }
    return problem(key, fmt::format("must be one of {}, not \"{}\"{}", fmt::join(words, ", "), escaped(*found, 64),
                                    suggestion(*found, words)));
}

Result<std::vector<const Value*>> tables(const std::string& file, const Table& root, std::string_view name) {
    std::vector<const Value*> found;
    const auto entry = root.find(name);
    if (entry == root.end()) return found;
    const auto* list = std::get_if<List>(&entry->second.is);
    const bool all_tables = list != nullptr && std::ranges::all_of(*list, [](const Value& v) {
                                return std::holds_alternative<Table>(v.is);
                            });
    if (!all_tables) return problem_at(file, entry->second.line, fmt::format("write each {0} as [[{0}]]", name));
    for (const Value& value : *list) found.push_back(&value);
    return found;
}

}  // namespace assay::course
