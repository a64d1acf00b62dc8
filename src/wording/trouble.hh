// Troubles: the causes that `assay why --at`, `--last` and alarms name for a machine that stalled, and the figures that show them. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "wording/wording.hh"

namespace assay::wording {

// The closed list; `to_string` gives the enumerator's own spelling. In the order in which one is the root of another.
enum class Trouble : std::uint8_t {
    blackout,
    clock_jump,
    steal,
    memory_thrash,
    job_at_limit,
    cache_refill,
    disk_full,
    disk_writer,
    disk_reader,
    nfs_slow,
    fsync_convoy,
    disk_slow,
    cgroup_throttled,
    cpu_starved,
    core_pinned,
    commit_stalled,
    accept_queue_full,
    descriptors_gone,
    slow_clients,
    runner_lost,
    image_missing,
    server_stopped,
    own_bug,
    last_ = own_bug,
};
std::string_view to_string(Trouble);

enum class Figure : std::uint8_t {
    refaults_per_s,
    memory_full,
    io_full,
    available,
    disk_busy,
    written_per_s,
    read_per_s,
    disk_wait_ms,
    disk_requests_per_s,
    flush_ms,
    cpu_some,
    steal,
    core_busiest,
    throttled,
    loop_lag_ms,
    late_ms,
    told_age_ms,
    commit_ms,
    listen_overflows,
    open_files,
    uploads,
    connections,
    gap_s,
    stopped_s,
    clock_step_s,
    jobs_running,
    limit_hits,
    oom_kills,
    waits_in_d,
    last_ = waits_in_d,
};
std::string_view to_string(Figure);

std::string summary(Language, Trouble);
std::string remedy(Language, Trouble);
std::string label(Language, Figure);

enum class TroubleLine : std::uint8_t {
    evidence,  // {0} label, {1} worst value, {2} its time, {3} usual value before
    d_state,  // {0} task, {1} where, {2} how many frames
    slow_request,  // {0} route, {1} ms
    offender,  // {0} who, {1} how much
    victims,  // {0} who
    against_share,  // {0} percent of the time in which it was seen
    against_nobody,  // no offender was recorded
    nothing_against,
    calm,  // {0} from, {1} to: nothing stalled
    calm_advice,
    unread,  // {0} sections
    last_ = unread,
};
std::string say(Language, TroubleLine, std::span<const std::string> arguments);

}  // namespace assay::wording
