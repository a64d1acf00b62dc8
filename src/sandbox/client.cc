// The unprivileged side: packs a request, reads the command's streams while it runs, asks for its end when they exceed their
// limit, and turns the keeper's answer into an Outcome.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/log.hh"
#include "sandbox/capture.hh"
#include "sandbox/command.hh"
#include "sandbox/guests.hh"
#include "sandbox/protocol.hh"
#include "sandbox/sandbox.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto open_time_max = 20s;
constexpr auto close_time_max = 40s;
constexpr auto preparation_time_max = 240s;  // fills, setup and death together, beyond the wall limit
constexpr std::size_t stdin_copy_bytes_max = 64 << 20;
constexpr std::size_t read_bytes = 64 << 10;
constexpr auto stop_look_every = 100ms;      // after `wake` fired once without a stop

// The same file read-only, with a position of its own at the start. Empty when we may not open it again (it was opened by
// someone with more rights).
sys::Fd opened_again(int fd) {
    return sys::Fd{::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC)};
}

Result<std::string> content_of(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) return sys::last_error("fstat", "input");
    if (!S_ISREG(info.st_mode)) return Error{Fault::invalid, "the input is not a regular file"};
    if (info.st_size > static_cast<off_t>(stdin_copy_bytes_max)) return Error{Fault::too_large, "an input that has to be copied is larger than 64 MiB"};
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    for (std::size_t have = 0; have < bytes.size();) {
        const ssize_t n = ::pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
        if (n < 0) return sys::last_error("pread", "input");
        if (n == 0) return Error{Fault::invalid, "the input shrank while it was read"};
        have += static_cast<std::size_t>(n);
    }
    return bytes;
}

// A descriptor for the command to read from: of a file that it cannot open again for writing. Copied when it has to be.
Result<sys::Fd> input_from(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) return sys::last_error("fstat", "input");
    const int seals = ::fcntl(fd, F_GET_SEALS);
    const bool sealed = seals >= 0 && (seals & F_SEAL_WRITE) != 0;
    if (S_ISREG(info.st_mode) && (sealed || (info.st_mode & S_IWOTH) == 0)) {
        if (sys::Fd again = opened_again(fd)) return again;
    }
    ASSAY_TRY(const std::string bytes, content_of(fd));
    ASSAY_TRY(const sys::Fd memory, sys::memory_file("stdin", bytes_of(bytes), true));
    if (sys::Fd again = opened_again(memory.get())) return again;
    return sys::last_error("open", "input");
}

bool has_nul(const std::vector<std::string>& words) {
    return std::ranges::any_of(words, [](const std::string& word) { return word.contains('\0'); });
}

// What goes with an order.
struct Luggage {
    std::vector<sys::Fd> owned;
    std::vector<int> descriptors;
};

// Passes `archive` on with a position of its own where that can be had; the fill starts from offset 0 either way.
void add_archive(Luggage& luggage, int archive) {
    sys::Fd again = opened_again(archive);
    luggage.descriptors.push_back(again ? again.get() : archive);
    if (again) luggage.owned.push_back(std::move(again));
}

