#include "web/web.hh"

#include <algorithm>

#include "base/log.hh"
#include "course/identity.hh"
#include "queue/view.hh"
#include "web/answer.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

constexpr std::size_t form_bytes_max = 8u << 10;
constexpr int retry_after_s = 3;

Language language_of(std::string_view course_language) {
    return course_language.starts_with("zh") ? Language::chinese : Language::english;
}

// ?lang= first, then Accept-Language, then the course's language.
Look look_of(const http::Request& request, Address here, Language fallback = Language::english) {
    Look look{.language = wording::choose(request.header("accept-language"), fallback), .here = std::move(here)};
    const auto wanted = request.parameter("lang");
    if (wanted == "zh" || wanted == "en") {
        look.language = language_of(*wanted);
        look.chosen = true;
    }
    return look;
}

bool secret_in_query(const http::Request& request) { return request.parameter("token") || request.parameter("key"); }

http::Response secret_answer(const Parts& parts, const http::Request& request, const Look& look) {
    const Home home{.refusal = look.say(Sentence::token_in_address), .server_url = parts.server_url};
    return page_answer(request, 400, home_page(look, home));
}

http::Response error_answer(const http::Request& request, const Look& look, const Error& error) {
    if (error.fault() == Fault::busy || error.fault() == Fault::timed_out) {
        auto response = page_answer(request, 503, busy_page(look));
        response.with("Retry-After", std::to_string(retry_after_s));
        return response;
    }
    log::error("page.failed", {{"request", request.id}, {"error", error.text()}});
    return page_answer(request, 500, trouble_page(look, request.id));
}

Address address_of(const CourseId& course, const ModuleId& module, std::string_view key) {
    return Address{} / "oj" / course.text() / module.text() / key;
}

// The modules of a course that are shown, as links for the holder of `key`.
Result<std::vector<ModuleLink>> links_of(store::Reading& reading, const store::Course& course, std::string_view key,
                                         const ModuleId& current = {}) {
    ASSAY_TRY(const auto modules, reading.modules(course.id));
    std::vector<ModuleLink> links;
    for (const store::Module& module : modules) {
        if (module.archived) continue;
        links.push_back({.course = course.title.empty() ? course.id.text() : course.title,
                         .title = module.title.empty() ? module.id.text() : module.title,
                         .address = address_of(course.id, module.id, key),
                         .current = module.id == current});
    }
    return links;
}

// --- Whose page it is.

struct Place {
    store::Course course;
    store::Module module;
    store::Participant participant;
};

// nullopt: no such page, for whichever reason.
Result<std::optional<Place>> find_place(store::Reading& reading, const store::Keys& keys, const http::Request& request) {
    const std::optional<Place> nowhere;
    const std::string& course_name = request.captures.at(0);
    const std::string& module_name = request.captures.at(1);
    if (!valid_name(course_name) || !valid_name(module_name)) return nowhere;
    ASSAY_TRY(const auto course, reading.course(CourseId{course_name}));
    if (!course) return nowhere;
    ASSAY_TRY(const auto participant, course::who_by_key(reading, keys, course->id, request.captures.at(2)));
    if (!participant) return nowhere;
    ASSAY_TRY(const auto module, reading.module(course->id, ModuleId{module_name}));
    if (!module || module->archived) return nowhere;
    return std::optional{Place{*course, *module, *participant}};
}

// An older submission's report is read only when it is asked for.
Result<> add_report(store::Reading& reading, const queue::Board& board, queue::ModuleView& view, const std::string& id,
                    std::int64_t now_ms) {
    for (queue::SubmissionView& one : view.submissions) {
        if (one.submission.id.text() != id || one.report) continue;
        ASSAY_TRY(auto whole, queue::view_submission(reading, board, one.submission.id, now_ms));
        if (whole) one.report = std::move(whole->report);
    }
    return ok;
}

Result<http::Response> render_module(const Parts& parts, const http::Request& request) {
    http::Response response;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto place, find_place(reading, parts.keys, request));
        if (!place) {
            response = page_answer(request, 404, not_found_page(look_of(request, {})));
            return ok;
        }
        const std::string& key = request.captures.at(2);
        const std::int64_t now_ms = sys::to_ms(parts.clock.wall());
        ASSAY_TRY(auto view, queue::view_module(reading, parts.board, place->course, place->module, place->participant, now_ms));
        if (const auto shown = request.parameter("show")) ASSAY_CHECK(add_report(reading, parts.board, view, *shown, now_ms));
        ASSAY_TRY(auto links, links_of(reading, place->course, key, place->module.id));
        const ModulePage of{
            .view = view,
            .address = address_of(place->course.id, place->module.id, key),
            .modules = std::move(links),
            .submitted = request.parameter("submitted"),
            .shown = request.parameter("show"),
            .still = request.parameter("still").has_value(),
            .now_ms = now_ms,
        };
        const Look look = look_of(request, of.address, language_of(place->course.language));
        response = page_answer(request, 200, module_page(look, of));
        return ok;
    }));
    return response;
}

Result<http::Response> render_receipt(const Parts& parts, const http::Request& request) {
    http::Response response;
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        response = page_answer(request, 404, not_found_page(look_of(request, {})));
        ASSAY_TRY(const auto place, find_place(reading, parts.keys, request));
        if (!place) return ok;
        ASSAY_TRY(const auto submission, reading.submission(SubmissionId{request.captures.at(3)}));
        const bool theirs = submission && submission->participant == place->participant.id &&
                            submission->course == place->course.id && submission->module == place->module.id;
        if (!theirs) return ok;
        response = http::Response::json(200, submission->receipt);
        guarded(response).with("Content-Disposition", "inline; filename=\"receipt-" + submission->id.text() + ".json\"");
        return ok;
    }));
    return response;
}

// --- The way in: a token leads to the pages of everyone it belongs to (one per course).

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
        const Home home{.refusal = wording::sentence(look.language, model::Refusal::bad_token), .server_url = parts.server_url};
        auto response = page_answer(request, 401, home_page(look, home));
        response.with("WWW-Authenticate", "Bearer");
        return response;
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
    if (secret_in_query(request)) co_return secret_answer(parts, request, look);
    const Home of{.refusal = {}, .server_url = parts.server_url};
    co_return page_answer(request, 200, home_page(look, of));
}

loop::Task<http::Response> login(Parts& parts, http::Request request, http::Reader& reader) {
    Look look = look_of(request, {});
    if (secret_in_query(request)) co_return secret_answer(parts, request, look);
    const auto body = co_await http::read_body(reader, form_bytes_max);
    if (!body) co_return page_answer(request, http::status_of(body.error().fault()), not_found_page(look));
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

using Render = Result<http::Response> (*)(const Parts&, const http::Request&);

loop::Task<http::Response> place_page(Parts& parts, http::Request request, Render render) {
    if (secret_in_query(request)) co_return secret_answer(parts, request, look_of(request, {}));
    const auto work = [&] { return render(parts, request); };
    auto response = co_await parts.pages.run(work);
    if (!response) co_return error_answer(request, look_of(request, {}), response.error());
    co_return std::move(response).value();
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
    router.add("GET", "/oj/{course}/{module}/{key}", [&parts](http::Request request, http::Reader&) {
        return place_page(parts, std::move(request), render_module);
    });
    router.add("GET", "/oj/{course}/{module}/{key}/receipt/{id}", [&parts](http::Request request, http::Reader&) {
        return place_page(parts, std::move(request), render_receipt);
    });
    router.add("GET", "/static/{file}", [](http::Request request, http::Reader&) { return file(std::move(request)); });
}

}  // namespace assay::web
