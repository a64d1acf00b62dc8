// Answer: a page as a response, with the headers every page carries, and 304 for what a browser already has.
#pragma once

#include <string>

#include "http/message.hh"
#include "web/assets.hh"

namespace assay::web {

http::Response page_answer(const http::Request&, int status, std::string document);
http::Response asset_answer(const http::Request&, const Asset&);
// Adds what keeps an answer out of caches, frames, indexes and scripts.
http::Response& guarded(http::Response&);

// Whether If-None-Match names `etag` (RFC 9110 13.1.2: weak comparison, lists, "*").
bool matches(std::string_view if_none_match, std::string_view etag);

}  // namespace assay::web
