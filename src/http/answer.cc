#include <algorithm>

#include "http/outgoing.hh"

namespace assay::http {

std::string_view Answer::header(std::string_view name) const {
    const auto found =
        std::ranges::find_if(headers, [&](const Header& h) { return equal_ignoring_case(h.first, name); });
    return found == headers.end() ? std::string_view{} : found->second;
}

}  // namespace assay::http
