// Message: what staff are told, before it is put in words and in a receiver's form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alert/rule.hh"

namespace assay::alert {

// One rule's part in an incident.
struct Part {
    std::string rule;
    Severity severity = Severity::info;
    std::string summary;                // of a rule of one's own; empty: the catalogue has it
    Finding finding;
    std::vector<std::string> evidence;
};

// What an incident cost so far: growth of counters since it began, by what it is.
struct Harm {
    std::int64_t uploads_refused = 0;   // of those that were no fault of the sender
    std::int64_t attempts_failed = 0;   // jobs that have to be run again
    std::int64_t system_faults = 0;     // verdicts
    std::int64_t answers_failed = 0;    // 5xx
    bool known = false;                 // whether any of these counters was seen: from outside none is
    bool operator==(const Harm&) const = default;
};

struct Message {
    enum class Kind {
        firing,     // an incident began; told once
        escalated,  // it became a matter to wake somebody for
        repeated,   // it still goes on
        resolved,   // it ended; told once, if `firing` was
        test,
    };
    std::string id;                     // of the message: the same bytes sent twice carry the same one
    std::string incident;               // shared by all messages of one
    Kind kind = Kind::firing;
    Severity severity = Severity::info; // the highest it had
    std::string host;
    std::string cause;
    std::vector<Part> parts;            // what fires; of resolved: what fired. The most severe first
    std::int64_t since_ms = 0;          // when the incident began, ms since 1970
    std::int64_t at_ms = 0;             // when this was said
    std::int64_t ended_ms = 0;          // of resolved: since when nothing of it holds
    bool flapping = false;  // it comes and goes; nothing more is said until it has been quiet for a while
    Harm harm;  // of resolved
};
std::string_view to_string(Message::Kind);

constexpr std::size_t text_bytes_max = 300;  // of a cause, an offender, a line of evidence; what is longer is cut
constexpr std::size_t parts_max = 8;  // told in one message
constexpr std::size_t evidence_max = 4;  // lines of a part

}  // namespace assay::alert
