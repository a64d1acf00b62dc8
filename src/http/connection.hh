// Connection: one peer, from accept to close: reads heads, hands requests to the router, writes responses, drains and closes.
//
// Life of a request: idle -> head -> handler (body as it asks for it) -> response -> idle, or drain -> closed.
//
// Threading: lives on one loop. The functions marked "any thread" may be called from anywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/body_buffer.hh"
#include "http/head.hh"
#include "http/message.hh"
#include "http/server.hh"
#include "http/shed.hh"
#include "loop/loop.hh"
#include "loop/watch.hh"
#include "sys/net.hh"

namespace assay::http {

constexpr std::size_t head_read_bytes = 16u << 10;             // one read while a head is awaited
constexpr std::int64_t write_rate_min_bytes_per_s = 16 << 10;  // slower readers of a large response are cut
constexpr int reads_in_a_row_max = 16;                         // then others of the loop get their turn
constexpr int answers_in_a_row_max = 8;                        // without having had to wait for the next request; as above
constexpr std::chrono::seconds brief_drain_time_max{1};        // when nothing more should come, or others need the room

enum class Role {
    guest,    // accepted
    adopted,  // a socket of our own: no idle deadline, slow requests are long polls
    refused,  // beyond the connection cap: told so, then closed
};

// What all connections of a server have in common.
struct Shared {
    explicit Shared(const ServerConfig& config) : body_memory{config.body_read_bytes, config.body_memory_bytes} {}
    BodyMemory body_memory;
    std::atomic<std::size_t> streams{0};
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    // Everything named must outlive the connection.
    Connection(const ServerConfig& config, const Router& router, const std::atomic<bool>& stopping,
               Shared& shared, loop::Watch watch, sys::Accepted peer, Role role);

    // To the end of the connection; the caller holds it meanwhile.
    loop::Task<Unit> run();

    // Any thread:
    Sender sender() const { return shed_ ? Sender{} : Sender{body_began_ns_, body_bytes_, idle_since_ns_}; }
    void shed();       // ends with 408 inside a body, silently between requests
    void wind_down();  // looks at `stopping` again: ends at once between requests, else after the response
    void cut();        // ends everything now; the handler, if one runs, finds its peer gone

private:
    friend std::function<void()> shedder_of(Reader&);
    class Body;
    class Pieces;
    enum class Receipt { bytes, nothing, gone };
    enum class Drain { none, brief, patient };  // patient: the peer may still be sending a body that nobody wants

    // What is still to be sent; whoever sends it keeps the bytes.
    struct Outgoing {
        ByteView head;
        ByteView content;
        std::size_t size() const { return head.size() + content.size(); }
        bool done() const { return size() == 0; }
    };

    loop::Task<std::optional<Head>> read_head(bool first);
    loop::Task<bool> answer(Head head);
    loop::Task<Unit> refuse(Refusal refusal);
    bool send_now(Outgoing& left);
    loop::Task<bool> send(Outgoing left);
    loop::Task<bool> stream(const Response& response, std::string request_id);
    loop::Task<Unit> drain();
    Receipt receive_head(std::optional<Checked<Head>>& whole);
    std::string_view unread() const { return std::string_view{buffer_}.substr(begin_); }
    void consume(std::size_t count);
    bool peer_closed();

    const ServerConfig& config_;
    const Router& router_;
    const std::atomic<bool>& stopping_;
    BodyMemory& body_memory_;
    std::atomic<std::size_t>& streams_;
    loop::Watch watch_;
    const std::string peer_;
    const std::optional<sys::Peer> credentials_;
    const Role role_;
    const sys::TimePoint accepted_;

    std::string buffer_;      // received and not yet used begins at begin_; gives its memory back when empty
    std::size_t begin_ = 0;
    sys::WallTime arrival_{}; // of the newest byte in it
    bool interruptible_ = false;  // in a wait between requests, for body bytes, or for the peer to close
    int answers_in_a_row_ = 0;
    sys::TimePoint answered_{};  // the last request
    bool emptied_ = false;  // the last read took all that was there
    Drain drain_ = Drain::none;

    std::atomic<std::int64_t> body_began_ns_{0};
    std::atomic<std::int64_t> body_bytes_{0};
    std::atomic<std::int64_t> idle_since_ns_{0};
    std::atomic<bool> shed_{false};
};

}  // namespace assay::http
