// How the way is looked at: one request after another, each on a connection of its own, each asking the server's probe route.
#include "client/way.hh"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "client/event_reader.hh"
#include "client/transport.hh"
#include "model/json.hh"
#include "sys/clock.hh"

namespace assay::client {
namespace {

using namespace std::chrono_literals;
using wording::WayStep;

constexpr std::chrono::seconds request_time_max{10};
constexpr std::chrono::seconds sizes_time_max{12};  // of the whole for bodies that do or do not pass
constexpr std::chrono::milliseconds leave_time_max =
    3s;  // longer than curl waits: a busy machine is late, and no proxy's setting cures that
constexpr int leave_looks_max = 3;
constexpr int sizes_max = 10;  // tried between what passed and what did not
constexpr std::size_t large_header_bytes = 24'000;  // more than most proxies take and less than the server does
constexpr std::size_t piece_bytes = 64u << 10;
constexpr std::chrono::seconds busy_pause{1};
constexpr int probe_events = 3;
constexpr std::int64_t slow_bytes = 256 << 10;  // Apache gathers 16 KiB before it passes anything on

using sys::ms_of;
sys::TimePoint now() { return sys::system_clock().now(); }

// The server itself has no room for a probe: nothing is learnt of the way.
bool busy(const Result<http::Answer>& answer) {
    return answer && (answer->status == 503 || answer->status == 429) && !hop_of(*answer, 0);
}

// What to try between a size that passed and one that did not: most limits are whole MiB, so near one it is tried, and what is just above.
std::int64_t next_size(std::int64_t passed, std::int64_t refused) {
    constexpr std::int64_t mebibyte = 1 << 20, near = 256 << 10;
    const std::int64_t whole = (refused - 1) / mebibyte * mebibyte;
    if (passed % mebibyte == 0 && refused - passed <= near) return passed + 1;
    if (whole > passed && refused - passed <= near) return whole;
    return (passed + refused) / 2;
}

class Probing {
public:
    Probing(const Url& url, const Belief& belief) : url_{url}, belief_{belief}, end_{now() + way_time_max} {}

    http::Outgoing request(const char* method, const char* path = "/api/v1/probe") const {
        return {.method = method,
                .target = url_.path + path,
                .headers = {{"Host", url_.host_header()},
                            {"User-Agent", "assay/" ASSAY_VERSION},
                            {"Accept", "application/json"},
                            {"Connection", "close"}}};
    }

    // Errors: as of a connection; timed_out when the time for everything is over. A server without room is asked again.
    Result<http::Answer> ask(const http::Outgoing& made, const std::function<Result<>(ByteView)>& sink = {}) const {
        return with_room([&] { return once(made, sink); });
    }

    // A body of zeros; in its middle a pause, and it ends early when `until` has passed.
    struct Body {
        std::int64_t size = 0;
        std::chrono::milliseconds pause{0};
        sys::TimePoint until;
    };
    Result<http::Answer> send(http::Outgoing made, const Body& body) const {
        const std::vector<std::byte> zeros(piece_bytes);
        std::int64_t sent = 0;
        made.size = body.size;
        made.body = [&]() -> Result<ByteView> {
            if (now() > body.until) return Error{Fault::timed_out, "the time for looking is over"};
            const std::int64_t half = body.size / 2;
            if (sent == half) std::this_thread::sleep_for(body.pause);  // A slow participant is what is tried.
            const auto count = std::min<std::int64_t>((sent < half ? half : body.size) - sent, std::ssize(zeros));
            sent += count;
            return ByteView{zeros}.first(static_cast<std::size_t>(count));
        };
        return with_room([&] {
            sent = 0;
            return once(made, {});
        });
    }
    sys::TimePoint end() const { return end_; }

private:
    Result<http::Answer> once(const http::Outgoing& made, const std::function<Result<>(ByteView)>& sink) const {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - now());
        if (left <= 0ms) return Error{Fault::timed_out, "the time for looking is over"};
        ASSAY_TRY(Transport transport, Transport::reach(url_, belief_));
        return transport.send(made, std::min<std::chrono::milliseconds>(left, request_time_max), sink);
    }
    Result<http::Answer> with_room(const std::function<Result<http::Answer>()>& asked) const {
        for (;;) {
            auto answer = asked();
            if (!busy(answer) || now() + busy_pause >= end_) return answer;
            std::this_thread::sleep_for(busy_pause);
        }
    }

