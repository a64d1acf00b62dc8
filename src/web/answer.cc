#include "web/answer.hh"

#include "base/text.hh"
#include "sys/sha256.hh"

namespace assay::web {

namespace {

constexpr std::string_view policy =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
constexpr std::size_t etag_digits = 32;

http::Response not_modified() {
    http::Response response;
    response.status = 304;
    return response;
}

}  // namespace

bool matches(std::string_view if_none_match, std::string_view etag) {
    for (const std::string_view one : split(if_none_match, ',')) {
        std::string_view tag = trimmed(one);
        if (tag == "*") return true;
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == etag) return true;
    }
    return false;
}

http::Response& guarded(http::Response& response) {
    return response.with("Content-Security-Policy", std::string{policy})
        .with("Referrer-Policy", "no-referrer")
        .with("X-Robots-Tag", "noindex")
        .with("X-Content-Type-Options", "nosniff")
        .with("X-Frame-Options", "DENY")
        .with("Cache-Control", "private, no-cache");
}

http::Response page_answer(const http::Request& request, int status, std::string document) {
    const std::string etag = '"' + sys::sha256_hex(bytes_of(document)).substr(0, etag_digits) + '"';
    const bool known = status == 200 && matches(request.header("if-none-match"), etag);
    http::Response response = known ? not_modified() : http::Response::html(status, std::move(document));
    guarded(response).with("Vary", "Accept-Language");
    if (status == 200) response.with("ETag", etag);
    return response;
}

http::Response asset_answer(const http::Request& request, const Asset& asset) {
    const std::string etag = '"' + asset.name + '"';
    http::Response response;
    if (matches(request.header("if-none-match"), etag)) {
        response = not_modified();
    } else {
        response.with("Content-Type", std::string{asset.type});
        response.body = asset.content;
    }
    return response.with("Cache-Control", "public, max-age=31536000, immutable")
        .with("ETag", etag)
        .with("X-Content-Type-Options", "nosniff");
}

}  // namespace assay::web
