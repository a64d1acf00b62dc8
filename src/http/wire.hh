// What a response looks like on the wire. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.hh"
#include "sys/clock.hh"

namespace assay::http {

std::string_view reason_phrase(int status);
std::string http_date(sys::WallTime);  // as in Date: Sun, 06 Nov 1994 08:49:37 GMT

// Status line and header up to the empty line. Adds Date, Content-Length, Connection, Assay-Server and X-Request-Id; a header
// the handler gave under one of these names, or with a control character in it, is left out.
// As they are sent; what cannot be sent, or is the server's to say, is left out.
std::string header_lines(std::span<const Header> headers);
std::string response_head(const Response&, std::string_view request_id, bool close, sys::WallTime now);

// Whether a response of this status has a body at all.
bool has_content(int status);

}  // namespace assay::http
