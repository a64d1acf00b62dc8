// Finding: an answer to "why". Sentences are kept as what to say and its arguments, so that each reader gets his language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wording/diagnosis.hh"

namespace assay::diagnosis {

enum class Class : std::uint8_t { healthy, slow, intermittent, hang };

// The closed list; `to_string` gives the enumerator's own spelling, which JSON and alarms use.
enum class Cause : std::uint8_t {
    ended,
    stopped,
    worker_killed_for_memory,
    worker_crashed,
    storage_hang,
    fork_inherited_lock,
    deadlock,
    descriptor_limit,
    process_limit,
    disk_full,
    memory_thrash,
    throttled_by_quota,
    io_limit,
    storage_metadata,
    storage_data,
    oversubscribed,
    neighbour,
    stolen,
    livelock,
    spin,
    blocked_on_peer,
    // Not a stall:
    waits_for_requests,
    sleeping,
    busy,
    undecided,  // no rule holds; the finding says what was not readable
};
std::string_view to_string(Class);
std::string_view to_string(Cause);

enum class Confidence : std::uint8_t { low, medium, high };
std::string_view to_string(Confidence);

struct Line {
    wording::Diagnosis what;
    std::vector<std::string> arguments;  // at most wording::diagnosis_arguments_max
};
std::string text_of(wording::Language, const Line&);

// One of the numbers that decided.
struct Number {
    std::string name;  // with its unit
    double value = 0;
};

struct Finding {
    Class kind = Class::healthy;
    Cause cause = Cause::undecided;
    Confidence confidence = Confidence::medium;
    Line summary;
    std::string awaited;  // by name; empty: nothing in particular
    std::string offender;  // process, peer, group or thread; empty: nobody in particular
    std::vector<Number> decided_by;
    std::vector<Line> evidence;
    std::vector<Line> against;  // what speaks against it, and what it would look like if it were wrong
    Line remedy;
    std::vector<std::string> unread;
};

std::string to_json(const Finding&, wording::Language);

}  // namespace assay::diagnosis
