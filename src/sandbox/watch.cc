#include "sandbox/watch.hh"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "sandbox/launch.hh"
#include "sandbox/protocol.hh"

namespace assay::sandbox {
namespace {

constexpr std::int64_t late_ns_max = 10'000'000;  // of what a core is charged with: no kernel's tick is longer

sigset_t death() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    return signals;
}

void wait_for_death(std::chrono::nanoseconds time) {
    const sigset_t signals = death();
    const timespec wait{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
    (void)::sigtimedwait(&signals, nullptr, &wait);
}

// How our child ended, of which SIGCHLD tells sooner than its pidfd. nullopt: time is over, or it was another child.
std::optional<Ending> ending_within(const sys::Fd& child, std::chrono::nanoseconds time) {
    if (std::optional<Ending> ended = ending_of(child)) return ended;
    wait_for_death(time);
    return ending_of(child);
}

}  // namespace

void hold_back_deaths() {
    const sigset_t signals = death();
    (void)::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

void forget_deaths() { wait_for_death({}); }

bool is_near(const TimeLimits& limits, std::int64_t cpu_used_ns) {
    return limits.cpu_ns - cpu_used_ns <= late_ns_max * limits.cores;
}

NextLook next_look(const TimeLimits& limits, std::int64_t cpu_used_ns, std::int64_t wall_used_ns) {
    // What runs is accounted at ticks (but see `settle_account`): a look just before one would otherwise be repeated without end.
    constexpr std::int64_t look_ns_min = 200'000;
    if (cpu_used_ns >= limits.cpu_ns) return {.over = TimeOut::cpu, .wait = {}};
    if (wall_used_ns >= limits.wall_ns) return {.over = TimeOut::wall, .wait = {}};
    std::int64_t cpu_left_ns = (limits.cpu_ns - cpu_used_ns) / limits.cores;
    if (!is_near(limits, cpu_used_ns)) cpu_left_ns -= late_ns_max;
    const std::int64_t wall_left_ns = limits.wall_ns - wall_used_ns;
    return {.over = std::nullopt,
            .wait = std::chrono::nanoseconds{std::min(std::max(cpu_left_ns, look_ns_min), wall_left_ns)}};
}

Watch watch(const Watched& watched, const TimeLimits& limits, const Group& group, sys::TimePoint started,
            std::int64_t cpu_base_ns, const Meanwhile& meanwhile) {
    bool lasting = !meanwhile.lasting;
    std::int64_t cpu_ns = 0;  // At its start it has used nothing.
    const auto used_ns = [&] {
        const std::int64_t known_ns = group.cpu_used_ns() - cpu_base_ns;
        if (!is_near(limits, known_ns)) return known_ns;
        settle_account(watched.process.pid);
        return group.cpu_used_ns() - cpu_base_ns;
    };
    for (;; cpu_ns = used_ns()) {
        const std::int64_t wall_ns = (sys::system_clock().now() - started).count();
        NextLook look = next_look(limits, cpu_ns, wall_ns);
        if (limits.io_bytes > 0) {
            const std::optional<Group::Io> io = group.io();
            if (io && io->read_bytes + io->write_bytes > limits.io_bytes) return {End::io, {}};
            if (io) look.wait = std::min<std::chrono::nanoseconds>(look.wait, io_look);
        }
        pollfd fds[] = {
            {watched.process.pidfd.get(), POLLIN, 0},
            {watched.init.get(), POLLIN, 0},
            {watched.socket.get(), POLLIN, 0},
            {watched.life.get(), POLLIN, 0},
            {watched.oom, POLLIN, 0},  // -1 is passed over
        };
        const std::chrono::nanoseconds brief = lasting_after - std::chrono::nanoseconds{wall_ns};
        if (!lasting && brief.count() <= 0) {
            lasting = true;
            meanwhile.lasting();
        }
        // Most are over at once, and what else may come has time until then.
        if (!lasting) {
            if (std::optional<Ending> ended = ending_within(watched.process.pidfd, std::min(look.wait, brief)))
                return {End::itself, ended};
            look.wait = {};
        }
        const std::int64_t wait_ns = look.wait.count();
        const timespec wait{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
        if (::ppoll(fds, std::size(fds), &wait, nullptr) < 0 && errno != EINTR) return {End::abandoned, {}};

        if (fds[0].revents != 0) return {End::itself, {}};
        if (fds[4].revents != 0) return {End::oom, {}};
        if (fds[3].revents != 0) return {End::abandoned, {}};
        if (fds[2].revents != 0) {
            Result<Received<ToKeeper>> asked = receive<ToKeeper>(watched.socket);
            if (!asked || asked->message.kind == ToKeeper::Kind::close) return {End::abandoned, {}};
            if (asked->message.kind == ToKeeper::Kind::open_guest && meanwhile.open_guest &&
                asked->descriptors.size() == 1) {
                meanwhile.open_guest(std::move(asked->descriptors.front()));
                continue;
            }
            if (asked->message.kind == ToKeeper::Kind::kill_output) return {End::output, {}};
            if (asked->message.kind == ToKeeper::Kind::kill_cancelled) return {End::cancelled, {}};
            return {End::abandoned, {}};  // A second order while one runs: not our client.
        }
        if (fds[1].revents != 0) return {End::init_died, {}};
        if (look.over) return {*look.over == TimeOut::cpu ? End::cpu : End::wall, {}};
    }
}

}  // namespace assay::sandbox
