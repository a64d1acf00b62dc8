// Requests and responses as values, and where a request's body comes from. No library's types.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.hh"
#include "base/result.hh"
#include "base/text.hh"
#include "http/fields.hh"
#include "loop/loop.hh"
#include "loop/task.hh"
#include "sys/clock.hh"
#include "sys/socket.hh"

namespace assay::http {

struct Request {
    std::string method;
    std::string path;  // percent-decoded, starts with '/', without query; valid UTF-8 without control characters
    std::string query;                    // raw, without '?'
    std::vector<Header> headers;
    std::vector<std::string> captures;    // what `{…}` of the route matched, in order, decoded
    std::string id;                       // X-Request-Id: ours, 16 hex digits
    std::string peer;                     // address text, or "unix"
    std::optional<sys::Peer> credentials; // of a Unix socket
    std::optional<std::int64_t> content_length;
    bool chunked = false;
    sys::WallTime received;               // when the header was complete
    sys::TimePoint started;

    std::string_view header(std::string_view name) const;  // first of that name, ignoring case; "" when absent
    std::optional<std::string> parameter(std::string_view name) const;    // of the query, decoded; nullopt when absent
    bool accepts(
        std::string_view type) const;  // whether Accept prefers `type` ("application/json", "text/html") explicitly
};

// The token of `Authorization: Bearer TOKEN`; nullopt when there is none.
std::optional<std::string> bearer_token(const Request&);
// A token or key stands in the query. Addresses are remembered in too many places for that.
bool secret_in_query(const Request&);

// Where a streamed response sends its pieces. Belongs to the connection; used on its loop alone.
class Stream {
public:
    virtual ~Stream() = default;
    // Errors: unreachable (the peer is gone), timed_out (it does not read), interrupted (the server is stopping).
    virtual loop::Task<Result<Unit>> send(std::string piece) = 0;
    // Whether the peer is known to have gone, or the server to be stopping: what waits for something to send looks here now
    // and then, since a closed socket tells nobody.
    virtual bool over() = 0;
};
// Sends until it returns; the connection closes then. Its captures live until it has returned.
using Streamer = std::function<loop::Task<Unit>(Stream& stream)>;

struct Response {
    int status = 200;
    std::vector<Header>
        headers;  // Content-Length, Assay-Server, X-Request-Id, Date and Connection are added by the server
    std::shared_ptr<const std::string> shared_lines;  // further headers, written once by header_lines() (wire.hh)
    std::string body;
    std::shared_ptr<const std::string> shared_body;  // set: instead of `body`; sent as it is, never copied
    Streamer streamer;  // set: instead of either body, without a length known before; the end is the connection's
    bool close = false;

    std::string_view content() const { return shared_body ? std::string_view{*shared_body} : std::string_view{body}; }

    static Response text(int status, std::string line);   // text/plain; charset=utf-8
    static Response json(int status, std::string body);   // application/json
    static Response html(int status, std::string body);
    static Response redirect(std::string location);       // 303
    Response& with(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }
};

// application/problem+json (RFC 9457) with type, title, status, detail, code and, when given, next ("what to do").
Response problem(int status, std::string_view code, std::string_view detail, std::string_view next = {});
// The one mapping of a Fault to a status: invalid 400, missing 404, denied 403, conflict 409, too_large 413, busy 503,
// timed_out 503, disk_full 507, interrupted 503, unsupported 501, the rest 500.
int status_of(Fault);
Response problem_of(const Error&);

// The body as it arrives. `100 Continue` is sent at the first call when the client asked for it, so that a refusal made
// before goes out alone. A Reader not read to its end is drained (bounded) after the response, then the connection closes.
class Reader {
public:
    virtual ~Reader() = default;
    // The next bytes (empty = end), valid until the next call. Errors: unreachable (peer gone), timed_out (too slow, shed),
    // invalid (broken framing).
    virtual loop::Task<Result<std::span<const std::byte>>> next() = 0;
    // For what is long and goes to the disk: hands what arrives to `sink` on a thread of `pool`, where it is also received, so that
    // the bytes stay in one core's cache from the socket to the file. Returns when none are there for now, after a bounded
    // amount, or when `sink` wants no further for now (false). false: the end. Errors: as next(), busy (the pool), and the sink's.
    using Sink = std::function<Result<bool>(std::span<const std::byte>)>;
    virtual loop::Task<Result<bool>> pump(loop::Pool& pool, Sink sink);
    // When the last byte handed out had arrived.
    virtual sys::WallTime last_arrival() const = 0;
    virtual std::int64_t bytes_read() const = 0;
};

// Reads a whole small body. Errors: too_large.
loop::Task<Result<std::string>> read_body(Reader& reader, std::size_t size_max);

using Handler = std::function<loop::Task<Response>(Request request, Reader& reader)>;

// How often a route answered, by class of status, and how long that took: assay_http_requests_total,
// assay_http_response_seconds. Of the process: the same pattern in two routers is counted together.
class Answered {
public:
    explicit Answered(std::string_view route);  // the template, or "none"
    void count(int status) const;               // one atomic addition
    void took(double s) const;                  // from the whole header to the response's last byte handed to the kernel

private:
    std::array<metrics::Counter*, 5> by_class_{};  // 1xx … 5xx
    metrics::Histogram* seconds_ = nullptr;
};

constexpr std::size_t route_parts_max = 12;

// Patterns: "/oj/{course}/{module}/{key}"; a capture matches one non-empty segment, a literal part wins over a capture.
// A path that only other methods know answers 405 with Allow; HEAD is GET without body; the method "*" takes whatever no
// other route of the pattern takes.
class Router {
public:
    void add(std::string method, std::string pattern, Handler handler);
    struct Match {
        const Handler* handler = nullptr;  // nullptr: see `allow`
        std::string_view pattern;          // for logs: never the path itself
        const Answered* answered = nullptr;   // nullptr: no route
        std::vector<std::string> captures;
        std::string allow;                 // "GET, HEAD" when the path is known but not with this method
    };
    Match find(std::string_view method, std::string_view path) const;

    // How whoever keeps a folder answers what no route of it may see, or has. What is missing leaves it to the next folder out.
    using Reply = std::function<Response(const Request&)>;
    struct Keeper {
        Reply secret;   // secret_in_query; where nobody says how, such a request goes to its route
        Reply unknown;  // else a plain problem
    };
    // `folder`: "/api" is also for "/api/…"; "" for all.
    void keep(std::string folder, Keeper);
    // The answer to a request with the Match that was found for it, whose captures it takes along.
    loop::Task<Response> answer(Match&, Request, Reader&) const;

private:
    const Reply* reply(std::string_view path, Reply Keeper::* which) const;

    struct Route {
        std::string method;
        std::string pattern;
        struct Part {
            std::string text;
            bool capture = false;
        };
        std::vector<Part> parts;
        Handler handler;
        Answered answered;

        bool more_literal(const Route& than) const;  // of as many parts
        bool fits(std::span<const std::string_view> parts) const;  // as many as it has
    };
    std::array<std::vector<Route>, route_parts_max + 1> by_parts_;  // by their number; each the most literal first
    std::vector<std::pair<std::string, Keeper>> keepers_;           // the longest folder first
};

std::optional<std::string> percent_decoded(std::string_view, bool plus_is_space);

}  // namespace assay::http