    const Url& url_;
    const Belief& belief_;
    const sys::TimePoint end_;
};

Asked asked_of(const Result<http::Answer>& answer, std::int64_t body_size) {
    Asked asked;
    if (!answer) {
        asked.broke = answer.error().text();
        return asked;
    }
    asked.status = answer->status;
    asked.hop = hop_of(*answer, body_size);
    asked.passed = !asked.hop && answer->status >= 200 && answer->status < 300;
    return asked;
}

// What the server's probe route says; null where it says something else.
nlohmann::json said_by(const Result<http::Answer>& answer) {
    if (!answer || answer->status != 200) return {};
    auto json = model::parse_json(answer->body, {.size_max = 64u << 10, .depth_max = 4, .values_max = 100});
    return json && json->is_object() ? std::move(*json) : nlohmann::json{};
}
double number(const nlohmann::json& json, const char* name) {
    const auto at = json.is_object() ? json.find(name) : json.end();
    return at != json.end() && at->is_number() ? at->get<double>() : 0;
}
bool flag(const nlohmann::json& json, const char* name) {
    const auto at = json.is_object() ? json.find(name) : json.end();
    return at != json.end() && at->is_boolean() && at->get<bool>();
}

void reach(const Probing& probing, Way& way) {
    http::Outgoing made = probing.request("GET");
    made.headers.emplace_back("Authorization", "Bearer assay-check");
    const sys::WallTime before = sys::system_clock().wall();
    const auto answer = probing.ask(made);
    const sys::WallTime after = sys::system_clock().wall();
    way.reach = asked_of(answer, 0);
    if (!way.reach.passed) return;
    way.version = answer->header("Assay-Server");
    way.server_header = answer->header("Server");
    way.front = product_of(*answer);
    const auto json = said_by(answer);
    way.authorization = flag(json, "authorization");
    way.via = answer->header("Via");
    if (const auto inward = json.find("via");
        json.is_object() && inward != json.end() && inward->is_string() && way.via.empty())
        way.via = *inward;
    const std::int64_t here_ms = (sys::to_ms(before) + sys::to_ms(after)) / 2;
    way.clock_off_ms = static_cast<std::int64_t>(number(json, "now_ms")) - here_ms;
}

// Some never say who they are until they refuse something.
void provoke(const Probing& probing, Way& way) {
    if (!way.front.empty()) return;
    http::Outgoing made = probing.request("GET");
    made.headers.emplace_back("X-Assay-Check", std::string(large_header_bytes, 'x'));
    if (const auto refused = asked_of(probing.ask(made), 0); refused.hop) way.front = refused.hop->product;
}

// The whole first; where it does not pass, the limit is closed in on.
void sizes(const Probing& probing, Way& way) {
    const sys::TimePoint until = std::min(now() + sizes_time_max, probing.end());
    const auto passes = [&](std::int64_t size, Asked& asked) {
        const auto answer = probing.send(probing.request("POST"), {.size = size, .until = until});
        asked = asked_of(answer, size);
        way.size_cut = way.size_cut || (!answer && now() >= until) || busy(answer);
        if (asked.passed) way.passed_bytes = std::max(way.passed_bytes, size);
        return asked.passed;
    };
    if (!passes(way_part_bytes, way.part) || passes(way_bytes_wanted, way.size) || way.size_cut) return;
    std::int64_t refused = way_bytes_wanted;
    std::int64_t next = (1 << 20) + 1;  // The limit that most meet.
    for (int tries = 0; tries < sizes_max && refused - way.passed_bytes > 1 && !way.size_cut; ++tries) {
        Asked asked;
        if (!passes(next, asked) && !way.size_cut) {
            refused = next;
            way.size = asked;
        }
        next = next_size(way.passed_bytes, refused);
    }
    way.refused_bytes = refused;
}

void slow_body(const Probing& probing, Way& way) {
    const auto answer =
        probing.send(probing.request("POST"), {.size = slow_bytes, .pause = way_pause, .until = probing.end()});
    way.slow = asked_of(answer, slow_bytes);
    way.receiving_ms = number(said_by(answer), "receiving_ms");
}

void events(const Probing& probing, Way& way) {
    http::Outgoing made = probing.request("GET", "/api/v1/probe/events");
    made.headers.emplace_back("Accept", "text/event-stream");
    EventReader reader;
    std::vector<sys::TimePoint> came;
    const auto take = [&](const ServerEvent&) -> Result<> {
        came.push_back(now());
        return came.size() < probe_events ? Result<>{} : Error{Fault::interrupted, "seen enough"};
    };
    const auto answer = probing.ask(made, [&](ByteView bytes) { return reader.feed(text_of(bytes), take); });
    way.events = asked_of(answer, 0);
    if (came.size() < probe_events) return;
    way.events.passed = true;
    way.events_ms = ms_of(came.back() - came.front());
}

void leave(const Probing& probing, Way& way) {
    if (!Transport::shows_interim_answers()) return;
    // The quickest of several says how the way is set; one that is late may have met a busy moment.
    for (int looks = 0; looks < leave_looks_max && way.leave_ms.value_or(leave_ms_max + 1) > leave_ms_max; ++looks) {
        http::Outgoing made = probing.request("POST");
        made.expect = leave_time_max;
        const auto answer = probing.send(std::move(made), {.size = 1024, .until = probing.end()});
        if (!answer && answer.error().fault() == Fault::timed_out) return;  // Nothing is learnt of leave.
        constexpr double never = std::numeric_limits<double>::infinity();
        const double ms = answer && answer->continued ? ms_of(*answer->continued) : never;
        way.leave_ms = std::min(way.leave_ms.value_or(never), ms);
        if (ms == never) return;
    }
}

void methods(const Probing& probing, Way& way) {
    for (const char* const method : {"HEAD", "PATCH", "DELETE"}) {
        http::Outgoing made = probing.request(method);
        made.headers.emplace_back("Tus-Resumable", "1.0.0");
        made.headers.emplace_back("Upload-Offset", "0");
        const bool patch = std::string_view{method} == "PATCH";
        if (patch) made.headers.emplace_back("Content-Type", "application/offset+octet-stream");
        const auto answer =
            patch ? probing.send(std::move(made), {.size = 1024, .until = probing.end()}) : probing.ask(made);
        const bool header_lost = answer && answer->header("Upload-Offset").empty();
        if (busy(answer)) continue;
        if (!asked_of(answer, 0).passed || header_lost) way.methods_lost.emplace_back(method);
    }
}

}  // namespace

Way probe_way(const Url& url, const Belief& belief, const std::function<void(WayStep)>& told) {
    Way way;
    way.loopback = url.host == "localhost" || url.host == "::1" || url.host.starts_with("127.");
    const Probing probing{url, belief};
    const struct {
        WayStep step;
        void (*look)(const Probing&, Way&);
    } steps[] = {{WayStep::reach, reach},        {WayStep::between, provoke},     {WayStep::body_size, sizes},
                 {WayStep::expect, leave},       {WayStep::event_stream, events}, {WayStep::methods, methods},
                 {WayStep::slow_body, slow_body}};
    for (const auto& [step, look] : steps) {
        told(step);
        look(probing, way);
        if (!way.reach.passed) return way;
    }
    return way;
}

}  // namespace assay::client
