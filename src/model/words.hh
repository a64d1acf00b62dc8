// The closed sets of words that are spelled alike in C++, SQL, JSON, metrics and on pages.
//
// Each enumeration has `to_string` (the enumerator's own spelling) and `parse<E>` (nullopt for any other text).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace assay::model {

// The whole life of a submission. Anything not listed is a bug, not a case.
//   queued <-> running -> graded        queued <-> held
//   queued, running, held -> cancelled  queued <-> superseded (back by staff only)
enum class State : std::uint8_t { queued, running, graded, held, cancelled, superseded };

constexpr bool can_move(State from, State to) {
    switch (from) {  // No default: -Wswitch tells us about a new state.
        case State::queued:
            return to == State::running || to == State::held || to == State::cancelled || to == State::superseded;
        case State::running: return to == State::graded || to == State::queued || to == State::cancelled;
        case State::held: return to == State::queued || to == State::cancelled;
        case State::superseded: return to == State::queued;
        case State::graded: case State::cancelled: return false;
    }
    return false;
}
static_assert(can_move(State::running, State::queued));     // A lost runner gives work back.
static_assert(!can_move(State::graded, State::queued));     // A rejudge makes a new generation instead.
static_assert(!can_move(State::running, State::superseded));  // Only what waits can be replaced,
static_assert(!can_move(State::held, State::superseded));     // and never what staff hold.

// Of a stage or test, in the order in which the first that applies wins; of a submission as well.
enum class Verdict : std::uint8_t {
    system_fault, grader_fault, memory_limit, time_limit, wall_limit, output_limit, io_limit, forbidden, crashed,
    process_limit, disk_limit, build_failed, failed, passed,
};

// Why something waits.
enum class Reason : std::uint8_t {
    slot, fair_share, pressure, disk_reserve, image, runner_lost, retry, held_by_staff, module_paused, grader_broken,
    submissions_used, resources, no_runner, drain,
};

// Why an upload was not accepted.
enum class Refusal : std::uint8_t {
    method, missing_field, bad_token, wrong_course, unknown_course, unknown_module, not_open, closed, too_large, empty,
    not_an_archive, format, damaged, unsafe, too_many_entries, unpacks_too_large, required_missing, digest_mismatch, rate,
    busy, disk_full, shutting_down, internal,
};

// Evidence for a reason to wait (WaitDetail says it whole). Of runner_lost this word is what the job's row keeps.
enum class WaitDetailKind : std::uint8_t {
    slots_busy, lone_job, about_to_start, others_first, far_back,    // slot
    own_running, own_first, live_first,                               // fair_share
    memory_short, memory_promised, disk_slow, ended_for_memory,       // pressure
    disk_low, disk_names_low, scratch_short, store_read_only,         // disk_reserve
    cut_backoff, cut_alone, fault,                                    // retry
    session_ended, no_heartbeat,                                      // runner_lost
    runner_ended, helper_ended,                                       // runner_lost, no_runner
    not_root, host_lacks, runner_not_started, none_connected, no_slots,  // no_runner
};

// Where a test's output or end first differs from what was expected (Difference says it whole).
enum class DifferenceKind : std::uint8_t {
    character, word, newline_missing, newline_extra, exit_code, number, pattern, file_missing,
};

// What a participant sees of a test's input, expected and got.
enum class Visibility : std::uint8_t { visible, after_due, hidden };

// `float_` is spelled "float": C++ has the word already.
enum class Compare : std::uint8_t { exact, whitespace, lines, float_, regex, checker };

// What a trusted stage leaves as its report. `exit`: its exit code alone, 0 all points, 1 none.
enum class ReportFormat : std::uint8_t { results, junit, tap, autolab, exit };

// What becomes of symbolic links in an upload: kept when they stay inside, or a reason to refuse it.
enum class Symlinks : std::uint8_t { inside, refuse };

// How names in an archive are encoded. `utf_8` is spelled "utf-8"; gb18030 is converted and reported.
enum class NameEncoding : std::uint8_t { utf_8, gb18030 };

enum class Counts : std::uint8_t { last, best, last_on_time };

// How far a limit can be relied on here.
enum class Guarantee : std::uint8_t { exact, approximate, none };

// Where what a command writes is kept: in memory, as part of its own, or on the machine's disk.
enum class Scratch : std::uint8_t { memory, disk };

// How an attempt (one infrastructure try of a job) ended.
enum class AttemptEnd : std::uint8_t {
    verdict,      // A report was committed.
    fault,        // Infrastructure fault: runner lost, sandbox or transport failed. At most 3, then system_fault.
    cut,          // A server stop or restart cut it. Never counted against the job.
};

// What a key signs, and nothing else.
enum class KeyUse : std::uint8_t { receipt, commitment };

std::string_view to_string(State);
std::string_view to_string(Verdict);
std::string_view to_string(Reason);
std::string_view to_string(Refusal);
std::string_view to_string(WaitDetailKind);
std::string_view to_string(DifferenceKind);
std::string_view to_string(Visibility);
std::string_view to_string(Compare);
std::string_view to_string(ReportFormat);
std::string_view to_string(Symlinks);
std::string_view to_string(NameEncoding);
std::string_view to_string(Counts);
std::string_view to_string(Guarantee);
std::string_view to_string(Scratch);
std::string_view to_string(AttemptEnd);
std::string_view to_string(KeyUse);

// Instantiated for the enumerations above.
template <class E>
std::optional<E> parse(std::string_view);

// All values in declaration order, for tables, tests and catalogues.
template <class E>
std::span<const E> all();

// The HTTP status of a refusal, as the SPEC's table says: 405, 400, 401, 403, 404, 413, 422, 429, 503, 507, 500.
int http_status(Refusal);

}  // namespace assay::model
