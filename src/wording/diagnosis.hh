// What `assay why` says of processes: causes, evidence, what speaks against them, and what to do. Pure.
#pragma once

#include <span>
#include <string>

#include "wording/wording.hh"

namespace assay::wording {

constexpr std::size_t diagnosis_arguments_max = 6;

enum class Diagnosis : unsigned char {
    // Summaries: {0} who, a process or thread by name and number
    is_ended,             // {1} how
    is_stopped,           // {1} by what
    is_killed_for_memory, // {1} the worker, {2} the group
    is_crashed,           // {1} the worker, {2} how it ended
    is_storage_hang,      // {1} the object, {2} the kind of file system
    is_fork_lock,         // {1} the lock, {2} its owner
    is_deadlock,          // {1} the cycle
    is_descriptor_limit,  // {1} in use, {2} allowed
    is_process_limit,     // {1} in use, {2} allowed, {3} the group
    is_disk_full,         // {1} the file system
    is_memory_thrash,     // {1} in use, {2} allowed
    is_throttled,         // {1} the quota in CPUs, {2} the group
    is_io_limit,          // {1} the limit
    is_storage_metadata,  // {1} the object, {2} the kind of file system
    is_storage_data,      // the same
    is_oversubscribed,    // {1} runnable, {2} CPUs
    is_neighbour,         // {1} the neighbours
    is_neighbour_unnamed,  // {1} cores
    is_stolen,            // {1} percent
    is_livelock,          // {1} switches a second
    is_spin,
    is_blocked_on_peer,   // {1} the object, {2} the peer
    is_waiting_for_requests,  // {1} the object
    is_sleeping,
    is_busy,              // {1} cores
    is_undecided,
    // Evidence
    saw_cpu,        // {0} cores used, {1} allowed
    saw_delay,      // {0} percent
    saw_runnable,   // {0} threads, {1} CPUs
    saw_throttled,  // {0} of, {1} periods, {2} seconds
    saw_storage,    // {0} thread, {1} percent of the looks, {2} percent of them for a name
    saw_wait,       // {0} thread, {1} call, {2} object
    saw_switches,   // {0} voluntary, {1} forced, a second
    saw_work,       // {0} bytes, {1} calls, a second
    saw_no_work,    // {0} seconds
    saw_faults,     // {0} a second
    saw_memory,     // {0} used, {1} limit, {2} group
    saw_pressure,   // {0} cpu {1} io {2} memory, percent
    saw_ended,      // {0} process, {1} how
    saw_oom,        // {0} how many, {1} group
    saw_space,      // {0} path, {1} bytes free, {2} names free
    saw_neighbour,  // {0} who, {1} cores
    saw_peer,       // {0} who, {1} state
    saw_gap,        // {0} longest, {1} median, seconds
    saw_failed_writes,  // {0} how many
    // Against
    but_silent_work,
    but_pressure_low,  // {0} percent
    but_one_window,    // {0} seconds
    but_peer_unseen,
    but_idle_connection,
    but_owner_memory,
    but_own_threads,
    but_others_run,
    but_nothing,
    // Remedies
    do_collect,        // {0} the parent's pid
    do_continue,       // {0} pid
    do_attach,         // {0} the debugger's pid
    do_thaw,
    do_raise_memory,   // {0} the group
    do_look_at_exit,
    do_storage,        // {0} the object
    do_fork_lock,
    do_deadlock,
    do_raise_descriptors,
    do_raise_processes,  // {0} the group
    do_free_space,       // {0} the file system
    do_less_memory,      // {0} workers
    do_quota,            // {0} workers, {1} cores wanted
    do_raise_io,
    do_metadata,
    do_data,
    do_workers,          // {0} how many
    do_neighbour,
    do_provider,
    do_livelock,
    do_spin,             // {0} pid
    do_peer,             // {0} the peer
    do_nothing,
    do_read_more,
    // Labels of the printed answer
    label_confidence,    // {0} low, medium or high
    label_decided,
    label_awaits,
    label_evidence,
    label_against,
    label_remedy,
    label_unread,
    last_ = label_unread,
};

std::string say(Language, Diagnosis, std::span<const std::string> arguments);

}  // namespace assay::wording
