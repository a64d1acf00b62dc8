#include "http/events.hh"

#include <deque>
#include <future>
#include <mutex>

#include <gtest/gtest.h>

#include "loop/loop.hh"

namespace assay::http {
namespace {

using namespace std::chrono_literals;

constexpr EventTimes soon{.gap = 1ms, .beat = 3ms, .retry = 3000ms, .idle = 1ms};

// A peer that takes `pieces_max` pieces and is gone then.
class Peer final : public Stream {
public:
    explicit Peer(std::size_t pieces_max) : pieces_max_{pieces_max} {}
    loop::Task<Result<Unit>> send(std::string piece) override {
        if (over()) co_return Error{Fault::unreachable, "gone"};
        pieces.push_back(std::move(piece));
        if (on_piece) on_piece();
        co_return ok;
    }
    bool over() override { return pieces.size() >= pieces_max_; }

    std::vector<std::string> pieces;
    std::function<void()> on_piece;

private:
    const std::size_t pieces_max_;
};

// Something that changes when it is told to.
struct Thing {
    std::mutex mutex;
    Event event{.id = "1", .name = "state", .data = "first", .last = false, .again = {}};
    std::optional<Error> error;
    std::function<void()> wake;
    int listening = 0;

    void become(Event next) {
        {
            const std::lock_guard lock{mutex};
            event = std::move(next);
        }
        if (wake) wake();
    }
    loop::Task<Result<Event>> look() {
        const std::lock_guard lock{mutex};
        if (error) co_return *error;
        co_return event;
    }
    Followed followed() {
        return {.listen = [this](std::function<void()> told) -> std::shared_ptr<void> {
                    wake = std::move(told);
                    ++listening;
                    return {nullptr, [this](void*) { --listening; }};
                },
                .look = [this] { return look(); }};
    }
};

template <class T, class Make>
T run(Make make) {
    loop::Loop loop;
    std::promise<T> done;
    loop.post([&] {
        std::move_only_function<void(T)> take = [&](T value) { done.set_value(std::move(value)); };
        loop::start(make(), std::move(take));
    });
    T value = done.get_future().get();
    loop.stop();
    return value;
}

Response answered(EventStreams& streams, Thing& thing, std::string last_id = {}) {
    Request request;
    if (!last_id.empty()) request.headers.emplace_back("Last-Event-ID", last_id);
    return run<Response>([&] { return streams.answer(request, thing.followed()); });
}

void stream_to(Peer& peer, const Response& response) {
    run<Unit>([&] { return response.streamer(peer); });
}

TEST(EventText, EveryLineIsData) {
    EXPECT_EQ(event_text({.id = "7", .name = "state", .data = "", .last = false, .again = {}}), "id: 7\nevent: state\ndata: \n\n");
    EXPECT_EQ(event_text({.id = "7", .name = "a", .data = "x\r\ny\rz\n", .last = false, .again = {}}),
              "id: 7\nevent: a\ndata: x\ndata: y\ndata: z\ndata: \n\n");
}

TEST(EventStream, SaysWhatIsSoThenWhatChanged) {
    EventStreams streams{4, {.gap = 1ms, .beat = 1h, .retry = 3000ms, .idle = 1ms}};
    Thing thing;
    const Response response = answered(streams, thing);
    EXPECT_EQ(response.status, 200);
    Peer peer{9};
    peer.on_piece = [&] {
        if (peer.pieces.size() == 2) thing.become({.id = "2", .name = "state", .data = "second", .last = true, .again = {}});
    };
    stream_to(peer, response);
    EXPECT_EQ(peer.pieces, (std::vector<std::string>{"retry: 3000\n\n", "id: 1\nevent: state\ndata: first\n\n",
                                                     "id: 2\nevent: state\ndata: second\n\n"}));
    EXPECT_EQ(thing.listening, 0);
}

// Who comes back hears only what is new to him; where nothing can follow he is told not to come back.
TEST(EventStream, ResumesAfterTheLastEventId) {
    EventStreams streams{4, soon};
    Thing thing;
    Peer peer{3};
    stream_to(peer, answered(streams, thing, "1"));
    ASSERT_EQ(peer.pieces.size(), 3u);
    EXPECT_EQ(peer.pieces[1], ":\n\n");  // A beat: he knows the rest.

    thing.event.last = true;
    EXPECT_EQ(answered(streams, thing, "1").status, 204);
    EXPECT_EQ(answered(streams, thing, "0").status, 200);
}

// What nobody announces (a place in line moves) is looked at again when the thing asks for it.
TEST(EventStream, LooksAgainByItself) {
    EventStreams streams{4, {.gap = 1ms, .beat = 1h, .retry = 3000ms, .idle = 1h}};
    Thing thing;
    thing.event.again = 1ms;
    Peer peer{3};
    const Response response = answered(streams, thing);
    peer.on_piece = [&] {
        if (peer.pieces.size() == 2) thing.event = {.id = "2", .name = "state", .data = "moved", .last = false, .again = 1ms};
    };
    stream_to(peer, response);
    EXPECT_EQ(peer.pieces.back(), "id: 2\nevent: state\ndata: moved\n\n");
}

TEST(EventStream, ABusyServerIsAskedAgainAndAFaultEndsIt) {
    EventStreams streams{4, {.gap = 1ms, .beat = 1h, .retry = 3000ms, .idle = 1ms}};
    Thing thing;
    thing.event.again = 1ms;
    Peer peer{9};
    peer.on_piece = [&] {
        if (peer.pieces.size() == 2) thing.error = Error{Fault::busy, "full"};
    };
    int looks = 0;
    Followed followed = thing.followed();
    followed.look = [&]() -> loop::Task<Result<Event>> {
        if (thing.error && ++looks == 3) thing.error = Error{Fault::internal, "broken"};
        return thing.look();
    };
    const Response response = run<Response>([&] { return streams.answer(Request{}, followed); });
    stream_to(peer, response);
    EXPECT_EQ(looks, 3);

    thing.error = Error{Fault::missing, "no such thing"};
    EXPECT_EQ(answered(streams, thing).status, 404);
}

TEST(EventStream, AreCountedUntilTheyAreGone) {
    EventStreams streams{1, soon};
    Thing thing;
    {
        const Response first = answered(streams, thing);
        EXPECT_EQ(first.status, 200);
        EXPECT_EQ(answered(streams, thing).status, 503);
    }
    EXPECT_EQ(answered(streams, thing).status, 200);
}

}  // namespace
}  // namespace assay::http
