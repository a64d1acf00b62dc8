#include "web/web.hh"

#include <algorithm>

#include "course/identity.hh"
#include "web/answer.hh"
#include "web/get_route.hh"
#include "web/module_route.hh"
#include "web/places.hh"

namespace assay::web {

namespace {

constexpr std::size_t form_bytes_max = 8u << 10;

Result<http::Response> render_receipt(const Parts& parts, const http::Request& request) {
    http::Response response;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        response = page_answer(request, 404, not_found_page(look_of(request, {})));
        ASSAY_TRY(const auto place, find_place(reading, parts.keys, request.captures));
        if (!place) return ok;
        ASSAY_TRY(const auto submission, reading.submission(SubmissionId{request.captures.at(3)}));
        const bool theirs = submission && submission->participant == place->participant.id &&
                            submission->course == place->course.id && submission->module == place->module.id;
        if (!theirs) return ok;
        response = http::Response::json(200, submission->receipt);
        guarded(response).with("Content-Disposition", "attachment; filename=\"receipt-" + submission->id.text() + ".json\"");
        return ok;
    }));
    return response;
}

// --- The way in: a token leads to the pages of everyone it belongs to (one per course).

// The form again, with what was wrong.
http::Response unknown_token(const std::string& server_url, const http::Request& request, const Look& look, int status) {
    const Home home{.refusal = wording::sentence(look.language, model::Refusal::bad_token), .server_url = server_url};
    return page_answer(request, status, home_page(look, home));
}

Result<http::Response> enter(const Parts& parts, const http::Request& request, const Look& look, std::string_view token) {
    std::vector<ModuleLink> links;
    bool known = false;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto people, course::who(reading, parts.keys, token));
        for (const store::Participant& person : people) {
            if (!person.active) continue;
            known = true;
            ASSAY_TRY(const auto course, reading.course(person.course));
            if (!course) continue;
            ASSAY_TRY(const std::string key, parts.keys.unseal(person.key_sealed));
            ASSAY_TRY(const auto some, links_of(reading, *course, key));
            links.insert(links.end(), some.begin(), some.end());
        }
        return ok;
    }));
    if (!known) {
        auto response = unknown_token(parts.server_url, request, look, 401);
        return response.with("WWW-Authenticate", "Bearer");
    }
    if (links.size() == 1) {
        auto response = http::Response::redirect(look.link(links.front().address).text());
        return guarded(response);
    }
    return page_answer(request, 200, modules_page(look, links));
}

// --- Handlers.

loop::Task<http::Response> home(Parts& parts, http::Request request) {
    const Look look = look_of(request, {});
    const Home of{.refusal = {}, .server_url = parts.server_url};
    co_return page_answer(request, 200, home_page(look, of));
}

loop::Task<http::Response> login(Parts& parts, http::Request request, http::Reader& reader) {
    Look look = look_of(request, {});
    const auto body = co_await http::read_body(reader, form_bytes_max);
    if (!body) co_return unknown_token(parts.server_url, request, look, http::status_of(body.error().fault()));
    http::Request form;  // A urlencoded body is written like a query.
    form.query = *body;
    if (const auto chosen = form.parameter("lang")) {
        look.language = language_of(*chosen);
        look.chosen = true;
    }
    const std::string token = form.parameter("token").value_or("");
    const auto work = [&] { return enter(parts, request, look, token); };
    auto response = co_await parts.pages.run(work);
    if (!response) co_return error_answer(request, look, response.error());
    co_return std::move(response).value();
}

loop::Task<http::Response> receipt(Parts& parts, http::Request request) {
    const auto work = [&] { return render_receipt(parts, request); };
    auto response = co_await parts.pages.run(work);
    if (!response) co_return error_answer(request, look_of(request, {}), response.error());
    co_return std::move(response).value();
}

// Programs get what the server says to any.
http::Response nowhere(const http::Request& request) {
    const Look look = look_of(request, {});
    if (request.accepts("text/html")) return page_answer(request, 404, not_found_page(look));
    return http::problem(404, "not_found", look.say(Sentence::not_found_title), look.say(Sentence::not_found));
}

loop::Task<http::Response> file(http::Request request) {
    const Asset* const found = asset(request.captures.at(0));
    if (found) co_return asset_answer(request, *found);
    co_return page_answer(request, 404, not_found_page(look_of(request, {})));
}

}  // namespace

http::Response refusal_answer(const http::Request& request, int status, const std::string& sentence, const std::optional<Back>& back) {
    const std::optional<Address> way = back ? std::optional{address_of(back->course, back->module, back->key)} : std::nullopt;
    return page_answer(request, status, refused_page(look_of(request, {}), sentence, way));
}

void add_routes(http::Router& router, Parts& parts) {
    router.add("GET", "/", [&parts](http::Request request, http::Reader&) { return home(parts, std::move(request)); });
    router.add("POST", "/", [&parts](http::Request request, http::Reader& reader) {
        return login(parts, std::move(request), reader);
    });
    router.keep("", {.secret = [&parts](const http::Request& request) { return secret_answer(parts.server_url, request, look_of(request, {})); },
                     .unknown = nowhere});
    const auto modules = std::make_shared<ModuleRoute>(parts);
    router.add("GET", "/oj/{course}/{module}/{key}", [modules](http::Request request, http::Reader&) {
        return modules->page(std::move(request));
    });
    router.add("GET", "/oj/{course}/{module}/{key}/events", [modules](http::Request request, http::Reader&) {
        return modules->events(std::move(request));
    });
    router.add("GET", "/oj/{course}/{module}/{key}/receipt/{id}", [&parts](http::Request request, http::Reader&) {
        return receipt(parts, std::move(request));
    });
    const auto getting = std::make_shared<GetRoute>(parts);
    router.add("GET", "/get", [getting](http::Request request, http::Reader&) { return getting->page(std::move(request)); });
    router.add("GET", "/get/{file}", [getting](http::Request request, http::Reader&) { return getting->file(std::move(request)); });
    router.add("GET", "/get/{sha256}/{file}", [getting](http::Request request, http::Reader&) {
        return getting->file_hashed(std::move(request));
    });
    router.add("GET", "/static/{file}", [](http::Request request, http::Reader&) { return file(std::move(request)); });
}

}  // namespace assay::web
