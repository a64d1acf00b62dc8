// The public routes: each reads one snapshot on a pool thread and answers from it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/api.hh"
#include "api/auth.hh"
#include "api/health.hh"
#include "api/log_text.hh"
#include "base/log.hh"
#include "course/identity.hh"
#include "queue/view.hh"
#include "sys/zone.hh"
#include "wording/wording.hh"

namespace assay::api {

namespace {

constexpr int api_depth_max = 8;   // path segments below /api that get a problem+json 404; deeper ones the plain one
constexpr int retry_after_s = 3;

http::Response not_found() {
    return http::problem(404, "unknown_submission", "There is no submission of this id among yours.",
                         "Compare the id with the one in your receipt, and use the token of the course it was handed in for.");
}

http::Response not_graded() {
    return http::problem(404, "not_graded", "This submission has no result yet.", "Ask for the submission itself: it says why it waits.");
}

http::Response& kept_private(http::Response& response) {
    return response.with("Cache-Control", "private, no-cache").with("X-Content-Type-Options", "nosniff");
}

http::Response error_answer(const http::Request& request, const Error& error) {
    const int status = http::status_of(error.fault());
    if (status == 503) {
        auto response = http::problem(503, "busy", "The server is answering as many requests as it can.", "Ask again in a few seconds.");
        return response.with("Retry-After", std::to_string(retry_after_s));
    }
    log::error("api.failed", {{"request", request.id}, {"error", error.text()}});
    return http::problem(500, "internal", "Something failed on our side.",
                         "Ask again; if it happens twice, tell staff the X-Request-Id of this answer.");
}

// What a route makes of a submission its asker may see.
using Show = Result<http::Response> (*)(const Parts&, const http::Request&, store::Reading&, const store::Submission&);

Result<std::optional<queue::SubmissionView>> view_of(const Parts& parts, store::Reading& reading, const store::Submission& submission) {
    return queue::view_submission(reading, parts.board, submission.id, sys::to_ms(parts.clock.wall()));
}

Result<http::Response> show_state(const Parts& parts, const http::Request& request, store::Reading& reading,
                                  const store::Submission& submission) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    ASSAY_TRY(const auto course, reading.course(submission.course));
    if (!view || !course) return not_found();
    const auto fallback = course->language.starts_with("zh") ? wording::Language::chinese : wording::Language::english;
    const auto language = wording::choose(request.header("accept-language"), fallback);
    // The text is for the participant, the details for whoever looks into it.
    const auto wait_text = [language](const queue::Waiting& waiting) {
        return queue::WaitText{.text = wording::sentence(language, waiting.reason),
                               .details = waiting.detail ? wording::sentence(wording::Language::english, *waiting.detail) : ""};
    };
    return http::Response::json(200, queue::to_json(*view, course->timezone, parts.server_url, wait_text));
}

Result<http::Response> show_report(const Parts& parts, const http::Request&, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    if (!view || !view->report) return not_graded();
    return http::Response::json(200, model::to_json(*view->report));
}

Result<http::Response> show_log(const Parts& parts, const http::Request&, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    if (!view || !view->report) return not_graded();
    return http::Response::text(200, log_text(*view->report));
}

Result<http::Response> show_receipt(const Parts&, const http::Request&, store::Reading&, const store::Submission& submission) {
    return http::Response::json(200, submission.receipt);
}

// Someone else's submission and one that is not there are the same answer.
Result<http::Response> shown_to(const Parts& parts, const http::Request& request, const std::string& token, Show show) {
    http::Response response;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(auto people, course::who(reading, parts.keys, token));
        std::erase_if(people, [](const store::Participant& person) { return !person.active; });
        if (people.empty()) {
            response = unauthorized(request);
            return ok;
        }
        ASSAY_TRY(const auto submission, reading.submission(SubmissionId{request.captures.at(0)}));
        const bool theirs = submission && std::ranges::any_of(people, [&](const store::Participant& person) {
            return person.course == submission->course && person.id == submission->participant;
        });
        if (!theirs) {
            response = not_found();
            return ok;
        }
        ASSAY_TRY(response, show(parts, request, reading, *submission));
        return ok;
    }));
    return response;
}

loop::Task<http::Response> submission_route(Parts& parts, http::Request request, Show show) {
    if (auto refused = secret_in_query(request)) co_return *refused;
    const auto token = http::bearer_token(request);
    if (!token) co_return unauthorized(request);
    const auto work = [&] { return shown_to(parts, request, *token, show); };
    auto response = co_await parts.pages.run(work);
    if (!response) co_return error_answer(request, response.error());
    co_return kept_private(*response);
}

Result<std::string> keys_json(const Parts& parts) {
    auto list = nlohmann::ordered_json::array();
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto keys, reading.receipt_keys());
        const auto time = [](std::int64_t ms) { return sys::rfc3339(sys::wall_from_ms(ms), "UTC"); };
        for (const store::ReceiptKey& key : keys) {
            nlohmann::ordered_json one;
            one["key_id"] = key.key_id;
            one["public_key"] = to_base64(bytes_of(key.public_key));
            one["from"] = time(key.from_ms);
            one["until"] = key.until_ms ? nlohmann::ordered_json(time(*key.until_ms)) : nlohmann::ordered_json();
            list.push_back(std::move(one));
        }
        return ok;
    }));
    return nlohmann::ordered_json{{"keys", std::move(list)}}.dump();
}

loop::Task<http::Response> receipt_keys(Parts& parts, http::Request request) {
    if (auto refused = secret_in_query(request)) co_return *refused;
    const auto work = [&] { return keys_json(parts); };
    auto json = co_await parts.pages.run(work);
    if (!json) co_return error_answer(request, json.error());
    co_return http::Response::json(200, std::move(json).value());
}

loop::Task<http::Response> answer(http::Response response) { co_return std::move(response); }

http::Response readiness(const Parts& parts) {
    const std::string why = parts.not_ready ? parts.not_ready() : std::string{};
    return why.empty() ? http::Response::text(200, "ready\n") : http::Response::text(503, "not ready: " + why + "\n");
}

http::Response no_such_route() {
    return http::problem(404, "unknown_route", "There is nothing at this address.", "Compare it with the API's documentation.");
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
    } shows[] = {{"", show_state}, {"/report", show_report}, {"/log", show_log}, {"/receipt", show_receipt}};
    for (const auto& [suffix, show] : shows) {
        router.add("GET", std::string{"/api/v1/submissions/{id}"} + suffix, [&parts, show](http::Request request, http::Reader&) {
            return submission_route(parts, std::move(request), show);
        });
    }
    router.add("GET", "/api/v1/receipt-keys", [&parts](http::Request request, http::Reader&) {
        return receipt_keys(parts, std::move(request));
    });
    std::string pattern = "/api";
    for (int depth = 0; depth <= api_depth_max; ++depth) {
        router.add("*", pattern, [](http::Request, http::Reader&) { return answer(no_such_route()); });
        pattern += "/{" + std::to_string(depth) + "}";
    }
    add_health_routes(router, parts);
}

}  // namespace assay::api
