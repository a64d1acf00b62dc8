// Answer: a page as a response, with the headers every page carries, and 304 for what a browser already has.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "http/message.hh"
#include "web/assets.hh"
#include "web/layout.hh"

namespace assay::web {

http::Response page_answer(const http::Request&, int status, std::string document);
// A page that is kept: what is sent of it is made once and shared from then on.
struct Kept {
    std::shared_ptr<const std::string> document;
    std::shared_ptr<const std::string> lines;  // its headers; counted together with the document
    std::string etag;                          // quoted

    explicit Kept(std::string page);
    http::Response answer(const http::Request&) const;
};
http::Response asset_answer(const http::Request&, const Asset&);
// Adds what keeps an answer out of caches, frames, indexes and scripts.
http::Response& guarded(http::Response&);

// To a request with a token or key in its query.
http::Response secret_answer(const std::string& server_url, const http::Request&, const Look&);
// What failed while a page was made, as a page.
http::Response error_answer(const http::Request&, const Look&, const Error&);

// Whether If-None-Match names `etag` (RFC 9110 13.1.2: weak comparison, lists, "*").
bool matches(std::string_view if_none_match, std::string_view etag);

}  // namespace assay::web
