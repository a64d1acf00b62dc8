#include "model/image.hh"

#include <algorithm>

namespace assay::model {
namespace {

constexpr std::string_view path_name = "PATH";

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

}  // namespace

bool valid_image_name(std::string_view name) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    constexpr std::size_t bytes_max = 64;
    if (name.empty() || name.size() > bytes_max || !letters.contains(name.front()) || name == host_image) return false;
    if (name.size() >= digest_digits_min && name.find_first_not_of("0123456789abcdef") == name.npos) return false;
    return std::ranges::all_of(name, [&](char c) { return letters.contains(c) || std::string_view{"._:-"}.contains(c); });
}

std::vector<std::string> environment_in(const std::vector<std::string>& of_image, std::vector<std::string> fixed) {
    for (const std::string& variable : of_image) {
        const std::string_view name = name_of(variable);
        const auto same = std::ranges::find(fixed, name, [](const std::string& one) { return name_of(one); });
        if (same == fixed.end()) fixed.push_back(variable);
        else if (name == path_name) *same = variable;
    }
    return fixed;
}

}  // namespace assay::model
