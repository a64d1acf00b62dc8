// Document: a TOML file as values that know their lines. The rest of the room sees nothing of the library that parsed it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hh"

namespace assay::course {

constexpr std::size_t toml_bytes_max = 32u << 20;

struct DateTime {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0;
    std::optional<int> offset_minutes;  // nullopt: in the course's zone
    bool date_alone = false;            // no time of day was written; it is midnight
};

struct Value;
using List = std::vector<Value>;
using Table = std::map<std::string, Value, std::less<>>;

struct Value {
    std::size_t line = 0;  // 1-based; of the key for an entry of a table
    std::variant<std::string, std::int64_t, double, bool, DateTime, List, Table> is;
};

// `file` is how errors name it. Errors: invalid ("PA1/module.toml:3: …"), too_large.
Result<Value> parse_toml(const std::string& file, std::string_view text);

// "PA1/module.toml:12: …"
Error problem_at(std::string_view file, std::size_t line, std::string_view text);

}  // namespace assay::course