// `message` may be one that was used before: it is large, and only what it used of itself is cleared.
Result<Luggage> order_for(const Request& request, ToKeeper& message) {
    const auto wrong = [](const char* what) { return Error{Fault::invalid, std::string{"sandbox request: "} + what}; };
    if (request.command.empty() || request.command.front().empty()) return wrong("no command");
    if (has_nul(request.command) || has_nul(request.environment) || request.directory.contains('\0')) return wrong("a NUL byte in the command");
    const std::size_t used = used_part(message).size();
    std::memset(static_cast<void*>(&message), 0, used);
    Luggage luggage;
    message.kind = ToKeeper::Kind::run;
    message.trusted = request.trust == Trust::trusted;
    message.compiled = request.profile == Profile::compiled;
    message.host_network = request.network == Network::host;
    message.seal = request.seal;
    message.again = request.again;
    message.guests = request.guests.has_value();
    message.disk_scratch = request.scratch == model::Scratch::disk;
    message.limits = request.limits;
    if (!message.stage.set(request.stage)) return wrong("the stage's name is too long");
    if (!message.report.set(request.report)) return wrong("the report's name is too long");

    const std::string fallback = request.trust == Trust::trusted ? "/out" : "/work";
    const std::string bytes = pack_command(request.command, request.environment, request.directory.empty() ? fallback : request.directory);
    if (bytes.size() > command_bytes_max) return wrong("command and environment are longer than 1 MiB");
    ASSAY_TRY(sys::Fd command, place_command(bytes, message.command));
    if (command) {
        luggage.descriptors.push_back(command.get());
        luggage.owned.push_back(std::move(command));
    }
    if (request.stdin_fd >= 0) {
        ASSAY_TRY(sys::Fd input, input_from(request.stdin_fd));
        message.has_stdin = 1;
        luggage.descriptors.push_back(input.get());
        luggage.owned.push_back(std::move(input));
    }
    if (request.submission) {
        message.has_submission = 1;
        if (!message.submission_prefix.set(request.submission->prefix)) return wrong("the prefix is too long");
        add_archive(luggage, request.submission->archive);
    }
    if (request.grader) {
        message.has_grader = 1;
        if (!message.grader_prefix.set(request.grader->prefix)) return wrong("the prefix is too long");
        add_archive(luggage, request.grader->archive);
    }
    if (request.files.size() > files_max) return wrong("more than 32 files");
    message.files_count = static_cast<std::uint32_t>(request.files.size());
    for (std::size_t i = 0; i < request.files.size(); ++i) {
        if (!message.files[i].set(request.files[i])) return wrong("a file's path is too long");
    }
    if (request.binds.size() > binds_max) return wrong("more than 8 binds");
    message.binds_count = static_cast<std::uint32_t>(request.binds.size());
    for (std::size_t i = 0; i < request.binds.size(); ++i) {
        if (!message.binds[i].inside.set(request.binds[i].inside)) return wrong("a bind's inside path is too long");
        message.binds[i].writable = request.binds[i].writable;
        luggage.descriptors.push_back(request.binds[i].directory);
    }
    ASSAY_CHECK(check(message, luggage.descriptors.size(), true));
    return luggage;
}

// One of the command's streams.
struct Stream {
    sys::Fd pipe;
    Capture capture;

    // Reads what is there, at most one buffer. false: nothing there, or it ended.
    bool take(std::array<std::byte, read_bytes>& buffer) {
        if (!pipe) return false;
        Result<std::size_t> n = sys::read_some(pipe, buffer);
        if (!n && n.error().fault() == Fault::busy) return false;
        if (!n || *n == 0) {
            pipe.reset();
            return false;
        }
        capture.add(text_of(std::span{buffer}.first(*n)));
        return true;
    }
};

Result<> ask(const sys::Fd& socket, ToKeeper::Kind kind) {
    ToKeeper message{};
    message.kind = kind;
    return send(socket, message);
}

Result<Received<FromKeeper>> answer_from(const sys::Fd& socket, sys::TimePoint deadline) {
    ASSAY_TRY(const bool there, sys::wait_readable(socket, deadline));
    if (!there) return Error{Fault::timed_out, "the sandbox does not answer"};
    return receive<FromKeeper>(socket);
}

// A sandbox that waits for its command (protocol.hh).
struct Offer {
    FromKeeper terms;
    sys::Fd launcher, out, err;
};

// One that came since the last run: nothing else can have, and it no more than once. What is wrong with the socket, the run will see.
std::optional<Offer> offer_at(const sys::Fd& socket) {
    Received<FromKeeper> came;
    if (!receive(socket, came, false) || came.message.kind != FromKeeper::Kind::offered || came.descriptors.size() != 3)
        return std::nullopt;
    std::vector<sys::Fd>& fds = came.descriptors;
    return Offer{
        .terms = came.message, .launcher = std::move(fds[0]), .out = std::move(fds[1]), .err = std::move(fds[2])};
}

bool serves(const Offer& offer, const Request& request) {
    const model::Limits &has = offer.terms.limits, &wanted = request.limits;
    return request.trust == Trust::untrusted && (request.profile == Profile::compiled) == (offer.terms.compiled != 0) &&
           request.network == Network::none && !request.submission && !request.grader && request.binds.empty() &&
           !request.guests && !request.again && request.scratch == model::Scratch::memory &&
           wanted.memory_bytes == has.memory_bytes && wanted.processes == has.processes &&
           wanted.disk_bytes == has.disk_bytes && wanted.cores == has.cores;
}

