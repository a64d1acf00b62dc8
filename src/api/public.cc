// The public routes: each reads one snapshot on a pool thread and answers from it.
#include "api/api.hh"
#include "api/auth.hh"
#include "api/events.hh"
#include "api/health.hh"
#include "api/keys.hh"
#include "api/limits.hh"
#include "api/log_text.hh"
#include "api/probe.hh"
#include "api/submission.hh"
#include "api/why.hh"
#include "wording/catalogue.hh"

namespace assay::api {

namespace {

using wording::Sentence;

http::Response not_graded(const http::Request& request) {
    return problem(request, 404, "not_graded", Sentence::no_result_yet, Sentence::no_result_yet_cure);
}

http::Response& kept_private(http::Response& response) {
    return response.with("Cache-Control", "private, no-cache").with("X-Content-Type-Options", "nosniff");
}

// What a route makes of a submission its asker may see.
using Show = Result<http::Response> (*)(const Parts&, const http::Request&, store::Reading&, const store::Submission&);

Result<http::Response> show_state(const Parts& parts, const http::Request& request, store::Reading& reading,
                                  const store::Submission& submission) {
    ASSAY_TRY(auto said, state_of(parts, request, reading, submission, queue::Detail::whole));
    return http::Response::json(200, std::move(said.json));
}

Result<http::Response> show_report(const Parts& parts, const http::Request& request, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    if (!view.report) return not_graded(request);
    return http::Response::json(200, model::to_json(*view.report));
}

Result<http::Response> show_log(const Parts& parts, const http::Request& request, store::Reading& reading,
                                const store::Submission& submission) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    if (!view.report) return not_graded(request);
    ASSAY_TRY(const auto language, language_for(request, reading, submission));
    return http::Response::text(200, log_text(*view.report, language, view.due_passed));
}

Result<http::Response> show_receipt(const Parts&, const http::Request&, store::Reading&, const store::Submission& submission) {
    return http::Response::json(200, submission.receipt);
}

Result<http::Response> show_why(const Parts& parts, const http::Request& request, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto language, language_for(request, reading, submission));
    ASSAY_TRY(auto json, why_json(reading, parts.board, submission.id, diagnosis::Audience::participant, language, sys::to_ms(parts.clock.wall())));
    return http::Response::json(200, std::move(json));
}

Result<http::Response> shown_to(const Parts& parts, const http::Request& request, const std::string& token, Show show) {
    http::Response response;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(auto asked, asked_for(parts, request, reading, token));
        if (!asked) {
            response = std::move(asked.error());
            return ok;
        }
        ASSAY_TRY(response, show(parts, request, reading, *asked));
        return ok;
    }));
    return response;
}

loop::Task<http::Response> submission_route(Parts& parts, http::Request request, Show show) {
    const auto token = http::bearer_token(request);
    if (!token) co_return unauthorized(request);
    const auto work = [&] { return shown_to(parts, request, *token, show); };
    auto response = co_await parts.pages.run(work);
    if (!response) co_return error_answer(request, response.error());
    co_return kept_private(*response);
}

template <model::KeyUse use>
loop::Task<http::Response> public_keys(Parts& parts, http::Request request) {
    const auto work = [&] { return public_keys_json(parts.store, use); };
    auto json = co_await parts.pages.run(work);
    if (!json) co_return error_answer(request, json.error());
    co_return http::Response::json(200, std::move(json).value());
}

loop::Task<http::Response> answer(http::Response response) { co_return std::move(response); }

http::Response readiness(const Parts& parts) {
    const std::string why = parts.not_ready ? parts.not_ready() : std::string{};
    if (!why.empty()) return http::Response::text(503, "not ready: " + why + "\n");
    const std::string part = parts.degraded ? parts.degraded() : std::string{};
    return http::Response::text(200, part.empty() ? "ready\n" : "ready\ndegraded: " + part + "\n");
}

http::Response secret_refused(const http::Request& request) {
    return problem(request, 400, "token_in_query", Sentence::secret_in_query, Sentence::secret_in_query_cure);
}

http::Response no_such_route(const http::Request& request) {
    return problem(request, 404, "unknown_route", Sentence::no_such_route, Sentence::no_such_route_cure);
}

}  // namespace

// Shared with the admin socket.
void add_health_routes(http::Router& router, Parts& parts) {
    router.add("GET", "/healthz", [](http::Request, http::Reader&) { return answer(http::Response::text(200, "ok\n")); });
    router.add("GET", "/readyz", [&parts](http::Request, http::Reader&) { return answer(readiness(parts)); });
}

void add_public_routes(http::Router& router, Parts& parts) {
    const struct {
        const char* suffix;
        Show show;
    } shows[] = {{"", show_state}, {"/report", show_report}, {"/log", show_log}, {"/receipt", show_receipt}, {"/why", show_why}};
    for (const auto& [suffix, show] : shows) {
        router.add("GET", std::string{"/api/v1/submissions/{id}"} + suffix, [&parts, show](http::Request request, http::Reader&) {
            return submission_route(parts, std::move(request), show);
        });
    }
    router.add("GET", "/api/v1/receipt-keys", [&parts](http::Request request, http::Reader&) {
        return public_keys<model::KeyUse::receipt>(parts, std::move(request));
    });
    router.add("GET", "/api/v1/commitment-keys", [&parts](http::Request request, http::Reader&) {
        return public_keys<model::KeyUse::commitment>(parts, std::move(request));
    });
    add_limits_route(router, parts);
    add_event_routes(router, parts);
    add_probe_routes(router, parts);
    router.keep("/api", {.secret = secret_refused, .unknown = no_such_route});
    add_health_routes(router, parts);
}

}  // namespace assay::api
