#include "api/auth.hh"

#include "wording/catalogue.hh"

namespace assay::api {

http::Response problem(const http::Request& request, int status, std::string_view code, wording::Sentence what, wording::Sentence next) {
    const auto language = wording::choose(request.header("accept-language"));
    return http::problem(status, code, wording::say(language, what), wording::say(language, next));
}

http::Response unauthorized(const http::Request& request) {
    const auto language = wording::choose(request.header("accept-language"));
    auto response = http::problem(401, "bad_token", wording::sentence(language, model::Refusal::bad_token),
                                  wording::say(language, wording::Sentence::token_in_header_cure));
    return response.with("WWW-Authenticate", "Bearer");
}

std::optional<http::Response> not_staff(const http::Request& request, std::uint32_t own_uid) {
    if (request.credentials && (request.credentials->uid == 0 || request.credentials->uid == own_uid)) return std::nullopt;
    return http::problem(403, "not_staff", "This socket answers root and the owner of the data directory.",
                         "Run the command as the user the server runs as, or as root.");
}

}  // namespace assay::api
