#include "course/document.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.hh"

namespace assay::course {
namespace {

// The library bounds how deeply values nest, so this recursion is bounded too.
Result<Value> value_of(const std::string& file, const toml::node& node);

DateTime time_of(const toml::date& date, const toml::time& time) {
    return {.year = date.year,
            .month = date.month,
            .day = date.day,
            .hour = time.hour,
            .minute = time.minute,
            .second = time.second,
            .millisecond = static_cast<int>(time.nanosecond / 1'000'000),
            .offset_minutes = std::nullopt};
}

Result<Value> table_of(const std::string& file, const toml::table& table) {
    Table entries;
    for (const auto& [key, node] : table) {
        ASSAY_TRY(Value value, value_of(file, node));
        // A header such as [[stage]] has no line of its own for each key; its first value has.
        if (const auto line = key.source().begin.line; line != 0 && !node.is_table() && !node.is_array_of_tables())
            value.line = line;
        entries.emplace(std::string{key.str()}, std::move(value));
    }
    return Value{.line = table.source().begin.line, .is = std::move(entries)};
}

Result<Value> value_of(const std::string& file, const toml::node& node) {
    const std::size_t line = node.source().begin.line;
    if (const auto* table = node.as_table()) return table_of(file, *table);
    if (const auto* array = node.as_array()) {
        List items;
        for (const toml::node& item : *array) {
            ASSAY_TRY(Value value, value_of(file, item));
            items.push_back(std::move(value));
        }
        return Value{.line = line, .is = std::move(items)};
    }
    if (const auto* text = node.as_string()) return Value{.line = line, .is = text->get()};
    if (const auto* whole = node.as_integer()) return Value{.line = line, .is = whole->get()};
    if (const auto* real = node.as_floating_point()) return Value{.line = line, .is = real->get()};
    if (const auto* flag = node.as_boolean()) return Value{.line = line, .is = flag->get()};
    if (const auto* date = node.as_date()) {
        DateTime day = time_of(date->get(), {});
        day.date_alone = true;
        return Value{.line = line, .is = day};
    }
    if (const auto* moment = node.as_date_time()) {
        DateTime time = time_of(moment->get().date, moment->get().time);
        if (moment->get().offset) time.offset_minutes = moment->get().offset->minutes;
        return Value{.line = line, .is = time};
    }
    return problem_at(file, line, "a time of day without a date means nothing here");
}

}  // namespace

Error problem_at(std::string_view file, std::size_t line, std::string_view text) {
    return {Fault::invalid, fmt::format("{}:{}: {}", file, line, text)};
}

Result<Value> parse_toml(const std::string& file, std::string_view text) {
    if (text.size() > toml_bytes_max) {
        return Error{Fault::too_large, fmt::format("{}: larger than {}", file, size_text(toml_bytes_max))};
    }
    try {
        return table_of(file, toml::parse(text, file));
    } catch (const toml::parse_error& error) {
        return problem_at(file, error.source().begin.line, error.description());
    }
}

}  // namespace assay::course
