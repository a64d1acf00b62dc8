#include "api/auth.hh"

#include "wording/wording.hh"

namespace assay::api {

std::optional<http::Response> secret_in_query(const http::Request& request) {
    if (!request.parameter("token") && !request.parameter("key")) return std::nullopt;
    return http::problem(400, "token_in_query", "A token or key must not stand in an address, where logs and histories keep it.",
                         "Send the header 'Authorization: Bearer TOKEN' instead.");
}

http::Response unauthorized(const http::Request& request) {
    const auto language = wording::choose(request.header("accept-language"));
    auto response = http::problem(401, "bad_token", wording::sentence(language, model::Refusal::bad_token),
                                  "Send the header 'Authorization: Bearer TOKEN' with your token.");
    return response.with("WWW-Authenticate", "Bearer");
}

std::optional<http::Response> not_staff(const http::Request& request, std::uint32_t own_uid) {
    if (request.credentials && (request.credentials->uid == 0 || request.credentials->uid == own_uid)) return std::nullopt;
    return http::problem(403, "not_staff", "This socket answers root and the owner of the data directory.",
                         "Run the command as the user the server runs as, or as root.");
}

}  // namespace assay::api
