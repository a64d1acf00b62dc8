// Server: one assay server as its HTTP interface. Blocking; each call is a connection of its own and bounded in time.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "client/answers.hh"
#include "client/event_reader.hh"
#include "client/part_size.hh"
#include "client/silence.hh"
#include "client/transport.hh"
#include "client/url.hh"
#include "http/client.hh"
#include "sys/fd.hh"
#include "wording/client_side.hh"

namespace assay::client {

constexpr std::chrono::seconds quiet_max{60};          // without a sign of life
constexpr std::chrono::seconds announce_max{3};
constexpr std::chrono::seconds events_quiet_max{50};   // three beats
constexpr int reconnects_max = 10;                     // in a row, without an event between them
constexpr std::chrono::seconds reconnect_after{3};
constexpr std::size_t piece_bytes = 128u << 10;        // of an upload
constexpr std::chrono::seconds patience_max{300};
constexpr std::chrono::seconds patience_before{8};

// Refused: by the server (with its code), or by something in between.
struct Refused {
    std::string code;    // empty: not the server's
    std::string text;    // what it is
    std::string next;    // what to do; may be empty
    int status = 0;
    bool parts_may_pass = false;  // not the server's: size or time was the offence
    bool no_parts = false;        // what stands there knows nothing of uploads in parts
};
// Whether asking again is of no use.
inline bool for_good(const Error& error) { return error.fault() == Fault::invalid || error.fault() == Fault::denied; }
template <class T>
using Answered = Result<std::expected<T, Refused>>;

// An upload in parts stands still, and is tried again.
struct Pause {
    std::string why;
    std::int64_t arrived = 0;          // bytes, as the server last said
    std::chrono::seconds patience{0};  // until it is given up
};

struct Upload {
    std::string course;
    std::string module;
    const sys::Fd* file = nullptr;   // read from its start
    std::int64_t size = 0;
    std::string sha256;
    std::string key;                 // Idempotency-Key; may be empty
    std::function<void(std::int64_t sent)> progress;
    // In parts: before the first pause of several, each time; and when it goes on after them.
    std::function<void(const Pause&)> waits;
    std::function<void(std::int64_t arrived)> goes_on;
};
// An upload in parts that an earlier process began, and how the next one is to know of this one.
struct Begun {
    std::string address;                                     // empty: none
    // Empty: nothing to go on with. With a receipt the caller forgets it, once he has that in hand.
    std::function<void(const std::string& address)> keep;
};
// How long an answer is waited for without a sign of life, and what is told of a silence meanwhile: from another thread, but never at
// the same time as anything else that is told. `tell` may be empty.
struct Quiet {
    std::chrono::milliseconds max = quiet_max;
    std::chrono::milliseconds told_after = silence_told_after;
    std::function<void(const Silence&)> tell;
};
struct Receipt {
    std::string document;            // the exact signed bytes
    Received received;
    bool again = false;              // the server had it already
};

class Server {
public:
    // `token`: may be empty. `language`: of what the server and this say. `ca_file`: as of Belief.
    Server(Url url, std::string token, wording::Language language, std::string ca_file, Quiet quiet = {})
        : url_{std::move(url)}, token_{std::move(token)}, language_{language}, ca_file_{std::move(ca_file)}, quiet_{std::move(quiet)} {}

    // Errors of all: unreachable, timed_out, or for good: denied (it does not prove who it is), invalid (it speaks otherwise than it
    // should).
    Answered<Limits> limits(const std::string& course, const std::string& module) const;
    // Announces the bytes of an upload, so that their way may take longer than the deadline allows. Waits `announce_max` at most.
    Answered<Committed> commit(const Upload&) const;
    Answered<Receipt> submit(const Upload&) const;
    // The same so that whatever breaks costs at most one part: parts of `part_bytes` and less, each sent until it has arrived, from
    // where the server says that it stands. Gives up after `patience_max` without progress, `patience_before` when there never was any.
    Answered<Receipt> submit_in_parts(const Upload&, const Begun&) const;
    Answered<std::string> text(const std::string& path) const;  // GET /api/v1/… as it is
    // Whether the token is somebody's here.
    Answered<bool> knows_token() const;
    // Every state from now on, to the last. `told` returns false to stop. Comes back after a lost connection.
    Answered<Standing> watch(const std::string& id,
                             const std::function<bool(const Standing&, const std::string& json)>& told) const;

private:
    class Parts;
    http::Outgoing outgoing(std::string method, const std::string& path) const;
    Result<Transport> reach() const;
    Error not_reached(const std::string& why) const;
    using Sink = std::function<Result<>(ByteView)>;
    // `kept`: of the last request, or nullopt, and then there is one afterwards unless there was none to be had.
    Result<http::Answer> ask(std::optional<Transport>& kept, const http::Outgoing&, const Quiet&, const Sink& sink = {}) const;
    Result<http::Answer> ask(const http::Outgoing&, const Quiet&, const Sink& sink = {}) const;
    Result<http::Answer> ask(const http::Outgoing& request) const { return ask(request, quiet_); }
    Error silent(std::chrono::milliseconds quiet) const;
    Refused refused(const http::Answer&, std::int64_t body_size) const;
    template <class T>
    Result<T> understood(Result<T> read) const {
        if (read) return read;
        return Error{read.error().fault(), say(language_, wording::ClientSide::not_understood, {read.error().text()})};
    }

    Url url_;
    std::string token_;
    wording::Language language_;
    std::string ca_file_;
    Quiet quiet_;
};

}  // namespace assay::client
