// Url: where a server is. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "wording/wording.hh"

namespace assay::client {

constexpr std::size_t url_size_max = 2048;

struct Url {
    bool tls = false;           // https
    std::string host;           // without the brackets of an IPv6 address
    std::uint16_t port = 80;
    std::string path;           // "" or "/prefix", without a final '/'
    std::string text() const;   // as a person writes it; the same server has one text
    std::string host_header() const;
};

// "http://host[:port][/prefix]", or https; without a scheme http is meant. Errors: invalid.
Result<Url> parse_url(std::string_view, wording::Language);

}  // namespace assay::client
