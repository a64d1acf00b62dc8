// Proxy: what a participant is told when something in between answered instead of the server. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/hop.hh"
#include "client/proxy_lines.hh"
#include "wording/wording.hh"

namespace assay::client {

// "nginx, in front of the server," or what stands there otherwise: the subject of a sentence.
std::string name_of(const Hop&, wording::Language);
// What to change in its configuration.
std::string cure_of(const std::string& product, ProxySetting, std::int64_t bytes, wording::Language);

// Who, what it did to these bytes, and what whoever runs it may change. Everything it sent is escaped.
std::string sentence_of(const Hop&, int status, std::int64_t body_size, wording::Language);

// nullopt: the server itself spoke. Else the sentence.
std::optional<std::string> proxy_refusal(const http::Answer&, std::int64_t body_size, wording::Language);

}  // namespace assay::client
