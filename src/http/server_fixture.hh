// A server with one handler of each kind and a raw client for it: what the tests of connections stand on.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "http/multipart.hh"
#include "http/server.hh"
#include "sys/file.hh"
#include "sys/net.hh"
#include "sys/process.hh"

namespace assay::http {

using namespace std::chrono_literals;

constexpr auto patience = 20s;  // Far beyond what anything here takes; only a hang reaches it.

inline sys::TimePoint after(sys::Duration wait) { return sys::system_clock().now() + wait; }

struct Counting : MultipartSink {
    std::string names;
    std::size_t bytes = 0;
    Result<> begin(const Part& part) override {
        names += part.name + ";";
        return ok;
    }
    Result<> data(ByteView data) override {
        bytes += data.size();
        return ok;
    }
    Result<> end() override { return ok; }
};

inline loop::Task<Response> hello(Request request, Reader&) {
    co_return Response::text(200, "hello " + request.parameter("name").value_or("you") + "\n");
}

inline loop::Task<Response> echo(Request, Reader& reader) {
    const Result<std::string> body = co_await read_body(reader, 1 << 20);
    if (!body) co_return problem_of(body.error());
    co_return Response::text(200, *body);
}

inline loop::Task<Response> count(Request, Reader& reader) {
    std::size_t bytes = 0;
    for (;;) {
        const auto run = co_await reader.next();
        if (!run) co_return problem_of(run.error());
        if (run->empty()) co_return Response::text(200, std::to_string(bytes));
        bytes += run->size();
    }
}

inline loop::Task<Response> form(Request request, Reader& reader) {
    Result<Multipart> parser = Multipart::from_content_type(request.header("Content-Type"));
    if (!parser) co_return problem_of(parser.error());
    Counting sink;
    for (;;) {
        const auto run = co_await reader.next();
        if (!run) co_return problem_of(run.error());
        if (run->empty()) break;
        if (const auto fed = parser->feed(*run, sink); !fed) co_return problem_of(fed.error());
    }
    co_return Response::text(parser->finished() ? 200 : 400, fmt::format("{} {}", sink.names, sink.bytes));
}

inline loop::Task<Response> refuse(Request, Reader&) { co_return Response::text(413, "too large\n"); }
// Two pieces, and then it waits for the peer to go, or the server to stop.
inline loop::Task<Unit> pieces(Stream& stream) {
    (void)co_await stream.send("one\n");
    (void)co_await stream.send("two\n");
    while (!stream.over()) co_await loop::sleep_until(after(1ms));
    const auto late = co_await stream.send("late\n");
    EXPECT_FALSE(late);
    co_return Unit{};
}
inline loop::Task<Response> streamed(Request, Reader&) {
    Response response;
    response.with("Content-Type", "text/event-stream").streamer = pieces;
    co_return response;
}
inline loop::Task<Response> large(Request, Reader&) { co_return Response::text(200, std::string(8u << 20, 'x')); }

// Everything a case needs; `held` requests wait for release().
struct House {
    explicit House(ServerConfig config = {}) {
        router.add("GET", "/hello", hello);
        router.add("POST", "/echo", echo);
        router.add("POST", "/count", count);
        router.add("POST", "/form", form);
        router.add("POST", "/refuse", refuse);
        router.add("GET", "/large", large);
        router.add("GET", "/stream", streamed);
        router.add("GET", "/held", [this](Request, Reader&) { return held(*this); });
        server.emplace(loops, router, config);
        port = server->listen_tcp("127.0.0.1", 0).value().port;
    }
    ~House() {
        release();
        server->stop(after(patience));
        loops.stop();
    }
    static loop::Task<Response> held(House& house) {
        const std::uint64_t seen = house.bell.rings();
        house.held_begun.set_value();
        if (!house.released) (void)co_await house.bell.wait(seen, after(patience));
        co_return Response::text(200, "released\n");
    }
    void release() {
        released = true;
        bell.ring();
    }

    loop::Loops loops{2};
    Router router;
    loop::Bell bell;
    std::atomic<bool> released = false;
    std::promise<void> held_begun;
    std::optional<Server> server;
    std::uint16_t port = 0;
};

// A raw client: what it sends is what is in the case.
struct Wire {
    explicit Wire(const House& house) : socket{sys::connect_tcp("127.0.0.1", house.port).value()} {
        EXPECT_TRUE(sys::set_timeouts(socket, patience));
    }
    Wire& send(std::string_view bytes) {
        EXPECT_TRUE(sys::send_all(socket, bytes_of(bytes)));
        return *this;
    }
    // Everything until the server closes; a reset is marked.
    std::string all() {
        std::array<std::byte, 65536> bytes;
        for (;;) {
            const auto size = sys::receive(socket, bytes);
            if (!size) return got + "<" + std::string{to_string(size.error().fault())} + ">";
            if (*size == 0) return std::exchange(got, {});
            got += text_of(ByteView{bytes}.first(*size));
        }
    }
    // Until `text` has been received; what follows it stays.
    std::string until(std::string_view text) {
        std::array<std::byte, 4096> bytes;
        std::size_t at = 0;
        while ((at = got.find(text)) == std::string::npos) {
            const auto size = sys::receive(socket, bytes);
            if (!size || *size == 0) return std::exchange(got, {}) + "<closed>";
            got += text_of(ByteView{bytes}.first(*size));
        }
        std::string head = got.substr(0, at + text.size());
        got.erase(0, head.size());
        return head;
    }
    sys::Fd socket;
    std::string got;
};

inline std::string get(std::string_view target, std::string_view more = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", target, more);
}
inline std::string post(std::string_view target, std::string_view lines, std::string_view body = "") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\n{}\r\n{}", target, lines, body);
}
inline int status_in(std::string_view answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string{answer.substr(9, 3)}) : 0;
}

}  // namespace assay::http
