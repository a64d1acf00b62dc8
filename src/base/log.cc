#include "base/log.hh"

#include <fmt/format.h>

#include <cstdio>

#include "base/text.hh"

namespace assay::log {
namespace {

void to_stderr(Level, const std::string& line) {
    const std::string whole = line + "\n";  // One write, so that lines of several threads and processes never mix.
    std::fwrite(whole.data(), 1, whole.size(), stderr);
}

Sink& sink() {
    static Sink current = to_stderr;
    return current;
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warn: return "warn";
        case Level::error: return "error";
    }
    return "error";
}

void append_quoted(std::string& line, std::string_view text) {
    constexpr std::size_t field_max = 2000;  // A log line is evidence, not storage.
    line += '"';
    for (const char c : escaped(text, field_max)) {
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    line += '"';
}

}  // namespace

void set_sink(Sink next) { sink() = std::move(next); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    std::string line = fmt::format(R"({{"level":"{}","event":"{}")", name_of(level), event);
    for (const Field& field : fields) {
        line += fmt::format(R"(,"{}":)", field.name);
        if (field.number) line += field.value;
        else append_quoted(line, field.value);
    }
    line += '}';
    sink()(level, line);
}

}  // namespace assay::log
