#include "web/answer.hh"

#include "base/log.hh"
#include "base/text.hh"
#include "http/wire.hh"
#include "sys/sha256.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
constexpr std::size_t etag_digits = 32;
constexpr int retry_after_s = 3;

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
    if (status == 200) return Kept{std::move(document)}.answer(request);
    http::Response response = http::Response::html(status, std::move(document));
    return guarded(response).with("Vary", "Accept-Language");
}

Kept::Kept(std::string page) : etag{'"' + sys::sha256_hex(bytes_of(page)).substr(0, etag_digits) + '"'} {
    http::Response response;
    guarded(response).with("Vary", "Accept-Language").with("ETag", etag).with("Content-Type", "text/html; charset=utf-8");
    struct Parts {
        std::string document;
        std::string lines;
    };
    const auto parts = std::make_shared<const Parts>(std::move(page), http::header_lines(response.headers));
    document = {parts, &parts->document};
    lines = {parts, &parts->lines};
}

http::Response Kept::answer(const http::Request& request) const {
    http::Response response;
    response.shared_lines = lines;
    const std::string_view had = request.header("if-none-match");
    if (!had.empty() && matches(had, etag)) response.status = 304;
    else response.shared_body = document;
    return response;
}

http::Response secret_answer(const std::string& server_url, const http::Request& request, const Look& look) {
    const Home home{.refusal = look.say(Sentence::token_in_address), .server_url = server_url};
    return page_answer(request, 400, home_page(look, home));
}

http::Response error_answer(const http::Request& request, const Look& look, const Error& error) {
    if (error.fault() == Fault::busy || error.fault() == Fault::timed_out) {
        auto response = page_answer(request, 503, busy_page(look));
        return response.with("Retry-After", std::to_string(retry_after_s));
    }
    log::error("page.failed", {{"request", request.id}, {"error", error.text()}});
    return page_answer(request, 500, trouble_page(look, request.id));
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