// Starts the command in the sandbox that waits: told by us its launcher begins at once, on this processor, and the keeper has its part
// to do meanwhile. false: it is gone.
bool take(const Offer& offer, ToKeeper& message, Luggage& luggage) {
    Assignment assignment;
    assignment.rlimits = offer.terms.rlimits;
    assignment.rlimits.open_files = message.limits.open_files;
    assignment.has_stdin = message.has_stdin;
    assignment.command.size = message.command.size;
    std::memcpy(assignment.command.bytes, message.command.bytes, message.command.size);
    message.taken_ns = sys::system_clock().now().time_since_epoch().count();
    if (!send(offer.launcher, assignment, luggage.descriptors)) return false;
    message.taken = 1;
    message.command.size = 0;
    message.has_stdin = 0;
    luggage.descriptors.clear();
    return true;
}

}  // namespace

struct Job::Inner {
    sys::Fd socket;
    int slot = 0;
    ToKeeper order{};
};

struct Client::Inner {
    sys::Fd socket;
};

Job::Job(std::unique_ptr<Inner> inner) : inner_{std::move(inner)} {}
Job::Job(Job&&) noexcept = default;

Job& Job::operator=(Job&& other) noexcept {
    Job incoming{std::move(other)};
    std::swap(inner_, incoming.inner_);
    return *this;
}

Job::~Job() {
    if (!inner_ || !inner_->socket) return;
    (void)ask(inner_->socket, ToKeeper::Kind::close);
    const sys::TimePoint deadline = sys::system_clock().now() + close_time_max;
    for (;;) {  // The keeper closes its end when nothing is left; an answer that was still on its way is passed over.
        Result<Received<FromKeeper>> last = answer_from(inner_->socket, deadline);
        if (last) continue;
        if (last.error().fault() == Fault::timed_out) log::error("sandbox.leftover", {{"slot", inner_->slot}, {"error", last.error().text()}});
        return;
    }
}

