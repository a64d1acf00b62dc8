// /assay/run, inside the trusted sandbox: one thread per stream, so that no direction waits for another; nobody but the
// harness can make one of them wait, and then the guest's own limits end it.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include "sandbox/capture.hh"
#include "sandbox/guests.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t piece_bytes = 16 << 10;
// Of each stream, for the report: escaped as JSON and all, that fits into a pipe which nobody reads yet.
constexpr std::size_t kept_max = 4 << 10;

Result<sys::Fd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Error{Fault::invalid, "the socket's path is too long"};
    path.copy(address.sun_path, path.size());
    sys::Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (!socket) return sys::last_error("socket", path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return sys::last_error("connect", path);
    return socket;
}

// What both output streams may still print together.
class Allowance {
public:
    Allowance(std::int64_t bytes, const sys::Fd& socket) : left_{bytes}, socket_{socket} {}
    // How much of `size` may pass. The first time that it is not all, the guest's end is asked for.
    std::size_t take(std::size_t size) {
        const std::int64_t before = left_.fetch_sub(static_cast<std::int64_t>(size));
        if (before >= static_cast<std::int64_t>(size)) return size;
        if (!exceeded_.exchange(true)) (void)sys::send_message(socket_, bytes_of(std::string_view{"!"}));
        return before > 0 ? static_cast<std::size_t>(before) : 0;
    }
    bool exceeded() const { return exceeded_; }

private:
    std::atomic<std::int64_t> left_;
    std::atomic<bool> exceeded_ = false;
    const sys::Fd& socket_;
};

// From the guest to the harness, until the guest's end of it is closed.
void pass_out(sys::Fd from, int to_number, Allowance& allowance, Capture& kept) {
    sys::Fd to{to_number};
    std::array<std::byte, piece_bytes> buffer;
    bool read_on = true;
    while (read_on) {
        const Result<std::size_t> n = sys::read_some(from, buffer);
        if (!n || *n == 0) break;
        kept.add(text_of(std::span{buffer}.first(*n)));
        const std::size_t passing = allowance.take(*n);
        // A harness that does not want more is what a closed pipe is: the guest gets to know it when it writes on.
        if (passing > 0) read_on = sys::write_all(to, text_of(std::span{buffer}.first(passing))).has_value();
    }
    (void)to.release();
}

// From the harness to the guest, until either has enough.
void pass_in(sys::Fd to, const sys::Fd& over) {
    sys::Fd from{0};
    std::array<std::byte, piece_bytes> buffer;
    for (;;) {
        pollfd fds[] = {{from.get(), POLLIN, 0}, {over.get(), POLLIN, 0}, {to.get(), 0, 0}};
        if (::poll(fds, 3, -1) < 0) continue;
        if (fds[1].revents != 0 || (fds[2].revents & POLLERR) != 0) break;
        const Result<std::size_t> n = sys::read_some(from, buffer);
        if (!n || *n == 0 || !sys::write_all(to, text_of(std::span{buffer}.first(*n)))) break;
    }
    (void)from.release();
}

Result<GuestOrder> packed(const std::vector<std::string>& command, const model::Limits& asked) {
    GuestOrder order;
    std::memset(&order, 0, sizeof order);
    order.limits = asked;
    std::string bytes;
    for (const std::string& word : command) bytes.append(word).push_back('\0');
    if (bytes.size() > sizeof order.command) return Error{Fault::too_large, "the command is longer than 48 KiB"};
    order.command_bytes = static_cast<std::uint32_t>(bytes.size());
    bytes.copy(order.command, bytes.size());
    return order;
}

}  // namespace

int guest_exit_code(const model::Outcome& outcome) {
    if (outcome.cpu_exceeded || outcome.wall_exceeded || outcome.oom_killed || outcome.output_exceeded || !outcome.started) return exit_limit;
    constexpr int first_signal = 128;
    return outcome.signal ? first_signal + *outcome.signal : outcome.exit_code.value_or(exit_limit);
}

Result<GuestResult> run_guest(const std::string& path, const std::vector<std::string>& command, const model::Limits& asked) {
    sys::ignore_broken_pipes();
    ASSAY_TRY(const GuestOrder order, packed(command, asked));
    ASSAY_TRY(const sys::Fd socket, connect_to(path));
    ASSAY_CHECK(sys::send_message(socket, std::as_bytes(std::span{&order, 1})));
    ASSAY_TRY(auto over, sys::make_pipe());

    std::unique_ptr<Allowance> allowance;
    std::array<Capture, 2> kept{Capture{kept_max}, Capture{kept_max}};
    std::vector<std::thread> threads;
    const auto join = [&] {
        over.second.reset();
        for (std::thread& thread : threads) thread.join();
    };
    for (;;) {
        Result<Received<FromKeeper>> answer = receive<FromKeeper>(socket);
        if (!answer) {
            join();
            return answer.take_error();
        }
        FromKeeper& message = answer->message;
        std::vector<sys::Fd>& ends = answer->descriptors;
        if (message.kind == FromKeeper::Kind::started && ends.size() == 3 && threads.empty()) {
            allowance = std::make_unique<Allowance>(message.limits.output_bytes, socket);
            threads.emplace_back([&, end = std::move(ends[0])]() mutable { pass_out(std::move(end), 1, *allowance, kept[0]); });
            threads.emplace_back([&, end = std::move(ends[1])]() mutable { pass_out(std::move(end), 2, *allowance, kept[1]); });
            threads.emplace_back([&, end = std::move(ends[2])]() mutable { pass_in(std::move(end), over.first); });
            continue;
        }
        if (message.kind != FromKeeper::Kind::finished) continue;
        join();
        if (message.failed != 0) return Error{Fault::busy, std::string{message.fault.view()}};
        GuestResult result{.outcome = outcome_of(message)};
        result.outcome.output_exceeded = allowance && allowance->exceeded();
        result.outcome.output = std::move(kept[0]).take();
        result.outcome.errors = std::move(kept[1]).take();
        return result;
    }
}

}  // namespace assay::sandbox
