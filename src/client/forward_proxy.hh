// ForwardProxy: the proxy that a network wants its people to go through, by the variables that other programs go by: https_proxy or
// HTTPS_PROXY, http_proxy (in small letters alone: a web server's CGI sets the other from a request), all_proxy or ALL_PROXY, and no_proxy
// or NO_PROXY. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/settings.hh"
#include "client/url.hh"

namespace assay::client {

struct ForwardProxy {
    std::string name;           // "https_proxy=http://host:port", for a person; without a password
    std::string host;
    std::uint16_t port = 0;
    std::string authorization;  // of Proxy-Authorization; empty: none
};

// nullopt: straight there. Errors: invalid (which variable, and what is wrong with it).
Result<std::optional<ForwardProxy>> forward_proxy_for(const Url&, const Variables&, wording::Language);

// Whether `no_proxy` has this host: it, a domain above it, either with a port, or *. Between them commas or blanks.
bool goes_straight(std::string_view no_proxy, const Url&);

}  // namespace assay::client
