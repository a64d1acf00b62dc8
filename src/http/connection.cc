#include "http/connection.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/log.hh"
#include "http/answers.hh"
#include "http/body.hh"
#include "http/metrics.hh"
#include "http/wire.hh"
#include "sys/random.hh"

namespace assay::http {
namespace {

constexpr double slow_ms = 1000;
constexpr int streams_retry_s = 30;

sys::TimePoint now() { return sys::system_clock().now(); }
std::int64_t ns_of(sys::TimePoint time) { return time.time_since_epoch().count(); }
// What no route took, and what never became a request.
const Answered& unrouted() {
    static const Answered counters{"none"};
    return counters;
}

class StreamSeat {
public:
    explicit StreamSeat(std::atomic<std::size_t>& taken) : taken_{taken}, number_{taken.fetch_add(1) + 1} {}
    ~StreamSeat() { --taken_; }
    StreamSeat(const StreamSeat&) = delete;
    StreamSeat& operator=(const StreamSeat&) = delete;
    std::size_t number() const { return number_; }

private:
    std::atomic<std::size_t>& taken_;
    const std::size_t number_;
};

using RequestId = std::array<char, 16>;  // hex digits

// Unlike every other one, not secret: a counter that begins anywhere, stirred by a bijection (splitmix64) so that two threads'
// counts do not look alike.
RequestId new_request_id() {
    thread_local std::uint64_t count = [] {
        std::uint64_t begin = 0;
        std::memcpy(&begin, sys::random_bytes(sizeof begin).data(), sizeof begin);
        return begin;
    }();
    std::uint64_t id = (count += 0x9e3779b97f4a7c15);
    id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9;
    id = (id ^ (id >> 27)) * 0x94d049bb133111eb;
    id ^= id >> 31;
    RequestId text;
    for (char& digit : text) digit = "0123456789abcdef"[std::exchange(id, id >> 4) & 15];
    return text;
}

// What to do about a request that never became one.
std::string_view next_step(int status) {
    switch (status) {
        case 408: return "try again, perhaps from a faster connection";
        case 413: return "send less, and its true length";
        case 414: return "shorten the address; what is long belongs in the body";
        case 417: return "leave Expect out, or make it 100-continue";
        case 431: return "send fewer headers, or shorter ones";
        case 501: return "send the body with a Content-Length, or chunked";
        case 503: return "try again in a moment";
        case 505: return "speak HTTP/1.1";
        default: return "look at the request as it was sent: the client, or something on the way here, wrote it wrong";
    }
}

std::string_view shown(const RequestId& id) { return {id.data(), id.size()}; }

}  // namespace

// What a handler sends piece by piece.
class Connection::Pieces final : public Stream {
public:
    explicit Pieces(Connection& connection) : connection_{connection} {}

