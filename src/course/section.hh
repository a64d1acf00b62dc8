// Section: one table of a TOML file, read key by key with its type and range. What it does not know is an error that names
// file, line and the nearest word it does know; what this version cannot do yet is refused with its own sentence.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "course/document.hh"

namespace assay::course {

// A key of the format that this version refuses, and why.
struct Later {
    std::string_view key;
    std::string_view sentence;
};

class Section {
public:
    // `name` is how errors name the table: "[module]", "limits". `file` and `value` must outlive the section.
    // Errors: invalid (no table, an unknown key, a key of `later`).
    static Result<Section> open(const std::string& file, const Value& value, std::string name,
                                std::span<const std::string_view> known, std::span<const Later> later = {});

    // Each returns nullopt when the key is absent, and invalid when its type or range is wrong.
    Result<std::optional<std::string>> text(std::string_view key,
                                            std::size_t size_max = 1000) const;  // without control characters
    Result<std::optional<std::string>> bytes(std::string_view key) const;        // any text
    Result<std::optional<std::int64_t>> whole(std::string_view key, std::int64_t low, std::int64_t high) const;
    Result<std::optional<double>> number(std::string_view key, double low, double high) const;
    Result<std::optional<bool>> flag(std::string_view key) const;
    Result<std::optional<std::int64_t>> size(std::string_view key, std::int64_t low, std::int64_t high) const;  // bytes
    Result<std::optional<std::int64_t>> duration_ms(std::string_view key, std::int64_t low, std::int64_t high) const;
    Result<std::optional<std::vector<std::string>>> texts(std::string_view key, std::size_t count_max) const;
    // Milliseconds since 1970 UTC; a time without offset is in `timezone`. A date alone is that end of its day: who writes the day something
    // is due means all of it.
    enum class Day { begins, ends };
    Result<std::optional<std::int64_t>> time_ms(std::string_view key, const std::string& timezone, Day day) const;
    // One of `words`; "xml is not one of …", with a suggestion. A word of `later` is refused with its sentence.
    Result<std::optional<std::string>> word(std::string_view key, std::span<const std::string_view> words,
                                            std::span<const Later> later = {}) const;

    const Value* find(std::string_view key) const;  // nullptr = absent
    bool has(std::string_view key) const { return find(key) != nullptr; }
    Result<> require(std::string_view key) const;  // invalid when absent

    const std::string& file() const { return *file_; }
    std::size_t line() const { return value_->line; }
    // An error at the key's line, or at the table's when it is absent.
    Error problem(std::string_view key, std::string_view text) const;

private:
    Section(const std::string& file, const Value& value, std::string name)
        : file_{&file}, value_{&value}, name_{std::move(name)} {}
    const Table& table() const { return std::get<Table>(value_->is); }

    const std::string* file_;
    const Value* value_;
    std::string name_;
};

// The entries of [[name]]; absent = none. Errors: invalid (something else stands there).
Result<std::vector<const Value*>> tables(const std::string& file, const Table& root, std::string_view name);

}  // namespace assay::course
