#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/body_buffer.hh"
#include "http/server_fixture.hh"
#include "loop/loop.hh"

namespace assay::http {
namespace {

// Answers what was pumped; `pause_every` runs the sink wants no further.
loop::Task<Response> pumped(loop::Pool& pool, Reader& reader, int pause_every) {
    std::string body;
    int runs = 0;
    const std::thread::id loop_thread = std::this_thread::get_id();
    bool on_pool = true;
    for (;;) {
        Reader::Sink sink = [&](std::span<const std::byte> bytes) -> Result<bool> {
            on_pool = on_pool && std::this_thread::get_id() != loop_thread;
            body += text_of(bytes);
            return ++runs % pause_every != 0;
        };
        const auto more = co_await reader.pump(pool, std::move(sink));
        if (!more) co_return problem_of(more.error());
        if (!*more) break;
    }
    EXPECT_TRUE(on_pool);
    EXPECT_EQ(reader.bytes_read(), static_cast<std::int64_t>(body.size()));
    co_return Response::text(200, body);
}

struct PumpHouse : House {
    explicit PumpHouse(ServerConfig config = {}) : House{config} {
        router.add("POST", "/pump", [this](Request, Reader& reader) { return pumped(pool, reader, 1000); });
        router.add("POST", "/pauses", [this](Request, Reader& reader) { return pumped(pool, reader, 3); });
    }
    loop::Pool pool{"pump", 2, 16};
};

std::string text_of_size(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
    text.resize(size);
    return text;
}

// Many more reads than are made in a row, a pipelined request behind them, and a sink that stops in between: nothing is lost.
TEST(Body, ArrivesWholeByAPump) {
    PumpHouse house{{.body_read_bytes = 20'000}};
    const std::string body = text_of_size(3u << 20);
    std::string chunked;
    for (std::size_t at = 0; at < body.size(); at += 70'000) {
        const std::string piece = body.substr(at, 70'000);
        chunked += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    }
    chunked += "0\r\n\r\n";
    for (const std::string_view route : {"/pump", "/pauses"}) {
        for (const std::string& request : {post(route, fmt::format("Content-Length: {}\r\n", body.size()), body),
                                           post(route, "Transfer-Encoding: chunked\r\n", chunked)}) {
            Wire wire{house};
            std::jthread sender{[&] { wire.send(request + get("/hello", "Connection: close\r\n")); }};
            EXPECT_EQ(status_in(wire.until("\r\n\r\n")), 200);
            EXPECT_EQ(wire.until(body.substr(body.size() - 20)).size(), body.size());
            EXPECT_TRUE(wire.all().ends_with("hello you\n"));
        }
    }
}

TEST(Body, OfAPeerThatPausesIsWaitedForAndNotHeldUp) {
    PumpHouse house;
    Wire wire{house};
    wire.send(post("/pump", "Content-Length: 5\r\n", "he"));
    Wire others{house};  // All threads of the pool are free meanwhile.
    EXPECT_EQ(status_in(others.send(post("/pump", "Content-Length: 2\r\n", "ok")).until("\r\n\r\n")), 200);
    EXPECT_TRUE(wire.send("llo").until("hello").ends_with("hello"));
}

TEST(Body, ThatIsBrokenOrCutFailsInAPumpAsElsewhere) {
    PumpHouse house{{.body_stall_max = 1s}};
    EXPECT_EQ(status_in(Wire{house}.send(post("/pump", "Transfer-Encoding: chunked\r\n", "5\r\nhelloXX")).all()), 400);
    EXPECT_EQ(status_in(Wire{house}.send(post("/pump", "Content-Length: 5\r\n", "he")).all()), 408);
}

// However many bodies arrive at once, their memory is what one number says, and the least that each needs beyond it.
TEST(BodyBuffer, SharesAnAmount) {
    constexpr std::size_t size_max = 256u << 10;
    constexpr std::size_t all = 4u << 20;
    BodyMemory memory{size_max, all};
    std::vector<std::unique_ptr<BodyBuffer>> buffers;
    for (std::size_t i = 1; i <= 500; ++i) {
        buffers.push_back(std::make_unique<BodyBuffer>(memory));
        const std::size_t size = buffers.back()->get(size_max).size();
        EXPECT_LE(size, size_max);
        EXPECT_GE(size, body_read_bytes_min);
        EXPECT_LE(memory.used_bytes(), all + i * body_read_bytes_min);
    }
    EXPECT_EQ(buffers.front()->get(size_max).size(), size_max);
    buffers.clear();
    EXPECT_EQ(memory.used_bytes(), 0u);
}

}  // namespace
}  // namespace assay::http
