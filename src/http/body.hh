// The body of the request being handled; private to the room.
//
// Threading: the connection's loop, or while a pump is under way one thread of its pool instead.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/chunked.hh"
#include "http/connection.hh"
#include "http/metrics.hh"

namespace assay::http {

class Connection::Body final : public Reader {
public:
    Body(Connection& connection, const Head& head)
        : connection_{connection}, last_{connection.arrival_}, chunked_{head.chunked},
          left_{head.content_length.value_or(0)}, owes_continue_{head.expects_continue && head.has_body()} {
        if (!head.has_body()) ended_ = true;
    }
    ~Body() override { set_receiving(false); }

    loop::Task<Result<std::span<const std::byte>>> next() override;
    loop::Task<Result<bool>> pump(loop::Pool& pool, Sink sink) override;
    sys::WallTime last_arrival() const override { return last_; }
    std::int64_t bytes_read() const override { return bytes_read_; }

    bool ended() const { return ended_; }
    std::optional<Fault> failed() const { return failed_; }
    void finish();

private:
    friend std::function<void()> shedder_of(Reader&);
    Error fail(Fault fault, std::string text) {
        failed_ = fault;
        set_receiving(false);
        large_.release();
        return {fault, std::move(text)};
    }
    void set_receiving(bool on) {
        if (on == receiving_) return;
        receiving_ = on;
        if (!on) wake_at(1);
        room_metrics().receiving.add(on ? 1 : -1);
        connection_.body_memory_.count_sender(on ? 1 : -1);
        connection_.body_bytes_ = static_cast<std::int64_t>(connection_.unread().size());
        connection_.body_began_ns_ = on ? sys::system_clock().now().time_since_epoch().count() : 0;
    }
    bool at_hand() const { return !raw_.empty() || !connection_.unread().empty(); }
    Result<ByteView> take();
    Result<bool> receive(std::size_t most);
    Result<bool> pump_at_hand(const Sink& sink);
    loop::Task<Result<Unit>> begin();
    loop::Task<Result<Unit>> refill();
    loop::Task<Result<Unit>> wait(std::int64_t bytes_wanted);
    void wake_at(std::int64_t bytes_wanted);

    Connection& connection_;
    sys::WallTime last_;
    const bool chunked_;
    Chunked chunks_;
    std::int64_t left_;  // by Content-Length
    bool owes_continue_;
    bool ended_ = false;
    bool receiving_ = false;
    std::optional<Fault> failed_;
    std::int64_t bytes_read_ = 0;
    int in_a_row_ = 0;
    std::int64_t woken_at_ = 1;  // as many bytes, of those that are on their way
    BodyBuffer large_{connection_.body_memory_};  // there only while bytes are
    ByteView raw_;                        // received into it and not yet used
};

}  // namespace assay::http
