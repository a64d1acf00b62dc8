// Hop: who gave an answer that the server did not give, and what it took offence at. The server puts Assay-Server on every answer of
// its own, a refusal included, and every proxy leaves it there; what lacks it came from something in between. `Server` alone proves
// nothing: nginx and Cloudflare write theirs over everything that passes. So a page's own words outrank its header.
// Pure; looks at a bounded part of what came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/client.hh"

namespace assay::client {

enum class Trouble : unsigned char {
    too_large,  // of the body
    header_too_large,
    too_slow,  // the body came too slowly
    no_server,  // it did not reach the server, or got nothing that it could pass on
    no_answer,  // it waited too long for the server
    method,  // it does not pass this method
    forbidden,  // a rule of it, such as a firewall's
    sign_in,  // it wants somebody to sign in first
    moved,  // it names another address
    rate,
    page,  // a page of its own: a wrong address, or a portal
};

struct Hop {
    std::string product;  // a name of ours; empty: not known
    std::string calls;  // what it calls itself then (Server or Via), not escaped; may be empty too
    Trouble trouble = Trouble::page;
    std::string address;  // of moved and sign_in, not escaped; may be empty
};

// nullopt: the server itself spoke. `body_size`: of what was sent, 0 for none.
std::optional<Hop> hop_of(const http::Answer&, std::int64_t body_size);

// Which product marks an answer that may be the server's own: who wrote over Server, or added to it. Empty: none that shows.
std::string product_of(const http::Answer&);

}  // namespace assay::client
