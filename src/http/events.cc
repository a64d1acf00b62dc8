#include "http/events.hh"

#include <algorithm>

#include <fmt/format.h>

#include "loop/loop.hh"

namespace assay::http {
namespace {

constexpr std::size_t last_id_bytes_max = 256;

// One of the streams that are counted, until it is gone.
class Seat {
public:
    static std::shared_ptr<Seat> take(const std::shared_ptr<std::atomic<int>>& open, int streams_max) {
        auto seat = std::make_shared<Seat>(open);
        return open->load() <= streams_max ? seat : nullptr;
    }
    explicit Seat(std::shared_ptr<std::atomic<int>> open) : open_{std::move(open)} { open_->fetch_add(1); }
    ~Seat() { open_->fetch_sub(1); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

private:
    const std::shared_ptr<std::atomic<int>> open_;
};

struct Following {
    std::shared_ptr<Seat> seat;
    Followed followed;
    EventTimes times;
    std::string said;  // the id of what the client knows
};

sys::TimePoint now() { return sys::system_clock().now(); }

bool passing(const Error& error) { return error.fault() == Fault::busy || error.fault() == Fault::timed_out; }

loop::Task<Unit> follow(std::shared_ptr<Following> following, Stream& stream) {
    const EventTimes& times = following->times;
    const auto bell = std::make_shared<loop::Bell>();
    const auto listening = following->followed.listen([bell] { bell->ring(); });
    const auto begun = co_await stream.send(fmt::format("retry: {}\n\n", times.retry.count()));
    if (!begun) co_return ok;
    sys::TimePoint beat_at = now() + times.beat;
    for (;;) {
        const std::uint64_t rings = bell->rings();  // Read first: what changes while we look is looked at again.
        const auto event = co_await following->followed.look();
        if (!event && !passing(event.error())) co_return ok;
        std::optional<sys::TimePoint> again_at;
        if (!event) again_at = now() + times.idle;
        else if (event->again) again_at = now() + *event->again;
        if (event && event->id != following->said) {
            const auto sent = co_await stream.send(event_text(*event));
            if (!sent) co_return ok;
            following->said = event->id;
            beat_at = now() + times.beat;
        }
        if (event && event->last) co_return ok;

        co_await loop::sleep_until(now() + times.gap);
        for (;;) {
            if (stream.over()) co_return ok;
            if (now() >= beat_at) {
                const auto beaten = co_await stream.send(":\n\n");
                if (!beaten) co_return ok;
                beat_at = now() + times.beat;
            }
            sys::TimePoint wake = std::min(beat_at, now() + times.idle);
            if (again_at) wake = std::min(wake, *again_at);
            const bool rung = co_await bell->wait(rings, wake);
            if (rung || (again_at && now() >= *again_at)) break;
        }
    }
}

}  // namespace

std::string event_text(const Event& event) {
    std::string text = fmt::format("id: {}\nevent: {}\n", event.id, event.name);
    std::string_view rest = event.data;
    for (;;) {
        const auto end = rest.find_first_of("\r\n");
        text += "data: ";
        text += rest.substr(0, end);
        text += '\n';
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    return text + '\n';
}

loop::Task<Response> EventStreams::answer(Request request, Followed followed) {
    auto following = std::make_shared<Following>(
        Following{Seat::take(open_, streams_max_), std::move(followed), times_, std::string{request.header("last-event-id")}});
    if (!following->seat) {
        Response full = problem(503, "busy", "as many event streams are open as this server keeps", "look again in a few seconds");
        co_return full.with("Retry-After", "3");
    }
    if (following->said.size() > last_id_bytes_max) following->said.clear();
    const auto first = co_await following->followed.look();
    if (!first) co_return problem_of(first.error());
    if (first->last && first->id == following->said) co_return Response{.status = 204, .headers = {}, .body = {}};

    Response response;
    response.with("Content-Type", "text/event-stream; charset=utf-8").with("X-Accel-Buffering", "no").with("Cache-Control", "no-store");
    response.streamer = [following](Stream& stream) { return follow(following, stream); };
    co_return response;
}

}  // namespace assay::http
