// Watching one process of a sandbox until it ends or must be ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "sandbox/cgroup.hh"
#include "sandbox/pressure.hh"
#include "sandbox/process.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// When to look again, so that a limit is passed by as little as possible and nothing is polled: the earliest moment at which
// the CPU limit or the wall limit can be reached. nullopt: one of them has been. What a core is charged with is late by up to a tick, so
// the first look near the CPU limit is earlier by as much; from there on (`is_near`) the account is to be settled before it is read.
// What a device transfers has no such moment and no event: with a limit on it the group's counter is looked at every `io_look`.
struct TimeLimits {
    std::int64_t cpu_ns = 0;  // of the tree
    std::int64_t wall_ns = 0;
    int cores = 1;  // that can burn CPU at once, >= 1
    std::int64_t io_bytes = 0;  // 0: no bound
};
constexpr auto io_look = std::chrono::milliseconds{20};
enum class TimeOut { cpu, wall };
struct NextLook {
    std::optional<TimeOut> over;
    std::chrono::nanoseconds wait{};
};
bool is_near(const TimeLimits&, std::int64_t cpu_used_ns);
NextLook next_look(const TimeLimits&, std::int64_t cpu_used_ns, std::int64_t wall_used_ns);

// Why a watched process was, or must be, ended.
enum class End { itself, cpu, wall, io, oom, output, cancelled, abandoned, init_died };

struct Watched {
    const Spawned& process;  // not reaped by anybody else
    const sys::Fd& init;  // pidfd
    const sys::Fd& socket;  // the client's; a message asks for an end, closing abandons
    const sys::Fd& life;  // closing: the helper is gone
    int oom;  // eventfd or -1
};

// What else is done meanwhile; each may be empty.
struct Meanwhile {
    std::function<void(sys::Fd)>
        open_guest;  // takes the sockets of `open_guest` messages; without it such a message abandons, as
    // every order that does not belong here
    std::function<void()> lasting;  // called once, when it has run for `lasting_after`
};
// What is over sooner was stalled for no longer than is ignored.
constexpr auto lasting_after = std::chrono::microseconds{stall_us_ignored};

// Makes the process keep SIGCHLD until somebody asks for it, as `watch` does. What it executes inherits that, and has to take it back.
void hold_back_deaths();
// Those so far. Before a command is watched, so that it is not looked at for the death of the sandbox before.
void forget_deaths();

struct Watch {
    End end;
    std::optional<Ending> ending;  // of a process that ended by itself, where that is known already
};

// Returns when the process ended by itself or for the reason that it must be ended; ends nothing.
// `started` is when its wall time began, `cpu_base_ns` the group's CPU then. With `lasting`, the process must be our child, SIGCHLD
// held back, and what else may end it is heard when it has run for `lasting_after`, no sooner.
Watch watch(const Watched&, const TimeLimits&, const Group&, sys::TimePoint started, std::int64_t cpu_base_ns,
            const Meanwhile& = {});

}  // namespace assay::sandbox
