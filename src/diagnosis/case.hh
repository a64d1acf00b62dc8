// Case: what the rules ask for of what was seen, summed up once; and the rules, one per cause. For this room alone.
//
// A rule is nullopt where its cause is not what holds the tree. Where a signal begins to mean something is a constant beside its rule;
// docs/why.md says what was measured around each.
#pragma once

#include <fmt/format.h>

#include <optional>

#include "base/text.hh"
#include "diagnosis/finding.hh"
#include "diagnosis/observed.hh"
#include "diagnosis/waits.hh"

namespace assay::diagnosis {

using What = wording::Diagnosis;
using Answer = std::optional<Finding>;

constexpr double hang_share_min = 0.95;
constexpr double busy_cpu_min = 0.02;  // cores
constexpr double gap_s_min = 1, gap_of_median_min = 10;
constexpr double quiet_share_min = 0.8;  // of the window without a sign of work
constexpr double delay_share_of_neighbour_min = 0.35;

inline std::string number(double value) { return fmt::format("{:.2f}", value); }
inline std::string percent(double share) { return fmt::format("{:.0f}", share * 100); }
inline double per(double part, double whole) { return whole > 0 ? part / whole : 0; }

// What the rules ask for, of the whole tree.
struct Sums {
    double cpu = 0;  // cores
    double delay_share = 0;
    double runnable = 0;  // threads running or ready at a time
    double storage = 0;  // share of the looks of the thread that waits for storage most
    At storage_at;
    std::int64_t voluntary = 0, forced = 0, major_faults = 0, minor_faults = 0;
    std::optional<std::int64_t> bytes, calls, bytes_written, calls_writing;
    int threads = 0;
};

Sums sums_of(const Observed& seen);

struct Case {
    const Observed& seen;
    const Sums sums;
    std::string who;

    bool no_work() const { return sums.bytes && sums.calls && *sums.bytes == 0 && *sums.calls == 0; }
    bool quiet() const { return seen.gap_longest_s >= quiet_share_min * seen.window_s; }
    double switches_per_s() const { return per(static_cast<double>(sums.voluntary + sums.forced), seen.window_s); }

    Line cpu() const { return {What::saw_cpu, {number(sums.cpu), number(seen.cpus_allowed)}}; }
    Line delay() const { return {What::saw_delay, {percent(sums.delay_share)}}; }
    Line runnable() const { return {What::saw_runnable, {number(sums.runnable), number(seen.cpus_allowed)}}; }
    Line switches() const {
        return {What::saw_switches,
                {fmt::format("{:.0f}", per(static_cast<double>(sums.voluntary), seen.window_s)),
                 fmt::format("{:.0f}", per(static_cast<double>(sums.forced), seen.window_s))}};
    }
    Line work() const {
        if (no_work()) return {What::saw_no_work, {number(seen.window_s)}};
        const double bytes = per(static_cast<double>(sums.bytes.value_or(0)), seen.window_s);
        return {What::saw_work,
                {size_text(static_cast<std::int64_t>(bytes)),
                 fmt::format("{:.0f}", per(static_cast<double>(sums.calls.value_or(0)), seen.window_s))}};
    }
    Line gap() const { return {What::saw_gap, {number(seen.gap_longest_s), number(seen.gap_median_s)}}; }
    Line storage() const {
        const Thread& thread = *sums.storage_at.thread;
        return {What::saw_storage,
                {name_of(sums.storage_at), percent(sums.storage), percent(per(thread.metadata, thread.storage))}};
    }
    std::vector<Line> pressure() const {
        const Group& group = seen.group;
        if (!group.pressure_cpu) return {};
        return {{What::saw_pressure,
                 {percent(*group.pressure_cpu), percent(group.pressure_io.value_or(0)),
                  percent(group.pressure_memory.value_or(0))}}};
    }
    Line one_window() const { return {What::but_one_window, {number(seen.window_s)}}; }

    // Slow, unless it stands still for long and then goes on.
    Class slow() const {
        const bool pauses =
            seen.gap_longest_s >= gap_s_min && seen.gap_longest_s > gap_of_median_min * seen.gap_median_s && !no_work();
        return pauses ? Class::intermittent : Class::slow;
    }
};

// Whether the group's IO limit can be what this waits for: a limit is of a device, and what comes over a network or from a program is on
// none.
inline bool limited(const Case& it, const Awaited& awaited) {
    const std::string_view type = awaited.mount_type;
    return !it.seen.group.io_limits.empty() && !type.starts_with("fuse") && !type.starts_with("nfs");
}

inline Line waits_line(const At& at) {
    return {What::saw_wait, {name_of(at), at.thread->awaited.call, at.thread->awaited.object}};
}

// Held: it does not get on (rules_held.cc).
Answer ended(const Case&);
Answer stopped(const Case&);
Answer lost_worker(const Case&);
Answer storage_hang(const Case&);
Answer deadlock(const Case&);
Answer descriptor_limit(const Case&);
Answer process_limit(const Case&);
Answer disk_full(const Case&);
Answer peer(const Case&);

// Slow: it gets on, or seems to work (rules_slow.cc).
Answer memory_thrash(const Case&);
Answer throttled(const Case&);
Answer storage(const Case&);
Answer livelock(const Case&);
Answer spin(const Case&);
Answer spin_undisturbed(const Case&);
Answer stolen(const Case&);
Answer oversubscribed(const Case&);
Answer neighbour(const Case&);

}  // namespace assay::diagnosis
