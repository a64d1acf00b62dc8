// Bounded reading of JSON that others wrote. The values are nlohmann's; who looks inside includes <nlohmann/json.hpp> itself.
#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hh"

namespace assay::model {

struct JsonBounds {
    std::size_t size_max = 1u << 20;     // bytes of text
    std::size_t depth_max = 32;          // nested arrays and objects
    std::size_t values_max = 1'000'000;  // bounds the memory of the tree: at most about 200 bytes each
};

// Bounds are checked before anything is built. Strings are valid UTF-8, numbers finite. Errors: too_large (which bound),
// invalid (with the place).
Result<nlohmann::json> parse_json(std::string_view text, const JsonBounds& bounds);

}  // namespace assay::model
