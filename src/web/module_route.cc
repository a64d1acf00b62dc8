#include "web/module_route.hh"

#include <algorithm>

#include "base/text.hh"
#include "queue/view.hh"
#include "web/answer.hh"

namespace assay::web {
namespace {

constexpr std::size_t submission_id_size = 16;

// nullopt: what can be no id is not part of what a page is remembered by.
std::optional<std::string> id_parameter(const http::Request& request, std::string_view name) {
    auto value = request.parameter(name);
    const bool plausible = value && value->size() == submission_id_size && valid_name(*value);
    return plausible ? std::move(value) : std::nullopt;
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

// Until when a page shows what is so, if the feed says nothing: dates pass, and places in line move.
std::int64_t until_ms(const queue::ModuleView& view, std::int64_t now_ms) {
    std::int64_t until = now_ms + page_age_max_ms;
    const auto no_longer_than = [&](std::int64_t at_ms) {
        if (at_ms > now_ms) until = std::min(until, at_ms);
    };
    const model::Plan& plan = view.plan;
    if (plan.opens_ms) no_longer_than(*plan.opens_ms);
    if (plan.due_ms) no_longer_than(*plan.due_ms + 1);
    if (plan.closes_ms) no_longer_than(*plan.closes_ms + 1);
    if (std::ranges::any_of(view.submissions, queue::in_line)) no_longer_than(now_ms + waiting_page_age_ms);
    return until;
}

std::optional<std::chrono::milliseconds> look_again(const queue::ModuleView& view) {
    if (std::ranges::none_of(view.submissions, queue::in_line)) return std::nullopt;
    return std::chrono::seconds{reload_s(view).value_or(reload_far_s)};
}

}  // namespace

// Takes the captures along.
ModuleRoute::Variant ModuleRoute::variant_of(http::Request& request) {
    Variant variant{.captures = std::move(request.captures)};
    if (!request.query.empty()) {
        const auto wanted = request.parameter("lang");
        variant.chosen = wanted == "zh" || wanted == "en";
        if (variant.chosen) variant.language = language_of(*wanted);
        variant.submitted = id_parameter(request, "submitted");
        variant.shown = id_parameter(request, "show");
        variant.still = request.parameter("still").has_value();
    }
    if (!variant.chosen) {
        const std::string_view accepted = request.header("accept-language");
        const Language language = wording::choose(accepted, Language::english);
        if (language == wording::choose(accepted, Language::chinese)) variant.language = language;
    }
    return variant;
}

// No two variants have the same: a capture holds no control character, an id none but letters and digits.
std::string ModuleRoute::Variant::key() const {
    std::string key;
    key.reserve(128);
    for (const std::string& capture : captures) (key += capture) += '\n';
    key += !language ? '-' : language == Language::chinese ? 'z' : 'e';
    key += chosen ? '!' : '.';
    key += still ? 's' : '.';
    if (shown) (key += '\n') += *shown;
    if (submitted) (key += '\r') += *submitted;
    return key;
}

Result<Page> ModuleRoute::render(const Variant& variant, const std::optional<queue::Topic>& known) {
    Page page;
    std::optional<queue::Topic> topic = known;
    if (!topic) {
        ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto place, find_place(reading, parts_.keys, variant.captures));
            if (place) topic = queue::Topic{place->course.id, place->module.id, place->participant.id};
            return ok;
        }));
    }
    if (!topic) return page;
    page.topic = *topic;
    page.place = queue::Feed::place_of(*topic);
    page.version = parts_.board.feed().version(page.place);
    ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto place, find_place(reading, parts_.keys, variant.captures));
        if (!place) return ok;
        const std::string& key = variant.captures.at(2);
        const std::int64_t now_ms = sys::to_ms(parts_.clock.wall());
        ASSAY_TRY(auto view, queue::view_module(reading, parts_.board, place->course, place->module, place->participant, now_ms));
        if (variant.shown) ASSAY_CHECK(add_report(reading, parts_.board, view, *variant.shown, now_ms));
        ASSAY_TRY(auto links, links_of(reading, place->course, key, place->module.id));
        const ModulePage of{
            .view = view,
            .address = address_of(place->course.id, place->module.id, key),
            .modules = std::move(links),
            .submitted = variant.submitted,
            .shown = variant.shown,
            .still = variant.still,
            .now_ms = now_ms,
        };
        const Look look{.language = variant.language.value_or(language_of(place->course.language)),
                        .chosen = variant.chosen,
                        .here = of.address};
        page.kept.emplace(module_page(look, of));
        // The key went to somebody else between the two looks: what was just made is right, but nothing watches over it.
        const bool theirs = topic->participant == place->participant.id;
        page.until_ms = theirs ? until_ms(view, now_ms) : now_ms;
        page.again = look_again(view);
        for (const queue::SubmissionView& one : view.submissions) {
            const queue::Waiting* const waiting = queue::in_line(one);
            if (waiting == nullptr || (page.position != 0 && page.position <= waiting->position)) continue;
            page.position = waiting->position;
            page.moves = waiting->moves;
        }
        return ok;
    }));
    return page;
}

loop::Task<Result<PagePtr>> ModuleRoute::get(Variant variant) {
    std::string key = variant.key();
    if (auto there = cache_.find(key)) co_return there;
    PageCache::Render rendered = [this, variant = std::move(variant)](const std::optional<queue::Topic>& known) { return render(variant, known); };
    co_return co_await cache_.get(std::move(key), std::move(rendered));
}

loop::Task<http::Response> ModuleRoute::page(http::Request request) {
    Variant variant = variant_of(request);
    if (const PagePtr there = cache_.find(variant.key()); there && there->kept) co_return there->kept->answer(request);
    const auto page = co_await get(std::move(variant));
    if (!page) co_return error_answer(request, look_of(request, {}), page.error());
    if (!(*page)->kept) co_return page_answer(request, 404, not_found_page(look_of(request, {})));
    co_return (*page)->kept->answer(request);
}

loop::Task<http::Response> ModuleRoute::events(http::Request request) {
    Variant variant = variant_of(request);
    const auto page = co_await get(variant);
    if (!page) co_return http::problem_of(page.error());
    if (!(*page)->kept) co_return http::problem(404, "not_found", "there is no such page");
    const auto following = std::make_shared<std::weak_ptr<queue::Board::Following>>();
    http::Followed followed{
        .listen = [&board = parts_.board, topic = (*page)->topic, following](std::function<void()> wake) -> std::shared_ptr<void> {
            auto held = board.follow(topic, std::move(wake));
            *following = held;
            return held;
        },
        .look = [this, variant, following] { return event_of(get(variant), following->lock()); },
    };
    auto answering = streams_.answer(std::move(request), std::move(followed));
    co_return co_await std::move(answering);
}

// A client that hears of a new id fetches the page anew, which is in memory by then.
loop::Task<Result<http::Event>> ModuleRoute::event_of(loop::Task<Result<PagePtr>> getting, std::shared_ptr<queue::Board::Following> following) {
    const auto page = co_await std::move(getting);
    if (!page) co_return page.error();
    if (!(*page)->kept) co_return Error{Fault::missing, "there is no such page any more"};
    if (following) following->place->shows((*page)->position, (*page)->moves);
    http::Event event{.id = (*page)->kept->etag, .name = "page", .data = {}, .last = false, .again = (*page)->again};
    std::erase(event.id, '"');
    event.data = "{\"page\":\"" + event.id + "\"}";
    co_return event;
}

}  // namespace assay::web
