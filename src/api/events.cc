#include "api/events.hh"

#include "api/auth.hh"
#include "api/submission.hh"
#include "http/events.hh"
#include "sys/sha256.hh"

namespace assay::api {
namespace {

constexpr std::size_t id_hex_size = 32;

// What a look found: an event, or why there is none for whoever asked.
struct Looked {
    std::expected<http::Event, http::Response> event;
    queue::Topic topic;
    std::int64_t position = 0;  // as of State
    std::uint64_t moves = 0;
};

// The token is looked at every time: one that was replaced ends its streams.
Result<Looked> look(const Parts& parts, const http::Request& request, const std::string& token) {
    Looked looked{.event = std::unexpected{http::Response{}}, .topic = {}};
    ASSAY_CHECK(parts.store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(auto asked, asked_for(parts, request, reading, token));
        if (!asked) {
            looked.event = std::unexpected{std::move(asked.error())};
            return ok;
        }
        looked.topic = {asked->course, asked->module, asked->participant};
        ASSAY_TRY(auto state, state_of(parts, request, reading, *asked, queue::Detail::without_stages));
        http::Event event{.id = sys::sha256_hex(bytes_of(state.json)).substr(0, id_hex_size),
                          .name = "submission",
                          .data = std::move(state.json),
                          .last = state.final,
                          .again = {}};
        if (state.position > 0) event.again = place_looked_at_each;
        looked.position = state.position;
        looked.moves = state.moves;
        looked.event = std::move(event);
        return ok;
    }));
    return looked;
}

loop::Task<Result<http::Event>> event_now(Parts& parts, std::shared_ptr<const http::Request> request, std::string token,
                                           std::shared_ptr<queue::Board::Following> following) {
    const auto work = [&] { return look(parts, *request, token); };
    ASSAY_CO_TRY(Looked looked, co_await parts.pages.run(work));
    if (!looked.event) co_return Error{Fault::denied, "whoever asked may not see it any more"};
    if (following) following->place->shows(looked.position, looked.moves);
    co_return std::move(*looked.event);
}

loop::Task<http::Response> events(Parts& parts, std::shared_ptr<http::EventStreams> streams, http::Request asked) {
    const auto token = http::bearer_token(asked);
    if (!token) co_return unauthorized(asked);
    const auto request = std::make_shared<const http::Request>(asked);
    const auto work = [&] { return look(parts, *request, *token); };
    auto first = co_await parts.pages.run(work);
    if (!first) co_return error_answer(*request, first.error());
    if (!first->event) co_return std::move(first->event.error());
    const auto following = std::make_shared<std::weak_ptr<queue::Board::Following>>();
    http::Followed followed{
        .listen = [&board = parts.board, topic = first->topic, following](std::function<void()> wake) -> std::shared_ptr<void> {
            auto held = board.follow(topic, std::move(wake));
            *following = held;
            return held;
        },
        .look = [&parts, request, token = *token, following] { return event_now(parts, request, token, following->lock()); },
    };
    auto answering = streams->answer(std::move(asked), std::move(followed));
    co_return co_await std::move(answering);
}

}  // namespace

void add_event_routes(http::Router& router, Parts& parts) {
    const auto streams = std::make_shared<http::EventStreams>(event_streams_max);
    router.add("GET", "/api/v1/submissions/{id}/events", [&parts, streams](http::Request request, http::Reader&) {
        return events(parts, streams, std::move(request));
    });
}

}  // namespace assay::api
