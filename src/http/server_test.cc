#include "http/server.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "base/log.hh"
#include "http/client.hh"
#include "http/server_fixture.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::http {
namespace {

loop::Task<Response> shared(Response response) { co_return response; }

}  // namespace

TEST(Server, KeepsTheConnectionAndNamesItself) {
    House house;
    Wire wire{house};
    for (int i = 0; i < 3; ++i) {
        const std::string head = wire.send(get("/hello?name=a+b")).until("\r\n\r\n");
        EXPECT_EQ(status_in(head), 200);
        for (const std::string_view line :
             {"\r\nAssay-Server: " ASSAY_VERSION "\r\n",
              "\r\nX-Request-Id: ", "\r\nDate: ", "\r\nContent-Length: 10\r\n", "\r\nConnection: keep-alive\r\n"}) {
            EXPECT_TRUE(head.contains(line)) << line;
        }
        EXPECT_EQ(wire.until("\n"), "hello a b\n");
    }
    EXPECT_EQ(house.server->connections(), 1U);
    EXPECT_TRUE(wire.send(get("/hello", "Connection: close\r\n")).all().ends_with("hello you\n"));
}

TEST(Server, AnswersAPipelineInOrder) {
    House house;
    std::string requests;
    std::string expected;
    for (int i = 0; i < 500; ++i) {
        requests += i % 2 == 0
                        ? get(fmt::format("/hello?name={}", i))
                        : post("/echo", "Transfer-Encoding: chunked\r\n", fmt::format("3\r\n{:03}\r\n0\r\n\r\n", i));
        expected += i % 2 == 0 ? fmt::format("hello {}\n", i) : fmt::format("{:03}", i);
    }
    Wire wire{house};
    std::jthread sender{[&] { wire.send(requests + get("/none", "Connection: close\r\n")); }};
    const std::string all = wire.all();
    std::string bodies;
    for (std::size_t at = all.find("\r\n\r\n"); at != std::string::npos; at = all.find("\r\n\r\n", at + 4)) {
        bodies += all.substr(at + 4, all.find("HTTP/1.1", at) - at - 4);
    }
    EXPECT_TRUE(bodies.starts_with(expected));
    EXPECT_TRUE(all.contains("HTTP/1.1 404 "));
}

