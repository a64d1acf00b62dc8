// /assay/run, inside the trusted sandbox: one poll for all directions, and no call that waits beside it, so that none of them
// holds another up. Only the harness can make one of them wait, and then the guest's own limits end it.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <memory>

#include "sandbox/capture.hh"
#include "sandbox/guests.hh"
#include "sys/error.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t piece_bytes = 64 << 10;
// Of each stream, for the report: escaped as JSON and all, that fits into a pipe which nobody reads yet.
constexpr std::size_t kept_max = 4 << 10;

bool later(ssize_t done) { return done < 0 && (errno == EAGAIN || errno == EINTR); }

// A stream that the harness gave us. Its flags are the harness's as well and stay as they are; still no call waits for it.
class Outside {
public:
    Outside(int number, int access) : number_{number} {
        struct stat info{};
        if (::fstat(number, &info) != 0) return;
        socket_ = S_ISSOCK(info.st_mode);
        fifo_ = S_ISFIFO(info.st_mode);
        // Opened anew a pipe has flags that are ours alone.
        if (fifo_)
            own_ =
                sys::Fd{::open(("/proc/self/fd/" + std::to_string(number)).c_str(), access | O_NONBLOCK | O_CLOEXEC)};
    }
    int get() const { return own_ ? own_.get() : number_; }
    ssize_t read(std::span<char> into) const {
        if (socket_) return ::recv(number_, into.data(), into.size(), MSG_DONTWAIT);
        return ready(POLLIN) ? ::read(get(), into.data(), into.size()) : -1;
    }
    ssize_t write(std::string_view text) const {
        if (socket_) return ::send(number_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (fifo_ && !own_) text = text.substr(0, PIPE_BUF);  // What a pipe that is ready takes without waiting.
        return ready(POLLOUT) ? ::write(get(), text.data(), text.size()) : -1;
    }

private:
    bool ready(short what) const {
        if (own_) return true;
        pollfd watched{number_, what, 0};
        const bool now = ::poll(&watched, 1, 0) > 0;
        errno = EAGAIN;  // Read when it is not.
        return now;
    }
    int number_;
    sys::Fd own_;
    bool socket_ = false;
    bool fifo_ = false;
};

class Piece {
public:
    bool empty() const { return at_ == end_; }
    std::span<char> space() { return {bytes_.get(), piece_bytes}; }
    void filled(std::size_t size) { at_ = 0, end_ = size; }
    std::string_view left() const { return {bytes_.get() + at_, end_ - at_}; }
    void passed(std::size_t size) { at_ += size; }

private:
    std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(piece_bytes);
    std::size_t at_ = 0, end_ = 0;
};

// What both output streams may still print together.
class Allowance {
public:
    Allowance(std::int64_t bytes, const sys::Fd& socket) : left_{bytes}, socket_{socket} {}
    // How much of `size` may pass. The first time that it is not all, the guest's end is asked for.
    std::size_t take(std::size_t size) {
        const auto passing = static_cast<std::size_t>(std::min(left_, static_cast<std::int64_t>(size)));
        left_ -= static_cast<std::int64_t>(passing);
        if (passing < size && !std::exchange(exceeded_, true))
            (void)sys::send_message(socket_, bytes_of(std::string_view{"!"}));
        return passing;
    }
    bool exceeded() const { return exceeded_; }

private:
    std::int64_t left_;
    bool exceeded_ = false;
    const sys::Fd& socket_;
};

// From the guest to the harness, until the guest's end of it is closed.
class Output {
public:
    Output(sys::Fd from, int to) : from_{std::move(from)}, to_{to, O_WRONLY} {
        (void)::fcntl(from_.get(), F_SETFL, O_NONBLOCK);
    }
    bool over() const { return !from_; }
    pollfd waits_for() const {
        return piece_.empty() || over() ? pollfd{from_.get(), POLLIN, 0} : pollfd{to_.get(), POLLOUT, 0};
    }
    void step(Allowance& allowance) {
        if (over()) return;
        if (piece_.empty()) {
            const ssize_t n = ::read(from_.get(), piece_.space().data(), piece_bytes);
            if (later(n)) return;
            if (n <= 0) return from_.reset();
            const auto size = static_cast<std::size_t>(n);
            kept_.add({piece_.space().data(), size});
            piece_.filled(allowance.take(size));
            if (piece_.empty()) return;
        }
        const ssize_t n = to_.write(piece_.left());
        if (n >= 0) piece_.passed(static_cast<std::size_t>(n));
        else if (!later(n)) from_.reset();  // What the harness does not want, the guest learns when it writes on.
    }
    model::Captured kept() && { return std::move(kept_).take(); }

private:
    sys::Fd from_;
    Outside to_;
    Piece piece_;
    Capture kept_{kept_max};
};

// From the harness to the guest, until either has enough.
class Input {
public:
    explicit Input(sys::Fd to) : from_{STDIN_FILENO, O_RDONLY}, to_{std::move(to)} {
        (void)::fcntl(to_.get(), F_SETFL, O_NONBLOCK);
    }
    void end() { to_.reset(); }
    // Before it waits it must have seen that there is nothing: that a named pipe's writers are gone, poll does not say to who came later.
    bool eager() const { return to_ && piece_.empty() && !drained_; }
    pollfd waits_for() const {
        return piece_.empty() && to_ ? pollfd{from_.get(), POLLIN, 0} : pollfd{to_.get(), POLLOUT, 0};
    }
    pollfd unwanted() const { return {to_.get(), 0, 0}; }  // POLLERR: the guest has closed it
    void step() {
        if (!to_) return;
        if (piece_.empty()) {
            const ssize_t n = from_.read(piece_.space());
            drained_ = later(n);
            if (drained_) return;
            if (n <= 0) return end();
            piece_.filled(static_cast<std::size_t>(n));
        }
        const std::string_view left = piece_.left();
        const ssize_t n = ::write(to_.get(), left.data(), left.size());
        if (n >= 0) piece_.passed(static_cast<std::size_t>(n));
        else if (!later(n)) end();
    }

private:
    Outside from_;
    sys::Fd to_;
    Piece piece_;
    bool drained_ = false;
};

struct Streams {
    Streams(std::vector<sys::Fd> ends, std::int64_t output_bytes, const sys::Fd& socket)
        : out{std::move(ends[0]), STDOUT_FILENO},
          err{std::move(ends[1]), STDERR_FILENO},
          in{std::move(ends[2])},
          allowance{output_bytes, socket} {}
    Output out, err;
    Input in;
    Allowance allowance;
};

Result<sys::Fd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Error{Fault::invalid, "the socket's path is too long"};
    path.copy(address.sun_path, path.size());
    sys::Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (!socket) return sys::last_error("socket", path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return sys::last_error("connect", path);
    return socket;
}

Result<> send_order(const sys::Fd& socket, const std::vector<std::string>& command, const model::Limits& asked) {
    GuestOrder order;
    std::memset(&order, 0, offsetof(GuestOrder, command));
    order.limits = asked;
    std::size_t size = 0;
    for (const std::string& word : command) {
        if (size + word.size() + 1 > sizeof order.command)
            return Error{Fault::too_large, "the command is longer than 48 KiB"};
        std::memcpy(order.command + size, word.c_str(), word.size() + 1);
        size += word.size() + 1;
    }
    order.command_bytes = static_cast<std::uint32_t>(size);
    return sys::send_message(socket, std::as_bytes(std::span{&order, 1}).first(offsetof(GuestOrder, command) + size));
}

// A stream that is closed would otherwise get the number of one of ours.
void fill_streams() {
    for (int fd = 0; fd >= 0 && fd <= STDERR_FILENO;) {
        fd = ::open("/dev/null", O_RDWR);
        if (fd > STDERR_FILENO) ::close(fd);
    }
}

}  // namespace

