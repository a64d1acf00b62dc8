// Engine: rules over figures into messages. A pure state machine: figures and time in, messages out.
//
//   rule       inactive → pending (holds, but not for long enough) → firing → inactive
//   incident   gathering (group_wait, so that what comes together is told together) → told → over (resolve_wait without a break)
//
// Invariants
//   1. An incident is all that fires with one cause. It brings one `firing` message and, if that was said, one `resolved`.
//   2. What holds again within resolve_wait is the same incident. When a message would be the third change of a cause within
//      flap_window the incident is flapping: it is over only after a whole flap_window of quiet, and so nothing is said until then.
//      One that somebody has to get up for is told again when it holds again, for it may be for good this time: again_wait after the
//      last message at the soonest, twice as late after each, flap_window at most.
//   3. While a silence covers it nothing is said, but that it is over if it was told before. When the silence ends and it still goes
//      on, it is told then.
//   4. A rule that is inhibited begins no incident and joins none.
//
// Time is milliseconds since 1970 that never go back while the process lives (the wall clock at its start, and what has passed
// since). Threading: not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/message.hh"
#include "alert/rule.hh"

namespace assay::alert {

struct Pace {
    std::int64_t group_wait_ms = 10'000;
    std::int64_t resolve_wait_ms = 60'000;
    std::int64_t repeat_ms = 4 * 3600 * 1000;
    std::int64_t flap_window_ms = 600'000;
    std::size_t flap_changes = 3;  // within the window
    std::int64_t again_wait_ms = 60'000;
};

// Nothing is said of incidents of this cause, or of rules of this name ("*": of all).
struct Silence {
    std::string id;
    std::string match;
    std::string author;
    std::string reason;
    std::int64_t begin_ms = 0;
    std::int64_t end_ms = 0;
};
constexpr std::size_t silences_max = 100;
constexpr std::int64_t silence_ms_max = std::int64_t{31} * 24 * 3600 * 1000;
constexpr std::size_t silence_text_bytes_max = 200;  // of author and reason

struct Incident {
    std::string id;
    std::string cause;
    std::int64_t begin_ms = 0;
    std::int64_t told_ms = 0;  // the last message; 0: none yet
    std::int64_t quiet_since_ms = 0;  // nothing of it holds since; 0: something does
    Severity severity = Severity::info;  // the highest so far
    Severity told_severity = Severity::info;
    bool flapping = false;
    bool again = false;  // it holds again after a quiet that would have ended it, and that is to be told; not kept over a restart
    int messages = 0;  // so far: part of their ids
    std::vector<Part> parts;  // as they fire now, or fired last
    std::map<std::string, double, std::less<>> counters;  // of harm, as last seen; not kept over a restart
    Harm harm;
};

// How a rule stands, for people.
struct Standing {
    enum class State { inactive, pending, firing, inhibited };
    const Rule* rule = nullptr;
    State state = State::inactive;
    std::int64_t since_ms = 0;
    std::vector<std::string> evidence;
};
std::string_view to_string(Standing::State);

// What outlasts a restart.
struct Memory {
    std::vector<Incident> incidents;
    std::vector<Silence> silences;
    std::map<std::string, std::vector<std::int64_t>> changes;  // of causes, the newest last
};

class Engine {
public:
    // `host` names the machine in messages. Rules have distinct names.
    Engine(std::string host, std::vector<Rule> rules, Pace pace = {});

    std::vector<Message> look(const Figures&, std::int64_t now_ms);

    // Adds one. Errors: invalid (a match that is nothing known, an empty or overlong text, an end that is not later, or more than
    // silence_ms_max), busy (silences_max).
    Result<> silence(Silence, std::int64_t now_ms);
    Result<Silence> unsilence(const std::string& id);  // errors: missing

    std::vector<Standing> standings() const;  // as of the last look, in the order of the rules
    const std::vector<Incident>& incidents() const { return memory_.incidents; }
    const std::vector<Silence>& silences() const { return memory_.silences; }
    const std::string& host() const { return host_; }

    const Memory& memory() const { return memory_; }
    // What an engine before remembered. Times in the future are taken as now; what no rule speaks of any more ends as resolved.
    void remember(Memory, std::int64_t now_ms);

private:
    struct Watched {
        Rule rule;
        Standing::State state = Standing::State::inactive;
        std::int64_t since_ms = 0;
    };
    void judge(Watched&, const Figures&, std::int64_t now_ms);
    bool inhibited(const Watched&) const;
    void gather(const Figures&, std::int64_t now_ms);
    Incident& incident_of(const std::string& cause, std::int64_t begin_ms);  // `begin_ms`: of one that is new
    bool too_lively(const std::string& cause, std::int64_t now_ms);
    std::optional<Message> speak(Incident&, std::int64_t now_ms);
    bool silenced(const Incident&) const;
    std::vector<std::string_view> silenceable() const;
    Message message_of(Incident&, Message::Kind, std::int64_t now_ms) const;

    std::string host_;
    Pace pace_;
    std::vector<Watched> watched_;
    Memory memory_;
};

// Adds what the counters of harm grew by since `seen`, and remembers them there. A counter that is smaller than before began at 0.
void add_harm(Harm&, std::map<std::string, double, std::less<>>& seen, const Figures&);

}  // namespace assay::alert
