#include "sandbox/guests.hh"

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/assert.hh"
#include "base/log.hh"
#include "base/text.hh"
#include "sandbox/command.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto order_time_max = 10s;         // from connecting to the whole order
constexpr auto open_time_max = 20s;
constexpr auto preparation_time_max = 60s;   // of a guest, and its death, beyond its wall limit
constexpr std::size_t order_head_bytes = offsetof(GuestOrder, command);

std::int64_t least(std::int64_t asked, std::int64_t stage) { return asked < 0 ? stage : std::min(asked, stage); }

void refuse(const sys::Fd& connection, std::string_view why) {
    FromKeeper answer{};
    answer.kind = FromKeeper::Kind::finished;
    answer.failed = 1;
    answer.fault.set_cut(why);
    (void)send(connection, answer);
}

void ask(const sys::Fd& keeper, ToKeeper::Kind kind) {
    ToKeeper message{};
    message.kind = kind;
    (void)send(keeper, message);
}

}  // namespace

Result<std::vector<std::string>> arguments_of(const GuestOrder& order) {
    const std::size_t size = order.command_bytes;
    if (size < 2 || size > sizeof order.command || order.command[size - 1] != '\0') return Error{Fault::invalid, "the command is damaged"};
    std::vector<std::string> arguments;
    for (const std::string_view word : split(std::string_view{order.command, size - 1}, '\0')) arguments.emplace_back(word);
    if (arguments.front().empty()) return Error{Fault::invalid, "there is no command"};
    return arguments;
}

model::Limits guest_limits(const model::Limits& asked, const model::Limits& stage) {
    model::Limits limits;
    limits.cpu_ms = least(asked.cpu_ms, stage.cpu_ms);
    limits.wall_ms = least(asked.wall_ms, stage.wall_ms);
    limits.memory_bytes = least(asked.memory_bytes, stage.memory_bytes);
    limits.processes = least(asked.processes, stage.processes);
    limits.output_bytes = least(asked.output_bytes, stage.output_bytes);
    limits.open_files = least(asked.open_files, stage.open_files);
    limits.cores = stage.cores;
    limits.io_bytes = stage.io_bytes;
    // Who asks for less memory and says nothing of disk has less of it as well.
    const std::int64_t disk = limits.memory_bytes < stage.memory_bytes ? std::min(stage.disk_bytes, limits.memory_bytes / 4) : stage.disk_bytes;
    limits.disk_bytes = asked.disk_bytes < 0 ? disk : std::min(asked.disk_bytes, stage.disk_bytes);
    return limits;
}

Guests::Guests(const sys::Fd& job, sys::Fd listening, std::uint32_t uid, const GuestRules& rules, const model::Limits& limits)
    : job_{job}, listening_{std::move(listening)}, uid_{uid}, rules_{rules}, limits_{limits} {
    auto pipe = sys::make_pipe();
    if (!pipe) {  // Nobody is served then: the stage's grader learns that nobody answers.
        log::error("sandbox.no_guests", {{"error", pipe.error().text()}});
        return;
    }
    stopped_ = std::move(pipe->first);
    stop_ = std::move(pipe->second);
    for (std::thread& thread : threads_) thread = std::thread{[this] { work(); }};
}

Guests::~Guests() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    freed_.notify_all();
    stop_.reset();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

// nullopt: all is to end. One seat waits at a time, for a connection would wake all that wait, one after the other and before whoever connects.
std::optional<sys::Accepted> Guests::next_connection() {
    const std::lock_guard lock{door_};
    for (;;) {
        pollfd fds[] = {{stopped_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) continue;  // Only EINTR is possible.
        if (fds[0].revents != 0) return std::nullopt;
        auto accepted = sys::accept_one(listening_);
        if (!accepted) return std::nullopt;
        if (*accepted) return std::move(**accepted);
    }
}

void Guests::work() {
    while (const std::optional<sys::Accepted> accepted = next_connection()) {
        if (!accepted->credentials || accepted->credentials->uid != uid_) {
            refuse(accepted->socket, "only the stage itself may ask");
            continue;
        }
        Seat& seat = take_seat();
        serve(seat, accepted->socket);
        give_back(seat);
        open_ahead();
    }
}

// The one whose keeper had the longest time to build its next sandbox; a closed one when no other is free.
Guests::Seat& Guests::take_seat() {
    const std::lock_guard lock{mutex_};
    Seat* best = nullptr;
    for (Seat& seat : seats_) {
        if (seat.taken) continue;
        const auto rank = [](const Seat& s) { return std::pair{!s.keeper, s.last_run}; };
        if (best == nullptr || rank(seat) < rank(*best)) best = &seat;
    }
    ASSAY_ASSERT(best != nullptr);  // There are as many as threads.
    best->taken = true;
    best->last_run = ++runs_;
    return *best;
}

void Guests::give_back(Seat& seat) {
    const std::lock_guard lock{mutex_};
    seat.taken = false;
}

// A harness that has asked twice will ask again: one sandbox for it is built while another is in use.
void Guests::open_ahead() {
    Seat* closed = nullptr;
    {
        const std::lock_guard lock{mutex_};
        if (stopping_ || runs_ != 2 || seats_[1].taken || seats_[1].keeper) return;
        closed = &seats_[1];
        closed->taken = true;
    }
    (void)open(*closed);  // An order will meet the same, and be told.
    give_back(*closed);
}

bool Guests::take_memory(std::int64_t bytes) {
    std::unique_lock lock{mutex_};
    freed_.wait(lock, [&] { return stopping_ || memory_used_ + bytes <= limits_.memory_bytes; });
    if (stopping_) return false;
    memory_used_ += bytes;
    return true;
}

void Guests::give_memory(std::int64_t bytes) {
    {
        const std::lock_guard lock{mutex_};
        memory_used_ -= bytes;
    }
    freed_.notify_all();
}

Result<> Guests::open(Seat& seat) {
    if (seat.keeper) return ok;
    ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::seqpacket));
    ToKeeper message{};
    message.kind = ToKeeper::Kind::open_guest;
    const int passed[] = {pair.second.get()};
    ASSAY_CHECK(send(job_, message, passed));
    pair.second.reset();
    ASSAY_TRY(const bool there, sys::wait_readable(pair.first, sys::system_clock().now() + open_time_max));
    if (!there) return Error{Fault::timed_out, "the sandbox does not answer"};
    ASSAY_TRY(const Received<FromKeeper> opened, receive<FromKeeper>(pair.first));
    if (opened.message.failed != 0) return Error{Fault::system, std::string{opened.message.fault.view()}};
    seat.keeper = std::move(pair.first);
    return ok;
}

