// Auth: whether a request may be answered at all. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/message.hh"

namespace assay::api {

// Tokens and keys travel in headers and form fields only: an address is remembered in too many places.
std::optional<http::Response> secret_in_query(const http::Request&);

// 401 with the challenge.
http::Response unauthorized(const http::Request&);

// The admin socket answers root and its own user. nullopt: welcome.
std::optional<http::Response> not_staff(const http::Request&, std::uint32_t own_uid);

}  // namespace assay::api
