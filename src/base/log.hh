// The front end of the log: an event name that never changes, then fields. Where lines go is decided once, by `serve`.
//
// Rules: tokens, keys and paths that contain them are never logged (use the route template); an error is logged or
// returned, not both; ids are fields, never part of the event name. Threading: safe from every thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace assay::log {

enum class Level { debug, info, warn, error };

struct Field {
    Field(std::string_view n, std::string_view v) : name{n}, value{v} {}
    Field(std::string_view n, const char* v) : name{n}, value{v} {}
    Field(std::string_view n, const std::string& v) : name{n}, value{v} {}
    template <std::integral N>
    Field(std::string_view n, N v) : name{n}, value{std::to_string(v)}, number{true} {}

    std::string_view name;
    std::string value;
    bool number = false;
};

// One JSON object without a newline: {"level":"warn","event":"lease.lapsed","submission":"…","attempt":1}
using Sink = std::function<void(Level, const std::string& line)>;

// Replaces the sink (default: stderr). Not to be called while other threads log.
void set_sink(Sink);

void write(Level, std::string_view event, std::initializer_list<Field> fields);
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::info, event, fields); }
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::warn, event, fields); }
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::error, event, fields); }

}  // namespace assay::log
