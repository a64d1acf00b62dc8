#include "model/json.hh"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"

namespace assay::model {
namespace {

struct Shape {
    std::size_t depth = 0;   // deepest nesting
    std::size_t values = 1;  // never less than the text can hold
};

// Counts brackets and commas outside strings; right for every well-formed text, and the others are refused later anyway.
Shape shape_of(std::string_view text) {
    Shape shape;
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
            continue;
        }
        switch (c) {
            case '"': in_string = true; break;
            case '[': case '{':
                shape.depth = std::max(shape.depth, ++depth);
                ++shape.values;
                break;
            case ']': case '}': depth -= depth > 0; break;
            case ',': ++shape.values; break;
            default: break;
        }
    }
    return shape;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, const JsonBounds& bounds) {
    if (text.size() > bounds.size_max) {
        return Error{Fault::too_large, fmt::format("JSON of {} bytes; at most {}", text.size(), bounds.size_max)};
    }
    const Shape shape = shape_of(text);
    if (shape.depth > bounds.depth_max) {
        return Error{Fault::too_large, fmt::format("JSON nested {} deep; at most {}", shape.depth, bounds.depth_max)};
    }
    if (shape.values > bounds.values_max) {
        return Error{Fault::too_large, fmt::format("JSON of {} values; at most {}", shape.values, bounds.values_max)};
    }
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::exception& error) {
        // Without the name of the library's exception, "[json.exception.parse_error.101] ", which says nothing to people.
        std::string_view said = error.what();
        if (const std::size_t name_end = said.find("] "); said.starts_with('[') && name_end != said.npos) said.remove_prefix(name_end + 2);
        return Error{Fault::invalid, "not JSON: " + escaped(said, 300)};
    }
}

}  // namespace assay::model
