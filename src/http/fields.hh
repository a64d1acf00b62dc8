// Header fields, what either side of a connection reads and writes alike. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

constexpr std::size_t header_fields_max = 100;  // more: 431

using Header = std::pair<std::string, std::string>;

// Why bytes are no request; answered with `status`, then the connection closes.
struct Refusal {
    int status = 400;
    std::string_view code;
    std::string text;
};
template <class T>
using Checked = std::expected<T, Refusal>;

// The header lines of a request or response, without the first line and the empty one.
Checked<std::vector<Header>> parse_fields(std::string_view lines);
bool is_token(std::string_view);
// Whether there is a control character in it, other than a tab.
bool has_control(std::string_view);
// A text without the spaces and tabs around it.
std::string_view without_blanks(std::string_view);

std::string percent_encoded(std::string_view);  // for one path segment or query value

}  // namespace assay::http