Result<Finished> Job::run(const Request& request, const std::atomic<bool>* stop, int wake_fd) {
    if (!inner_ || !inner_->socket) return Error{Fault::unreachable, "the job's sandbox is gone"};
    const sys::Fd& socket = inner_->socket;
    ToKeeper& order = inner_->order;
    ASSAY_TRY(Luggage luggage, order_for(request, order));
    std::optional<Offer> offer = offer_at(socket);
    const bool taken = offer && serves(*offer, request) && take(*offer, order, luggage);
    ASSAY_CHECK(send(socket, order, luggage.descriptors));
    luggage.owned.clear();

    const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::milliseconds{request.limits.wall_ms} + preparation_time_max;
    std::array<Stream, 2> streams{Stream{{}, Capture{request.output_kept_max}}, Stream{{}, Capture{request.output_kept_max}}};
    std::array<std::byte, read_bytes> buffer;
    std::optional<Guests> guests;  // ends with this run
    bool output_exceeded = false;
    bool cancelled = false;
    bool wake_fired = false;
    const auto over = [&] { return streams[0].capture.bytes() + streams[1].capture.bytes() > request.limits.output_bytes; };

    if (taken) {
        streams[0].pipe = std::move(offer->out);
        streams[1].pipe = std::move(offer->err);
    }

    for (;;) {
        if (stop != nullptr && !cancelled && stop->load()) {
            cancelled = true;
            (void)ask(socket, ToKeeper::Kind::kill_cancelled);
        }
        const bool look_for_stop = wake_fired && !cancelled;
        pollfd fds[] = {{socket.get(), POLLIN, 0},
                        {streams[0].pipe.get(), POLLIN, 0},
                        {streams[1].pipe.get(), POLLIN, 0},
                        {wake_fired ? -1 : wake_fd, POLLIN, 0}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::system_clock().now());
        if (left <= 0ms) {
            inner_->socket.reset();  // The keeper takes that as the order to end everything.
            return Error{Fault::timed_out, "the sandbox did not finish in time"};
        }
        const auto wait = std::min<std::chrono::milliseconds>(left, look_for_stop ? stop_look_every : 60s);
        if (::poll(fds, std::size(fds), static_cast<int>(wait.count())) < 0 && errno != EINTR) return sys::last_error("poll", "sandbox");

        for (std::size_t i = 0; i < 2; ++i) {
            if (fds[i + 1].revents != 0) (void)streams[i].take(buffer);
        }
        if (over() && !output_exceeded) {
            output_exceeded = true;
            (void)ask(socket, ToKeeper::Kind::kill_output);
        }
        if (fds[3].revents != 0) wake_fired = true;
        if (fds[0].revents == 0) continue;

        Result<Received<FromKeeper>> answer = receive<FromKeeper>(socket);
        if (!answer) {
            inner_->socket.reset();
            return answer.take_error().in("run " + request.stage);
        }
        FromKeeper& message = answer->message;
        if (message.kind == FromKeeper::Kind::started && answer->descriptors.size() == (request.guests ? 3U : 2U)) {
            for (std::size_t i = 0; i < 2; ++i) streams[i].pipe = std::move(answer->descriptors[i]);
            if (request.guests) guests.emplace(socket, std::move(answer->descriptors[2]), message.uid, *request.guests, request.limits);
            continue;
        }
        if (message.kind != FromKeeper::Kind::finished) continue;
        if (message.failed != 0 && !cancelled) return Error{Fault::system, "run " + request.stage + ": " + std::string{message.fault.view()}};

        for (std::size_t i = 0; i < 2; ++i) {
            // All writers were dead when this answer was sent, and the streams looked at after it: what is left is in the pipe, which is bounded.
            while (fds[i + 1].revents != 0 && streams[i].take(buffer)) {}
        }
        Finished finished;
        finished.outcome = outcome_of(message);
        finished.outcome.scratch = request.scratch;
        finished.outcome.output_exceeded = output_exceeded || over();
        finished.outcome.cancelled = cancelled;
        if (message.failed != 0) finished.outcome.fault = std::string{message.fault.view()};
        finished.outcome.output = std::move(streams[0].capture).take();
        finished.outcome.errors = std::move(streams[1].capture).take();
        finished.fill_failed = message.fill_failed != 0;
        finished.ahead = taken;
        if (request.files.empty()) {
            if (answer->descriptors.size() == 1) finished.report = std::move(answer->descriptors.front());
            return finished;
        }
        finished.files.resize(request.files.size());
        auto next = answer->descriptors.begin();
        for (std::size_t i = 0; i < request.files.size(); ++i) {
            if ((message.files_there >> i & 1U) != 0 && next != answer->descriptors.end()) finished.files[i] = std::move(*next++);
        }
        return finished;
    }
}

bool Job::prepared(sys::TimePoint deadline) const {
    const Result<bool> offered = sys::wait_readable(inner_->socket, deadline);
    return offered && *offered;
}

Client::Client(sys::Fd socket) : inner_{std::make_shared<Inner>(std::move(socket))} {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

Result<Job> Client::open_job(int slot, std::int64_t memory_max_bytes, std::string_view image) {
    ToHelper order{};
    order.kind = ToHelper::Kind::open_job;
    order.slot = static_cast<std::uint32_t>(slot);
    order.memory_max_bytes = memory_max_bytes;
    if (!order.image.set(image)) return Error{Fault::invalid, "an image is named by its digest, 64 hex digits"};
    ASSAY_TRY(auto connection, sys::socket_pair(sys::PairKind::seqpacket));
    const int passed[] = {connection.second.get()};
    ASSAY_CHECK(send(inner_->socket, order, passed));
    connection.second.reset();
    Result<Received<FromKeeper>> opened = answer_from(connection.first, sys::system_clock().now() + open_time_max);
    if (!opened) return opened.take_error().in("open a sandbox job");
    if (opened->message.image_missing != 0) return Error{Fault::missing, std::string{opened->message.fault.view()}};
    if (opened->message.failed != 0) return Error{Fault::system, "open a sandbox job: " + std::string{opened->message.fault.view()}};
    return Job{std::make_unique<Job::Inner>(std::move(connection.first), slot)};
}

}  // namespace assay::sandbox