Result<ToKeeper> Guests::order_of(const GuestOrder& asked, sys::Fd& command) {
    {
        const std::lock_guard lock{mutex_};
        if (runs_ > guest_runs_max) return Error{Fault::busy, "a stage runs at most 10,000 commands"};
    }
    ASSAY_TRY(const std::vector<std::string> arguments, arguments_of(asked));
    const std::string bytes = pack_command(arguments, rules_.environment, "/work");
    ToKeeper order{};
    ASSAY_TRY(command, place_command(bytes, order.command));
    order.kind = ToKeeper::Kind::run;
    order.stdin_pipe = 1;
    order.limits = guest_limits(asked.limits, limits_);
    (void)order.stage.set("guest");
    ASSAY_CHECK(check(order, command ? 1 : 0, false));
    return order;
}

void Guests::serve(Seat& seat, const sys::Fd& connection) {
    const int both[] = {stopped_.get(), connection.get()};
    const auto ready = sys::wait_any(both, sys::system_clock().now() + order_time_max);
    if (!ready || (*ready)[0] || !(*ready)[1]) return refuse(connection, "no order came");
    const auto asked = std::make_unique_for_overwrite<GuestOrder>();
    const auto got = sys::receive_message(connection, std::as_writable_bytes(std::span{asked.get(), 1}));
    if (!got || got->size == 0) return;
    if (got->size < order_head_bytes || got->size != order_head_bytes + asked->command_bytes)
        return refuse(connection, "the order has the wrong size");
    sys::Fd command;
    const Result<ToKeeper> order = order_of(*asked, command);
    if (!order) return refuse(connection, order.error().text());

    if (!take_memory(order->limits.memory_bytes)) return refuse(connection, "the stage has ended");
    const struct Returned {
        Guests& guests;
        std::int64_t bytes;
        ~Returned() { guests.give_memory(bytes); }
    } returned{*this, order->limits.memory_bytes};
    if (const Result<> opened = open(seat); !opened) return refuse(connection, opened.error().text());
    const int passed[] = {command.get()};
    if (!send(seat.keeper, *order, std::span{passed}.first(command ? 1 : 0))) {
        seat.keeper.reset();
        return refuse(connection, "the stage has ended");
    }

    const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::milliseconds{order->limits.wall_ms} + preparation_time_max;
    bool cancelled = false;
    for (;;) {
        pollfd fds[] = {{seat.keeper.get(), POLLIN, 0}, {cancelled ? -1 : connection.get(), POLLIN, 0}, {cancelled ? -1 : stopped_.get(), POLLIN, 0}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::system_clock().now());
        if (left <= 0ms) {
            seat.keeper.reset();  // Its keeper takes that as the order to end everything.
            return refuse(connection, "the sandbox did not finish in time");
        }
        if (::poll(fds, std::size(fds), static_cast<int>(std::min<std::chrono::milliseconds>(left, 60s).count())) <= 0) continue;
        if (fds[2].revents != 0) {
            cancelled = true;
            ask(seat.keeper, ToKeeper::Kind::kill_cancelled);
        } else if (fds[1].revents != 0) {
            std::byte word[1];
            const auto said = sys::receive_message(connection, word);
            cancelled = !said || said->size == 0;
            ask(seat.keeper, cancelled ? ToKeeper::Kind::kill_cancelled : ToKeeper::Kind::kill_output);
        }
        if (fds[0].revents == 0) continue;
        Result<Received<FromKeeper>> answer = receive<FromKeeper>(seat.keeper);
        if (!answer) {
            seat.keeper.reset();
            return refuse(connection, "the stage has ended");
        }
        std::vector<int> ends;
        for (const sys::Fd& end : answer->descriptors) ends.push_back(end.get());
        (void)send(connection, answer->message, ends);
        if (answer->message.kind == FromKeeper::Kind::finished) return;
    }
}

}  // namespace assay::sandbox
