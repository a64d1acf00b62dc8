#include "base/ids.hh"

#include <algorithm>

namespace assay {

bool valid_name(std::string_view text) {
    constexpr std::size_t size_max = 64;
    if (text.empty() || text.size() > size_max || text.front() == '.') return false;
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

}  // namespace assay
