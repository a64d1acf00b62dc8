// Auth: whether a request may be answered at all, and how one is refused. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/message.hh"
#include "wording/wording.hh"

namespace assay::api {

// A problem in the language its reader asks for.
http::Response problem(const http::Request&, int status, std::string_view code, wording::Sentence what, wording::Sentence next);

// 401 with the challenge.
http::Response unauthorized(const http::Request&);

// The admin socket answers root and its own user. nullopt: welcome.
std::optional<http::Response> not_staff(const http::Request&, std::uint32_t own_uid);

}  // namespace assay::api
