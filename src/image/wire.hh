// What an import says to its confined process and hears from it, one line of JSON each. Internal to image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hh"
#include "image/image.hh"

namespace assay::image {

enum class Input { file, pipe_of_tree, pipe_of_layout };

struct Order {
    Input input = Input::file;
    std::int64_t bytes_max = 0;
};
struct Filled {                        // the folder is full
    std::vector<std::string> environment;
    Left left;
};
// The confined process may have been taken over: what it says is bounded, and believed only where it does not matter.
using Told = std::variant<Progress, Filled, Error>;
constexpr std::size_t line_bytes_max = 256u << 10;

std::string to_line(const Order&);
std::string to_line(const Told&);
Result<Order> order_from(std::string_view line);
Result<Told> told_from(std::string_view line);

// Also what is kept beside an image.
std::string to_json(const Info&);
Result<Info> info_from(std::string_view json);

}  // namespace assay::image