TEST(Server, HeadIsGetWithoutABody) {
    House house;
    const std::string answer = Wire{house}.send("HEAD /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").all();
    EXPECT_EQ(status_in(answer), 200);
    EXPECT_TRUE(answer.contains("Content-Length: 10\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

// A page that many ask for is one string for all of them.
TEST(Server, ASharedBodyIsSentAndStaysTheHandlers) {
    House house;
    const auto page = std::make_shared<const std::string>(std::string(1u << 20, 'p'));
    house.router.add("GET", "/shared", [page](Request, Reader&) -> loop::Task<Response> {
        Response response;
        response.shared_body = page;
        return shared(std::move(response));
    });
    Wire wire{house};
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(wire.send(get("/shared")).until("\r\n\r\n").contains("\r\nContent-Length: 1048576\r\n"));
        EXPECT_EQ(wire.until(*page), *page);
    }
    EXPECT_TRUE(wire.send("HEAD /shared HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").all().ends_with("\r\n\r\n"));
    EXPECT_EQ(page->size(), 1u << 20);
}

TEST(Server, UnknownPathsAndMethodsAreProblems) {
    House house;
    Wire wire{house};
    const std::string missing = wire.send(get("/none")).until("}\n");
    EXPECT_EQ(status_in(missing), 404);
    EXPECT_TRUE(missing.contains("application/problem+json"));
    const std::string wrong = wire.send("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n").until("}\n");
    EXPECT_EQ(status_in(wrong), 405);
    EXPECT_TRUE(wrong.contains("Allow: GET, HEAD\r\n"));
}

TEST(Server, Http10IsAnsweredAndClosed) {
    House house;
    EXPECT_TRUE(Wire{house}.send("GET /hello HTTP/1.0\r\n\r\n").all().ends_with("hello you\n"));
}

// Every refusal of the HTTP layer names the server too: behind a proxy that is the only proof of who refused.
TEST(Server, RefusesAmbiguousRequestsAndCloses) {
    House house;
    const std::vector<std::pair<int, std::string>> cases{
        {400, post("/echo", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        {400, post("/echo", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")},
        {400, post("/echo", "Transfer-Encoding: chunked\r\n", "5\r\nhelloGET /hello HTTP/1.1\r\n\r\n")},
        {400, post("/echo", "Transfer-Encoding: chunked\r\n", "xyz\r\n")},
        {400, get("/hello", "A: b\r\n c\r\n")},
        {400, "GET /hello HTTP/1.1\nHost: h\n\n"},
        {400, get("http://u@h/hello")},
        {417, get("/hello", "Expect: tea\r\n")},
        {431, get("/hello", "A: " + std::string(40'000, 'a') + "\r\n")},
        {414, get("/" + std::string(20'000, 'a'))},
        {501, post("/echo", "Transfer-Encoding: gzip\r\n", "x")},
        {505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n"},
    };
    for (const auto& [status, bytes] : cases) {
        const std::string answer = Wire{house}.send(bytes + get("/hello")).all();
        EXPECT_EQ(status_in(answer), status) << escaped(bytes.substr(0, 200)) << answer;
        EXPECT_TRUE(answer.contains("\r\nAssay-Server: ") && answer.contains("\r\nX-Request-Id: ") &&
                    answer.contains("Connection: close"))
            << answer;
        EXPECT_FALSE(answer.contains("hello you")) << "a smuggled request was answered";
        EXPECT_FALSE(answer.contains("<")) << answer;  // no reset
    }
}

TEST(Server, BodiesArriveWholeHoweverTheyAreSent) {
    House house;
    Wire wire{house};
    const std::string plain = post("/echo", "Content-Length: 11\r\n", "hello\nworld");
    const std::string chunked =
        post("/echo", "Transfer-Encoding: chunked\r\n", "6;x=y\r\nhello\n\r\n5\r\nworld\r\n0\r\nT: v\r\n\r\n");
    const std::string multipart =
        "--B\r\nContent-Disposition: form-data; name=token\r\n\r\nT\r\n--B\r\nContent-Disposition: form-data; "
        "name=file; filename=f\r\n\r\n0123456789\r\n--B--\r\n";
    const std::string upload =
        post("/form",
             fmt::format("Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {}\r\n", multipart.size()),
             multipart);
    for (const std::string& request : {plain, chunked}) {
        for (const char& c : request) wire.send({&c, 1});
        EXPECT_EQ(status_in(wire.until("\r\n\r\n")), 200);
        EXPECT_EQ(wire.until("world"), "hello\nworld");
    }
    for (const char& c : upload) wire.send({&c, 1});
    EXPECT_EQ(status_in(wire.until("\r\n\r\n")), 200);
    EXPECT_EQ(wire.until(" 11"), "token;file; 11");

    constexpr std::size_t size = 12u << 20;
    wire.send(post("/count", fmt::format("Content-Length: {}\r\n", size))).send(std::string(size, 'x'));
    EXPECT_TRUE(wire.until(std::to_string(size)).contains("200 OK"));
}

TEST(Server, ExpectIsAnsweredByWhatTheHandlerDoes) {
    House house;
    Wire wanted{house};
    EXPECT_EQ(wanted.send(post("/echo", "Content-Length: 5\r\nExpect: 100-continue\r\n")).until("\r\n\r\n"),
              "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(status_in(wanted.send("hello").until("\r\n\r\n")), 200);
    EXPECT_EQ(wanted.until("hello"), "hello");
    // A refusal goes out alone; the client then sends nothing.
    Wire refused{house};
    EXPECT_EQ(status_in(refused.send(post("/refuse", "Content-Length: 5\r\nExpect: 100-continue\r\n")).all()), 413);
}

// What python-requests does: it looks for an answer only when all is written. A reset on the way would hide the answer.
TEST(Server, EarlyRefusalIsReadByWhoWritesEverythingFirst) {
    House house;
    constexpr std::size_t size = 16u << 20;
    for (int round = 0; round < 10; ++round) {
        const bool chunked = round % 2 == 1;
        Wire wire{house};
        wire.send(
            post("/refuse", chunked ? "Transfer-Encoding: chunked\r\n" : fmt::format("Content-Length: {}\r\n", size)));
        const std::string piece =
            chunked ? fmt::format("{:x}\r\n{}\r\n", 1u << 18, std::string(1u << 18, 'x')) : std::string(1u << 18, 'x');
        for (std::size_t sent = 0; sent < size; sent += 1u << 18) {
            wire.send(piece);
            if (round >= 8)
                std::this_thread::sleep_for(5ms);  // A paced sender: this is its pace, not a synchronisation.
        }
        if (chunked) wire.send("0\r\n\r\n");
        sys::shut_sending(wire.socket);
        const std::string answer = wire.all();
        EXPECT_EQ(status_in(answer), 413) << round;
        EXPECT_TRUE(answer.ends_with("too large\n")) << answer;
    }
}

TEST(Server, SlowHeadersAndStalledBodiesAreEnded) {
    House house{{.header_time_max = 1s, .idle_time_max = 1s, .body_stall_max = 1s}};
    Wire silent{house};
    Wire header{house};
    Wire body{house};
    Wire kept{house};
    header.send("GET / HTT");
    body.send(post("/echo", "Content-Length: 5\r\n", "he"));
    kept.send(get("/hello"));
    EXPECT_EQ(silent.all(), "");
    EXPECT_EQ(status_in(header.all()), 408);
    EXPECT_EQ(status_in(body.all()), 408);
    EXPECT_TRUE(kept.all().ends_with("hello you\n"));
}

// Memory and descriptors are bounded: who comes when nobody can go is told so, and told by whom.
TEST(Server, OverTheCapTheNewcomerIsRefused) {
    House house{{.connections_max = 1}};
    Wire busy{house};
    busy.send(get("/held"));
    house.held_begun.get_future().wait();
    const std::string refused = Wire{house}.all();
    EXPECT_EQ(status_in(refused), 503) << refused;
    EXPECT_TRUE(refused.contains("Assay-Server: "));
    house.release();
    EXPECT_EQ(status_in(busy.until("released\n")), 200);
}

// The slowest sender pays, not whoever comes last.
TEST(Server, OverTheCapTheSlowestSenderIsShed) {
    House house{{.connections_max = 2}};
    const std::string request = post("/count", "Content-Length: 1000\r\n");
    Wire slower{house};
    slower.send(request + "x").send("x");
    Wire slow{house};
    slow.send(request + std::string(500, 'x'));
    int status = 503;  // Nobody is old enough yet to be judged.
    for (const sys::TimePoint deadline = after(patience); status == 503 && sys::system_clock().now() < deadline;) {
        Wire late{house};
        late.send(get("/hello", "Connection: close\r\n"));
        status = status_in(late.all());
    }
    EXPECT_EQ(status, 200);
    EXPECT_EQ(status_in(slower.all()), 408);
    EXPECT_EQ(status_in(slow.send(std::string(500, 'x')).until("1000")), 200);
}

// A stream has no length, so its end is the connection's; the server's stop ends it without waiting for the handler's own plans.
TEST(Server, AStreamArrivesPieceByPieceAndEndsWithTheServer) {
    House house;
    Wire wire{house};
    const std::string begun = wire.send(get("/stream")).until("two\n");
    EXPECT_TRUE(begun.contains("Connection: close\r\n") && begun.ends_with("\r\n\r\none\ntwo\n")) << begun;
    EXPECT_FALSE(begun.contains("Content-Length"));
    house.server->stop(after(patience));
    EXPECT_EQ(wire.all(), "");
}

// Whoever watches must leave room for whoever hands in.
TEST(Server, StreamsHaveALimitOfTheirOwn) {
    House house{{.streams_max = 2}};
    Wire first{house};
    first.send(get("/stream")).until("two\n");
    {
        Wire second{house};
        second.send(get("/stream")).until("two\n");
        const std::string refused = Wire{house}.send(get("/stream", "Connection: close\r\n")).all();
        EXPECT_EQ(status_in(refused), 503);
        EXPECT_TRUE(refused.contains("\r\nRetry-After: "));
        EXPECT_EQ(status_in(Wire{house}.send(get("/hello", "Connection: close\r\n")).all()), 200);
    }
    // The place is free once the server has noticed that the second one went; until then it says so.
    const sys::TimePoint deadline = after(patience);
    int status = 503;
    while (status == 503 && sys::system_clock().now() < deadline) {
        Wire third{house};
        const std::string head = third.send(get("/stream")).until("\r\n\r\n");
        status = status_in(head);
    }
    EXPECT_EQ(status, 200);
}

TEST(Server, StopWaitsForARunningRequestAndClosesIdleOnes) {
    House house;
    Wire idle{house};
    Wire busy{house};
    EXPECT_EQ(status_in(idle.send(get("/hello")).until("hello you\n")), 200);
    busy.send(get("/held"));
    house.held_begun.get_future().wait();
    auto stopped = std::async(std::launch::async, [&] { house.server->stop(after(patience)); });
    EXPECT_EQ(idle.all(), "");
    EXPECT_FALSE(sys::connect_tcp("127.0.0.1", house.port));
    EXPECT_NE(stopped.wait_for(0s), std::future_status::ready);
    house.release();
    const std::string answer = busy.all();
    EXPECT_TRUE(answer.contains("Connection: close\r\n") && answer.ends_with("released\n")) << answer;
    EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready);
    house.server->stop(after(0s));  // Twice is fine.
    EXPECT_EQ(house.server->connections(), 0U);
}

// The peer is gone and the server stopped hard while a handler waits; the handler must still end safely.
TEST(Server, AHandlerMayOutliveItsPeer) {
    House house;
    {
        Wire wire{house};
        wire.send(get("/held"));
        house.held_begun.get_future().wait();
    }
    house.server->stop(after(10ms));
    EXPECT_EQ(house.server->connections(), 1U);
    house.release();
    house.server->stop(after(patience));
    EXPECT_EQ(house.server->connections(), 0U);
}

TEST(Server, StopsWithoutAnyConnection) {
    loop::Loops loops{1};
    const Router router;
    Server server{loops, router};
    server.stop(after(patience));
    server.stop(after(patience));
    loops.stop();
}

TEST(Server, ServesManyAtOnce) {
    House house;
    constexpr int count_of = 200;
    std::vector<Wire> wires;
    for (int i = 0; i < count_of; ++i) wires.emplace_back(house);
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < count_of; ++i)
            wires[static_cast<std::size_t>(i)].send(get(fmt::format("/hello?name={}.", i)));
        for (int i = 0; i < count_of; ++i)
            EXPECT_EQ(status_in(wires[static_cast<std::size_t>(i)].until(fmt::format("hello {}.\n", i))), 200);
    }
    EXPECT_EQ(house.server->connections(), static_cast<std::size_t>(count_of));
}

TEST(Server, ServesAnAdoptedSocketForOurClient) {
    House house;
    auto [ours, theirs] = sys::socket_pair(sys::PairKind::stream).value();
    std::promise<void> closed;
    house.server->adopt(std::move(theirs), [&] { closed.set_value(); });
    {
        Client client{std::move(ours)};
        for (int i = 0; i < 3; ++i) {
            const std::string body(100'000, 'x');
            const Answer answer = client.request("POST", "/echo", "text/plain", bytes_of(body), patience).value();
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.body, body);
            EXPECT_EQ(answer.header("assay-server"), ASSAY_VERSION);
        }
        std::size_t bytes = 0;
        const std::function<Result<>(ByteView)> sink = [&](ByteView part) -> Result<> {
            bytes += part.size();
            return ok;
        };
        EXPECT_EQ(client.download("/large", patience, sink).value().status, 200);
        EXPECT_EQ(bytes, 8u << 20);
        EXPECT_EQ(client.download("/none", patience, sink).value().status, 404);
        EXPECT_EQ(client.request("HEAD", "/hello", "", {}, patience).value().body, "");
    }
    EXPECT_EQ(closed.get_future().wait_for(patience), std::future_status::ready);
}

TEST(Server, OurClientReadsAnEarlyRefusal) {
    House house;
    const std::string body(16u << 20, 'x');
    for (int i = 0; i < 3; ++i) {
        Client client{sys::connect_tcp("127.0.0.1", house.port).value()};
        EXPECT_EQ(client.request("POST", "/refuse", "", bytes_of(body), patience).value().status, 413);
    }
}

TEST(Server, TellsAUnixPeersCredentials) {
    House house;
    house.router.add("GET", "/who", [](Request request, Reader&) -> loop::Task<Response> {
        co_return Response::text(200, fmt::format("{} {}", request.peer, request.credentials.value().pid));
    });
    const std::string path = fmt::format("{}/http-{}.sock", ::testing::TempDir(), sys::current_pid());
    house.server->listen(sys::listen_unix(path, 0600).value());
    Client client{sys::connect_unix(path).value()};
    EXPECT_EQ(client.request("GET", "/who", "", {}, patience).value().body, fmt::format("unix {}", sys::current_pid()));
    EXPECT_TRUE(sys::remove_file(path));
}

TEST(Server, AnAddressInUseIsAConflict) {
    House house;
    EXPECT_EQ(house.server->listen_tcp("127.0.0.1", house.port).error().fault(), Fault::conflict);
    EXPECT_EQ(house.server->listen_tcp("not an address", 0).error().fault(), Fault::invalid);
}

// A student's client that reads one page and vanishes in the middle of it costs a connection, nothing else.
TEST(Server, SurvivesPeersThatVanish) {
    House house;
    for (int i = 0; i < 50; ++i) {
        Wire{house}.send(get("/large"));
        Wire{house}.send(post("/count", "Content-Length: 100000\r\n", "x"));
        Wire{house}.send("GET /he");
    }
    EXPECT_EQ(status_in(Wire{house}.send(get("/hello")).until("hello you\n")), 200);
}

}  // namespace assay::http
