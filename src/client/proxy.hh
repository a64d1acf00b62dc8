// Proxy: who refused an upload when it was not the server. The server puts Assay-Server on every answer of its own; what lacks it
// came from something in between. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/client.hh"
#include "wording/wording.hh"

namespace assay::client {

// nullopt: the server itself spoke. Else one sentence that names the product where it is known, its directive and the value it needs.
std::optional<std::string> proxy_refusal(const http::Answer&, std::int64_t body_size, wording::Language);

}  // namespace assay::client
