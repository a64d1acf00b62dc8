#include "http/body.hh"

#include <algorithm>

namespace assay::http {
namespace {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t piece_bytes_max =
    128 << 10;  // what is looked through, hashed and written one after the other stays in a core's cache
constexpr int pumped_in_a_row_max = 64;  // pieces; then the pool's other work gets its turn

sys::TimePoint now() { return sys::system_clock().now(); }

}  // namespace

std::function<void()> shedder_of(Reader& reader) {
    auto* const body = dynamic_cast<Connection::Body*>(&reader);
    if (body == nullptr) return {};
    return [weak = body->connection_.weak_from_this()] {
        if (const auto connection = weak.lock()) connection->shed();
    };
}

// The next run of what has already been received, a piece at most; empty when there is none.
Result<ByteView> Connection::Body::take() {
    const bool early = raw_.empty();  // What came with the header goes first.
    const ByteView there = early ? bytes_of(connection_.unread()) : raw_;
    ByteView input = there.first(std::min(there.size(), piece_bytes_max));
    const std::size_t before = input.size();
    ByteView run;
    if (chunked_) {
        ASSAY_TRY(run, chunks_.next(input));
        ended_ = chunks_.finished();
    } else {
        run = input.first(static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(before))));
        input = input.subspan(run.size());
        left_ -= static_cast<std::int64_t>(run.size());
        ended_ = left_ == 0;
    }
    if (early) connection_.begin_ += before - input.size();
    else raw_ = raw_.subspan(before - input.size());
    bytes_read_ += static_cast<std::int64_t>(run.size());
    if (ended_) set_receiving(false);
    return run;
}

// After the last byte: what was received beyond it is the beginning of the next request.
void Connection::Body::finish() {
    if (!raw_.empty()) {
        connection_.buffer_.assign(text_of(raw_));
        connection_.begin_ = 0;
    }
    raw_ = {};
    large_.release();
}

loop::Task<Result<Unit>> Connection::Body::refill() {
    for (;;) {
        if (!large_.there() || ++in_a_row_ > reads_in_a_row_max) {
            in_a_row_ = 0;
            ASSAY_CO_CHECK(co_await wait(1));
        }
        ASSAY_CO_TRY(const bool received, receive(body_read_bytes_first));
        if (received) co_return ok;
    }
}

// For so many bytes, or what is left when that is less; at the deadline for any at all.
loop::Task<Result<Unit>> Connection::Body::wait(std::int64_t bytes_wanted) {
    const ServerConfig& config = connection_.config_;
    const sys::TimePoint deadline = now() + config.body_stall_max;
    wake_at(chunked_ ? 1 : std::min(left_, bytes_wanted));
    for (;;) {
        if (connection_.shed_) co_return fail(Fault::timed_out, "shed: too slow while others wait for a connection");
        connection_.interruptible_ = true;
        auto wait = connection_.watch_.readable(deadline);
        const loop::Ready ready = co_await wait;
        connection_.interruptible_ = false;
        if (ready == loop::Ready::interrupted) continue;
        if (ready == loop::Ready::yes) co_return ok;
        ASSAY_CO_TRY(const bool received, receive(body_read_bytes_first));
        if (received) co_return ok;
        co_return fail(Fault::timed_out, "no byte of the body for " + std::to_string(config.body_stall_max.count()) + " s");
    }
}

void Connection::Body::wake_at(std::int64_t bytes_wanted) {
    if (bytes_wanted == woken_at_) return;
    sys::wake_at(connection_.watch_.fd(), static_cast<int>(bytes_wanted));
    woken_at_ = bytes_wanted;
}

// The newest bytes, `most` of them; false: there are none for now.
Result<bool> Connection::Body::receive(std::size_t most) {
    connection_.consume(0);
    std::span<std::byte> buffer = large_.get(most);
    if (!chunked_) buffer = buffer.first(static_cast<std::size_t>(std::min<std::int64_t>(left_, std::ssize(buffer))));
    const auto received = sys::receive_some(connection_.watch_.fd(), buffer);
    if (!received || *received == 0U) return fail(Fault::unreachable, "the peer went away inside its body");
    if (!*received) {
        large_.release();  // Waits without memory: a thousand slow senders hold nothing.
        return false;
    }
    raw_ = ByteView{buffer}.first(**received);
    last_ = sys::system_clock().wall();
    connection_.body_bytes_ += static_cast<std::int64_t>(raw_.size());
    return true;
}

loop::Task<Result<Unit>> Connection::Body::begin() {
    if (failed_) co_return Error{*failed_, "the body could not be read to its end"};
    if (std::exchange(owes_continue_, false)) {
        const bool sent = co_await connection_.send({.head = bytes_of(continue_line), .content = {}});
        if (!sent) co_return fail(Fault::unreachable, "the peer went away before its body");
    }
    if (!ended_) set_receiving(true);
    co_return ok;
}

loop::Task<Result<std::span<const std::byte>>> Connection::Body::next() {
    ASSAY_CO_CHECK(co_await begin());
    for (;;) {
        if (ended_) co_return ByteView{};
        auto run = take();
        if (!run) co_return fail(Fault::invalid, run.error().text());
        if (!run->empty()) co_return *run;
        if (ended_) continue;
        ASSAY_CO_CHECK(co_await refill());
    }
}

// The loop only waits, for enough to be worth the way to another thread; that thread receives.
loop::Task<Result<bool>> Connection::Body::pump(loop::Pool& pool, Sink sink) {
    ASSAY_CO_CHECK(co_await begin());
    if (ended_) co_return false;
    if (!at_hand()) {
        large_.release();
        ASSAY_CO_CHECK(co_await wait(connection_.body_memory_.wanted_bytes()));
    }
    const auto work = [&] { return pump_at_hand(sink); };
    co_return co_await pool.run(work);
}

// Only while bytes are there: a peer that pauses must not keep the thread. What goes wrong is remembered for the next call.
Result<bool> Connection::Body::pump_at_hand(const Sink& sink) {
    for (int handed_on = 0; !ended_ && !connection_.shed_;) {
        auto run = take();
        if (!run) return fail(Fault::invalid, run.error().text());
        if (!run->empty()) {
            ASSAY_TRY(const bool further, sink(*run));
            if (!further) return true;
            if (++handed_on >= pumped_in_a_row_max &&
                raw_.empty()) {  // Else it would wait for its next turn with the memory in hand.
                large_.release();
                return true;
            }
        } else if (!ended_) {
            ASSAY_TRY(const bool received, receive(connection_.config_.body_read_bytes));
            if (!received) return true;
        }
    }
    if (ended_) finish();  // What is done with a body takes longer than its arrival; the memory must not wait for it.
    return true;
}

}  // namespace assay::http
