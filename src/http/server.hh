// Server: connections, framing and limits. No routes: the router is handed in.
//
// What it promises: header complete within `header_time_max`, every wait bounded, slow senders shed slowest first when the
// connection cap is reached, an early refusal readable by clients that write everything first (half-close, bounded drain),
// `Assay-Server` and `X-Request-Id` on every response, its own errors included.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hh"
#include "http/message.hh"
#include "loop/loop.hh"
#include "sys/fd.hh"

namespace assay::http {

struct ServerConfig {
    std::size_t header_bytes_max = 32u << 10;          // larger: 431
    std::chrono::seconds header_time_max{10};          // from the first byte of a request, or from accept
    std::chrono::seconds idle_time_max{60};            // between requests of a kept connection
    std::size_t body_read_bytes = 4u << 20;  // one direct read; the buffer exists only while bytes wait
    std::size_t body_memory_bytes = 32u << 20;         // shared by all such buffers: the more there are, the smaller each
    std::chrono::seconds body_stall_max{120};          // without a single byte
    std::chrono::seconds write_time_max{60};
    std::size_t connections_max = 4096;                // more: the slowest sender is shed with 408, else 503
    std::size_t streams_max = 2048;                    // of the connections; more: 503, so that watchers leave room for others
    std::size_t drain_bytes_max = 64u << 20;           // of a refused body
    std::chrono::seconds drain_time_max{10};
};

class Server {
public:
    // `router` and `loops` must outlive the server.
    Server(loop::Loops& loops, const Router& router, ServerConfig config = {});
    ~Server();

    struct Address {
        std::string host;
        std::uint16_t port = 0;
    };
    // Port 0 picks a free one. The address in use is returned. Errors: conflict (in use), invalid, denied.
    Result<Address> listen_tcp(const std::string& host, std::uint16_t port);
    // Any listening stream socket: a Unix one, or a TCP one that was bound before the routes were known.
    void listen(sys::Fd listening);
    // Serves one connected stream socket (a runner's). `closed` is called once, on a loop thread, when it has ended.
    void adopt(sys::Fd connected, std::function<void()> closed);

    // No new connections; idle ones close; running requests get until `deadline`. Blocks. Not on a loop thread.
    void stop(sys::TimePoint deadline);

    std::size_t connections() const;

private:
    struct Inner;
    std::shared_ptr<Inner> inner_;
};

// "127.0.0.1:8080", "[::1]:0". Errors: invalid.
Result<Server::Address> parse_address(std::string_view text);

}  // namespace assay::http
