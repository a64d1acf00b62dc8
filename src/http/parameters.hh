// The `; name=value; name="quoted"` tail of Content-Type and Content-Disposition. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

// `tail` starts at the first ';' (or is empty). Names in lower case. In quotes a backslash escapes only '"' and '\', since
// old browsers send whole Windows paths unescaped. nullopt: not of this form, or a name given twice.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_parameters(std::string_view tail);

}  // namespace assay::http