    loop::Task<Result<Unit>> send(std::string piece) override {
        if (connection_.stopping_) co_return Error{Fault::interrupted, "the server is stopping"};
        if (over_) co_return Error{Fault::unreachable, "the peer has closed the connection"};
        const bool sent = co_await connection_.send({.head = bytes_of(piece), .content = {}});
        over_ = over_ || !sent;
        if (!sent) co_return Error{Fault::unreachable, "the peer is gone, or does not read"};
        co_return ok;
    }
    bool over() override {
        if (!over_) over_ = connection_.peer_closed();
        return over_ || connection_.stopping_;
    }
    bool broken() const { return over_; }

private:
    Connection& connection_;
    bool over_ = false;
};

Connection::Connection(const ServerConfig& config, const Router& router, const std::atomic<bool>& stopping,
                       Shared& shared, loop::Watch watch, sys::Accepted peer, Role role)
    : config_{config},
      router_{router},
      stopping_{stopping},
      body_memory_{shared.body_memory},
      streams_{shared.streams},
      watch_{std::move(watch)},
      peer_{std::move(peer.peer)},
      credentials_{peer.credentials},
      role_{role},
      accepted_{now()} {}

void Connection::shed() {
    if (!shed_.exchange(true)) room_metrics().shed.add();
    wind_down();
}

void Connection::wind_down() {
    watch_.home().post([self = shared_from_this()] {
        if (self->interruptible_) self->watch_.interrupt();
    });
}

void Connection::cut() { sys::shut_both(watch_.fd()); }

void Connection::consume(std::size_t count) {
    begin_ += count;
    if (begin_ < buffer_.size()) return;
    std::string{}.swap(buffer_);
    begin_ = 0;
}

loop::Task<Unit> Connection::run() {
    if (role_ == Role::refused) {
        co_await refuse({503, "busy", "the server has all the connections it can serve"});
    } else {
        for (bool first = true;; first = false) {
            std::optional<Head> head = co_await read_head(first);
            if (!head) break;
            const bool again = co_await answer(std::move(*head));
            if (!again) break;
            if (unread().empty() && ++answers_in_a_row_ < answers_in_a_row_max) continue;
            // Neither a pipeline nor a peer that asks again at once may keep the loop to itself.
            answers_in_a_row_ = 0;
            auto turn = watch_.writable(now() + config_.write_time_max);
            (void)co_await turn;
        }
    }
    if (drain_ != Drain::none) co_await drain();
    co_return ok;
}

Connection::Receipt Connection::receive_head(std::optional<Checked<Head>>& whole) {
    std::array<std::byte, head_read_bytes> bytes;
    const auto received = sys::receive_some(watch_.fd(), bytes);
    if (!received || *received == 0U) return Receipt::gone;
    if (!*received) return Receipt::nothing;
    arrival_ = sys::system_clock().wall();
    emptied_ = **received < bytes.size();
    const std::string_view text = text_of(ByteView{bytes}.first(**received));
    if (buffer_.empty()) {
        // As a rule one read brings one head and nothing else: then it is read where it lies.
        HeadScan scan{config_.header_bytes_max};
        const auto end = scan.look(text);
        if (end && *end == text.size()) {
            whole = parse_head(text.substr(scan.begin()));
            return Receipt::bytes;
        }
    }
    buffer_.append(text);
    return Receipt::bytes;
}

// nullopt: there is no further request here.
loop::Task<std::optional<Head>> Connection::read_head(bool first) {
    consume(0);
    buffer_.erase(0, std::exchange(begin_, 0));
    HeadScan scan{config_.header_bytes_max};
    const bool patient = role_ == Role::adopted;
    sys::TimePoint deadline = patient ? loop::Watch::never
                              : first ? accepted_ + config_.header_time_max
                                      : answered_ + config_.idle_time_max;
    bool begun = false;
    for (;;) {
        if (!begun && !buffer_.empty()) {
            begun = true;
            if (!first || patient) deadline = now() + config_.header_time_max;
        }
        const auto end = scan.look(buffer_);
        if (!end) {
            co_await refuse(end.error());
            co_return std::nullopt;
        }
        if (*end) {
            auto head = parse_head(std::string_view{buffer_}.substr(scan.begin(), **end - scan.begin()));
            consume(**end);
            if (head) co_return std::move(*head);
            co_await refuse(std::move(head.error()));
            co_return std::nullopt;
        }
        // Right after a request nothing further is there as a rule: to ask whether would cost a call a page.
        std::optional<Checked<Head>> whole;
        const Receipt receipt = std::exchange(emptied_, false) ? Receipt::nothing : receive_head(whole);
        if (receipt == Receipt::gone) co_return std::nullopt;
        if (whole && *whole) co_return std::move(**whole);
        if (whole) {
            co_await refuse(std::move(whole->error()));
            co_return std::nullopt;
        }
        if (receipt == Receipt::bytes) continue;

        if (!begun && (stopping_ || shed_)) co_return std::nullopt;
        interruptible_ = !begun;
        if (!begun && !first && !patient) idle_since_ns_ = ns_of(deadline - config_.idle_time_max);
        answers_in_a_row_ = 0;
        auto wait = watch_.readable(deadline);
        const loop::Ready ready = co_await wait;
        interruptible_ = false;
        idle_since_ns_ = 0;
        if (ready != loop::Ready::deadline) continue;
        if (begun) co_await refuse({408, "too_slow", "the header did not arrive in time"});
        co_return std::nullopt;
    }
}

loop::Task<bool> Connection::answer(Head head) {
    Request request;
    request.method = std::move(head.method);
    request.path = std::move(head.path);
    request.query = std::move(head.query);
    request.headers = std::move(head.headers);
    const RequestId request_id = new_request_id();
    const std::string_view id = shown(request_id);
    request.id = id;
    request.peer = peer_;
    request.credentials = credentials_;
    request.content_length = head.content_length;
    request.chunked = head.chunked;
    request.received = arrival_;
    request.started = now();

    const std::string method = request.method.substr(0, 16);
    const sys::TimePoint started = request.started;
    const bool head_only = request.method == "HEAD";
    Router::Match match = router_.find(request.method, request.path);

    Body body{*this, head};
    auto answering = router_.answer(match, std::move(request), body);
    Response response = co_await std::move(answering);

    std::optional<StreamSeat> seat;
    if (response.streamer && !head_only) {
        seat.emplace(streams_);
        if (seat->number() > config_.streams_max) {
            response = problem(503, "busy", "as many pages are being watched as this server has room for", "reload now and then instead");
            response.with("Retry-After", std::to_string(streams_retry_s));
        }
    }
    // What went wrong with the body outranks what the handler made of it: it may have guessed from the Fault alone.
    const std::optional<Fault> failed = body.failed();
    if (failed == Fault::timed_out && response.status != 408)
        response =
            problem(408, "too_slow", "the body did not arrive in time", next_step(408));
    if (failed == Fault::invalid && (response.status < 400 || response.status >= 500))
        response = problem(400, "bad_request", "the body is not framed as its header says", next_step(400));
    const bool close = !body.ended() || failed || response.close || response.streamer || !head.keep_alive || stopping_ || shed_;
    if (body.ended()) body.finish();
    drain_ = !close ? Drain::none : !body.ended() || failed ? Drain::patient : Drain::brief;
    const int status = response.status;
    (match.answered != nullptr ? *match.answered : unrouted()).count(status);
    const std::size_t bytes = response.content().size();
    bool written = false;
    const bool streamed = response.streamer && !head_only && has_content(status);
    if (failed != Fault::unreachable && streamed) {
        written = co_await stream(response, std::string{id});
    } else if (failed != Fault::unreachable) {
        const std::string lines = response_head(response, id, close, sys::wall_at_last_tick());
        Outgoing left{.head = bytes_of(lines), .content = head_only || !has_content(status) ? ByteView{} : bytes_of(response.content())};
        written = send_now(left);
        if (written && !left.done()) written = co_await send(left);
    }

    answered_ = now();
    const double ms = sys::ms_of(answered_ - started);
    if (!streamed) (match.answered != nullptr ? *match.answered : unrouted()).took(ms / 1000);
    if (answer_listener() && role_ != Role::adopted && !streamed) answer_listener()(match.pattern.empty() ? std::string_view{"none"} : match.pattern, status, ms);
    if (failed != Fault::unreachable && (status >= 500 || (ms >= slow_ms && role_ != Role::adopted && !streamed))) {
        const std::string_view pattern = match.pattern.empty() ? std::string_view{"none"} : match.pattern;
        log::info("http.request", {{"method", method},
                                   {"route", pattern},
                                   {"status", status},
                                   {"ms", static_cast<std::int64_t>(ms)},
                                   {"bytes", bytes},
                                   {"request", id}});
    }
    if (!written) drain_ = Drain::none;
    co_return written && !close;
}

loop::Task<Unit> Connection::refuse(Refusal refusal) {
    unrouted().count(refusal.status);
    const RequestId id = new_request_id();
    const Response response = problem(refusal.status, refusal.code, refusal.text, next_step(refusal.status));
    const std::string lines = response_head(response, shown(id), true, sys::wall_at_last_tick());
    const bool written = co_await send({.head = bytes_of(lines), .content = bytes_of(response.content())});
    drain_ = !written ? Drain::none : role_ == Role::refused ? Drain::brief : Drain::patient;
    co_return ok;
}

loop::Task<bool> Connection::stream(const Response& response, std::string request_id) {
    const std::string head = response_head(response, request_id, true, sys::wall_at_last_tick());
    const bool begun = co_await send({.head = bytes_of(head), .content = {}});
    if (!begun) co_return false;
    const metrics::Present present{room_metrics().streaming};
    Pieces pieces{*this};
    auto streaming = response.streamer(pieces);
    (void)co_await std::move(streaming);
    co_return !pieces.broken();
}

// What the peer still sends is thrown away: a stream has no further request on its connection.
bool Connection::peer_closed() {
    for (int i = 0; i < reads_in_a_row_max; ++i) {
        const auto dropped = sys::discard_some(watch_.fd());
        if (!dropped || *dropped == 0U) return true;
        if (!*dropped) return false;
    }
    return false;
}

// As much as the kernel takes now is off `left` then. false: the peer is gone.
bool Connection::send_now(Outgoing& left) {
    while (!left.done()) {
        const auto sent = sys::send_some(watch_.fd(), left.head, left.content);
        if (!sent) return false;
        if (!*sent) return true;
        const std::size_t of_head = std::min(**sent, left.head.size());
        left.head = left.head.subspan(of_head);
        left.content = left.content.subspan(**sent - of_head);
    }
    return true;
}

// false: the peer is gone, or took it too slowly.
loop::Task<bool> Connection::send(Outgoing left) {
    std::optional<sys::TimePoint> deadline;  // from the first time that the peer's window was full
    for (;;) {
        if (!send_now(left)) co_return false;
        if (left.done()) co_return true;
        if (!deadline) deadline = now() + config_.write_time_max + std::chrono::seconds{static_cast<std::int64_t>(left.size()) / write_rate_min_bytes_per_s};
        auto wait = watch_.writable(*deadline);
        if (co_await wait == loop::Ready::deadline) co_return false;
    }
}

// Closing with unread bytes would reset the connection, and the reset may overtake the response. So: half-close, and read on
// until the peer has seen it and closes, within bounds.
loop::Task<Unit> Connection::drain() {
    const bool brief = drain_ == Drain::brief || shed_;
    const sys::TimePoint deadline =
        now() + (brief ? std::min(brief_drain_time_max, config_.drain_time_max) : config_.drain_time_max);
    sys::shut_sending(watch_.fd());
    std::string{}.swap(buffer_);
    begin_ = 0;
    int in_a_row = 0;
    for (std::size_t total = 0; total < config_.drain_bytes_max && now() < deadline;) {
        const auto dropped = sys::discard_some(watch_.fd());
        if (!dropped || *dropped == 0U) break;
        if (*dropped) total += **dropped;
        if (*dropped && ++in_a_row <= reads_in_a_row_max) continue;
        if (brief && stopping_) break;
        in_a_row = 0;
        interruptible_ = true;
        auto wait = watch_.readable(deadline);
        const loop::Ready ready = co_await wait;
        interruptible_ = false;
        if (ready == loop::Ready::interrupted && stopping_) break;
    }
    co_return ok;
}

}  // namespace assay::http