int guest_exit_code(const model::Outcome& outcome) {
    if (outcome.cpu_exceeded || outcome.wall_exceeded || outcome.oom_killed || outcome.output_exceeded || outcome.io_exceeded || !outcome.started) return exit_limit;
    constexpr int first_signal = 128;
    return outcome.signal ? first_signal + *outcome.signal : outcome.exit_code.value_or(exit_limit);
}

bool guest_says(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(descriptor, text.data(), text.size());
        if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR) return false;
    }
    return true;
}

Result<GuestResult> run_guest(const std::string& path, const std::vector<std::string>& command, const model::Limits& asked) {
    ::signal(SIGPIPE, SIG_IGN);
    fill_streams();
    ASSAY_TRY(const sys::Fd socket, connect_to(path));
    ASSAY_CHECK(send_order(socket, command, asked));

    std::unique_ptr<Streams> streams;
    std::optional<Result<FromKeeper>> end;
    while (!end || (streams && !(streams->out.over() && streams->err.over()))) {
        pollfd fds[] = {{end ? -1 : socket.get(), POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};
        if (streams) {
            fds[1] = streams->out.waits_for();
            fds[2] = streams->err.waits_for();
            fds[3] = streams->in.waits_for();
            fds[4] = streams->in.unwanted();
        }
        const bool eager = streams && streams->in.eager();
        if (::poll(fds, std::size(fds), eager ? 0 : -1) < 0) continue;  // Only EINTR is possible.
        if (streams) {
            if (fds[1].revents != 0) streams->out.step(streams->allowance);
            if (fds[2].revents != 0) streams->err.step(streams->allowance);
            if ((fds[4].revents & POLLERR) != 0) streams->in.end();
            else if (eager || fds[3].revents != 0) streams->in.step();
        }
        if (fds[0].revents == 0) continue;
        Result<Received<FromKeeper>> answer = receive<FromKeeper>(socket);
        if (!answer) end = answer.take_error();
        else if (answer->message.kind == FromKeeper::Kind::finished) end = answer->message;
        else if (answer->message.kind == FromKeeper::Kind::started && answer->descriptors.size() == 3 && !streams) {
            streams =
                std::make_unique<Streams>(std::move(answer->descriptors), answer->message.limits.output_bytes, socket);
        }
        if (end && streams) streams->in.end();
    }
    if (!*end) return end->take_error();
    const FromKeeper& message = **end;
    if (message.failed != 0) return Error{Fault::busy, std::string{message.fault.view()}};
    GuestResult result{.outcome = outcome_of(message)};
    if (!streams) return result;
    result.outcome.output_exceeded = streams->allowance.exceeded();
    result.outcome.output = std::move(streams->out).kept();
    result.outcome.errors = std::move(streams->err).kept();
    return result;
}

}  // namespace assay::sandbox
