#include "api/probe.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace assay::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t via_bytes_max = 200;

class Seat {
public:
    explicit Seat(std::shared_ptr<ProbeBudget> budget) : budget_{std::move(budget)}, number_{++budget_->open()} {}
    ~Seat() { --budget_->open(); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    bool there() const { return number_ <= probes_at_once_max; }

private:
    std::shared_ptr<ProbeBudget> budget_;
    const int number_;
};

http::Response full() {
    return http::problem(503, "busy", "as many probes run as this server has room for", "try again in a few seconds")
        .with("Retry-After", "5");
}

http::Response counted(const http::Request& request, std::int64_t bytes, double receiving_ms, sys::WallTime now) {
    const nlohmann::ordered_json json{{"type", "assay-probe/1"},
                                      {"method", request.method},
                                      {"received_bytes", bytes},
                                      {"receiving_ms", receiving_ms},
                                      {"authorization", !request.header("Authorization").empty()},
                                      {"upload_offset", !request.header("Upload-Offset").empty()},
                                      {"via", replace_invalid_utf8(request.header("Via").substr(0, via_bytes_max))},
                                      {"now_ms", sys::to_ms(now)}};
    return http::Response::json(200, json.dump())
        .with("Cache-Control", "no-store")
        .with("Upload-Offset", std::to_string(bytes));
}

loop::Task<http::Response> probe(Parts& parts, std::shared_ptr<ProbeBudget> budget, http::Request request,
                                 http::Reader& reader) {
    const Seat seat{budget};
    if (!seat.there()) co_return full();
    if (request.content_length.value_or(0) > probe_bytes_max)
        co_return http::problem(413, "too_large", "a probe takes " + size_text(probe_bytes_max) + " at most",
                                "probe with less");
    const sys::TimePoint began = parts.clock.now();
    std::int64_t bytes = 0;
    for (;;) {
        const auto piece = co_await reader.next();
        if (!piece) co_return http::problem_of(piece.error());
        if (piece->empty()) break;
        bytes += std::ssize(*piece);
        const sys::TimePoint now = parts.clock.now();
        if (bytes > probe_bytes_max || now - began > probe_time_max)
            co_return http::problem(413, "too_large",
                                    "a probe is over after " + size_text(probe_bytes_max) + " or a minute",
                                    "probe with less");
        if (!budget->take(std::ssize(*piece), now))
            co_return http::problem(429, "rate", "probes have taken what this server gives them in a minute",
                                    "try again in a minute")
                .with("Retry-After", "60");
    }
    co_return counted(request, bytes, sys::ms_of(parts.clock.now() - began), parts.clock.wall());
}

loop::Task<Unit> send_events([[maybe_unused]] std::shared_ptr<Seat> seat, http::Stream& stream) {
    for (int number = 1; number <= probe_events; ++number) {
        if (number > 1) co_await loop::sleep_until(sys::system_clock().now() + probe_event_gap);
        const auto sent = co_await stream.send(fmt::format("event: probe\ndata: {}\n\n", number));
        if (!sent) break;
    }
    co_return ok;
}

loop::Task<http::Response> events(std::shared_ptr<ProbeBudget> budget) {
    auto seat = std::make_shared<Seat>(std::move(budget));
    if (!seat->there()) co_return full();
    http::Response response;
    response.with("Content-Type", "text/event-stream; charset=utf-8")
        .with("X-Accel-Buffering", "no")
        .with("Cache-Control", "no-store");
    response.streamer = [seat](http::Stream& stream) { return send_events(seat, stream); };
    co_return response;
}

}  // namespace

bool ProbeBudget::take(std::int64_t bytes, sys::TimePoint now) {
    const std::scoped_lock lock{mutex_};
    if (now - began_ >= 1min) {
        began_ = now;
        used_bytes_ = 0;
    }
    if (bytes > probe_bytes_per_minute_max - used_bytes_) return false;
    used_bytes_ += bytes;
    return true;
}

void add_probe_routes(http::Router& router, Parts& parts) {
    const auto budget = std::make_shared<ProbeBudget>();
    router.add("*", "/api/v1/probe", [&parts, budget](http::Request request, http::Reader& reader) {
        return probe(parts, budget, std::move(request), reader);
    });
    router.add("GET", "/api/v1/probe/events", [budget](http::Request, http::Reader&) { return events(budget); });
}

}  // namespace assay::api
