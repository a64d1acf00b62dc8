#include "alert/engine.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hh"
#include "base/text.hh"
#include "sys/sha256.hh"

namespace assay::alert {
namespace {

constexpr int doublings_max = 10;

std::string cut(const std::string& text) { return escaped(text, text_bytes_max); }

std::string incident_id(std::string_view host, std::string_view cause, std::int64_t begin_ms) {
    return sys::sha256_hex(bytes_of(fmt::format("{}\n{}\n{}", host, cause, begin_ms))).substr(0, 16);
}

// Whether one of `range` equals `value` (by `of` it, where given).
template <class Range, class Value, class Of = std::identity>
bool has(const Range& range, const Value& value, Of of = {}) {
    return std::ranges::find(range, value, of) != std::ranges::end(range);
}

bool short_text(const std::string& text) {
    return !text.empty() && text.size() <= silence_text_bytes_max && valid_utf8(text);
}

}  // namespace

std::string_view to_string(Message::Kind kind) {
    switch (kind) {
        case Message::Kind::firing: return "firing";
        case Message::Kind::escalated: return "escalated";
        case Message::Kind::repeated: return "repeated";
        case Message::Kind::resolved: return "resolved";
        case Message::Kind::test: return "test";
    }
    return "";
}

std::string_view to_string(Standing::State state) {
    switch (state) {
        case Standing::State::inactive: return "inactive";
        case Standing::State::pending: return "pending";
        case Standing::State::firing: return "firing";
        case Standing::State::inhibited: return "inhibited";
    }
    return "";
}

void add_harm(Harm& harm, std::map<std::string, double, std::less<>>& seen, const Figures& figures) {
    const auto grown = [&](const std::string& key, std::string_view name, const std::string& label) -> std::int64_t {
        const auto value = figures.sum(name, {label});
        if (!value && !figures.counted) return 0;
        harm.known = true;
        const auto [entry, fresh] = seen.try_emplace(key, value.value_or(0));
        const double before = entry->second;
        entry->second = value.value_or(0);
        return static_cast<std::int64_t>(entry->second < before ? entry->second : entry->second - before);
    };
    for (const char* const result : {"busy", "disk_full", "internal", "shutting_down"}) {
        harm.uploads_refused += grown(result, "assay_uploads_total", fmt::format("result=\"{}\"", result));
    }
    harm.attempts_failed += grown("attempts", "assay_attempts_total", "end=\"fault\"");
    harm.system_faults += grown("verdicts", "assay_verdicts_total", "verdict=\"system_fault\"");
    harm.answers_failed += grown("answers", "assay_http_requests_total", "class=\"5xx\"");
}

Engine::Engine(std::string host, std::vector<Rule> rules, Pace pace) : host_{std::move(host)}, pace_{pace} {
    for (Rule& rule : rules) watched_.push_back({.rule = std::move(rule)});
}

std::vector<Message> Engine::look(const Figures& figures, std::int64_t now_ms) {
    for (Watched& watched : watched_) judge(watched, figures, now_ms);
    // Inhibitors stand before what they inhibit, so each is decided when it is asked.
    for (Watched& watched : watched_) {
        const bool fires = watched.state == Standing::State::firing || watched.state == Standing::State::inhibited;
        if (fires) watched.state = inhibited(watched) ? Standing::State::inhibited : Standing::State::firing;
    }
    std::erase_if(memory_.silences, [&](const Silence& silence) { return silence.end_ms <= now_ms; });
    gather(figures, now_ms);

    std::vector<Message> messages;
    for (Incident& incident : memory_.incidents) {
        if (auto message = speak(incident, now_ms)) messages.push_back(std::move(*message));
    }
    std::erase_if(memory_.incidents, [](const Incident& incident) { return incident.parts.empty(); });
    return messages;
}

void Engine::judge(Watched& watched, const Figures& figures, std::int64_t now_ms) {
    const auto holds = watched.rule.condition.judge(figures, now_ms);
    if (!holds) return;
    if (!*holds) {
        watched.state = Standing::State::inactive;
        watched.since_ms = 0;
        return;
    }
    if (watched.state == Standing::State::inactive) {
        watched.state = Standing::State::pending;
        watched.since_ms = now_ms;
    }
    if (watched.state == Standing::State::pending && now_ms - watched.since_ms >= watched.rule.for_ms)
        watched.state = Standing::State::firing;
}

bool Engine::inhibited(const Watched& watched) const {
    for (const Watched& other : watched_) {
        if (&other == &watched) return false;
        if (other.state == Standing::State::firing && has(other.rule.inhibits, watched.rule.name)) return true;
    }
    return false;
}

// Which rules make up which incident now. One that nothing holds any more keeps its last parts until it is over.
void Engine::gather(const Figures& figures, std::int64_t now_ms) {
    std::map<std::string, std::vector<Part>> firing;
    for (const Watched& watched : watched_) {
        const Rule& rule = watched.rule;
        const auto incident = std::ranges::find(memory_.incidents, rule.cause, &Incident::cause);
        bool belongs = watched.state == Standing::State::firing;
        if (watched.state == Standing::State::inhibited && incident != memory_.incidents.end() &&
            incident->told_ms != 0) {
            belongs = has(incident->parts, rule.name, &Part::rule);  // It was told of; it is not over for that.
        }
        if (!belongs || firing[rule.cause].size() >= parts_max) continue;
        Part part{.rule = rule.name, .severity = rule.severity, .summary = rule.summary};
        if (const auto found = figures.findings.find(rule.name); found != figures.findings.end())
            part.finding = found->second;
        part.finding = {.cause = cut(part.finding.cause), .offender = cut(part.finding.offender), .age_ms = part.finding.age_ms};
        for (const std::string& line : rule.condition.evidence()) {
            if (part.evidence.size() < evidence_max) part.evidence.push_back(cut(line));
        }
        std::vector<Part>& parts = firing[rule.cause];  // The most severe first.
        parts.insert(std::ranges::upper_bound(parts, part.severity, std::greater{}, &Part::severity), std::move(part));
    }
    for (auto& [cause, parts] : firing) {
        std::int64_t age_ms = 0;
        for (const Part& part : parts) age_ms = std::max(age_ms, part.finding.age_ms);
        Incident& incident = incident_of(cause, now_ms - age_ms);
        incident.parts = std::move(parts);
        incident.severity = std::max(incident.severity, incident.parts.front().severity);
        incident.again |= incident.flapping && incident.quiet_since_ms != 0 && now_ms - incident.quiet_since_ms >= pace_.resolve_wait_ms;
        incident.quiet_since_ms = 0;
    }
    for (Incident& incident : memory_.incidents) {
        add_harm(incident.harm, incident.counters, figures);
        if (!firing.contains(incident.cause) && incident.quiet_since_ms == 0) incident.quiet_since_ms = now_ms;
    }
}

Incident& Engine::incident_of(const std::string& cause, std::int64_t begin_ms) {
    const auto found = std::ranges::find(memory_.incidents, cause, &Incident::cause);
    if (found != memory_.incidents.end()) return *found;
    return memory_.incidents.emplace_back(
        Incident{.id = incident_id(host_, cause, begin_ms), .cause = cause, .begin_ms = begin_ms});
}

// Whether the cause would come or go too often if it did now.
bool Engine::too_lively(const std::string& cause, std::int64_t now_ms) {
    std::vector<std::int64_t>& changes = memory_.changes[cause];
    std::erase_if(changes, [&](std::int64_t at_ms) { return now_ms - at_ms > pace_.flap_window_ms; });
    return changes.size() + 1 >= pace_.flap_changes;
}

// What there is to say of an incident now. One that is over loses its parts.
std::optional<Message> Engine::speak(Incident& incident, std::int64_t now_ms) {
    const bool told = incident.told_ms != 0;
    if (incident.quiet_since_ms != 0) {
        std::optional<Message> message;
        if (told) {
            const std::int64_t quiet_ms = now_ms - incident.quiet_since_ms;
            if (quiet_ms < pace_.resolve_wait_ms) return std::nullopt;
            incident.flapping |= too_lively(incident.cause, now_ms);
            if (incident.flapping && quiet_ms < pace_.flap_window_ms) return std::nullopt;
            message = message_of(incident, Message::Kind::resolved, now_ms);
            memory_.changes[incident.cause].push_back(now_ms);
        }
        incident.parts.clear();
        return message;
    }
    if (silenced(incident)) return std::nullopt;
    if (!told) {
        if (now_ms - incident.begin_ms < pace_.group_wait_ms) return std::nullopt;
        incident.flapping = too_lively(incident.cause, now_ms);
        memory_.changes[incident.cause].push_back(now_ms);
        return message_of(incident, Message::Kind::firing, now_ms);
    }
    if (incident.severity == Severity::wake && incident.told_severity != Severity::wake)
        return message_of(incident, Message::Kind::escalated, now_ms);
    const std::int64_t again_ms = std::min(pace_.flap_window_ms, pace_.again_wait_ms << std::clamp(incident.messages - 1, 0, doublings_max));
    const bool due_again = incident.again && incident.severity == Severity::wake && now_ms - incident.told_ms >= again_ms;
    if (due_again || now_ms - incident.told_ms >= pace_.repeat_ms) return message_of(incident, Message::Kind::repeated, now_ms);
    return std::nullopt;
}

bool Engine::silenced(const Incident& incident) const {
    const auto covers = [](const Silence& silence, const std::string& name) {
        return silence.match == "*" || silence.match == name;
    };
    const auto covered = [&](const std::string& name) {
        return std::ranges::any_of(memory_.silences, [&](const Silence& silence) { return covers(silence, name); });
    };
    return covered(incident.cause) ||
           std::ranges::all_of(incident.parts, [&](const Part& part) { return covered(part.rule); });
}

Message Engine::message_of(Incident& incident, Message::Kind kind, std::int64_t now_ms) const {
    incident.told_ms = now_ms;
    incident.told_severity = incident.severity;
    incident.again = false;
    ++incident.messages;
    return {.id = fmt::format("{}-{}", incident.id, incident.messages),
            .incident = incident.id,
            .kind = kind,
            .severity = incident.severity,
            .host = host_,
            .cause = incident.cause,
            .parts = incident.parts,
            .since_ms = incident.begin_ms,
            .at_ms = now_ms,
            .ended_ms = incident.quiet_since_ms,
            .flapping = incident.flapping,
            .harm = incident.harm};
}

// What a silence may be of. A cause whose rule is gone may still be told of.
std::vector<std::string_view> Engine::silenceable() const {
    std::vector<std::string_view> names{"*"};
    for (const Watched& watched : watched_) names.insert(names.end(), {watched.rule.name, watched.rule.cause});
    for (const Incident& incident : memory_.incidents) names.emplace_back(incident.cause);
    return names;
}

Result<> Engine::silence(Silence silence, std::int64_t now_ms) {
    const auto invalid = [](const char* what) { return Error{Fault::invalid, what}; };
    if (const auto names = silenceable(); !has(names, silence.match)) {
        const auto near = nearest(silence.match, names);
        return Error{Fault::invalid, fmt::format("'{}' is no rule, no cause, and not * for all; {}", escaped(silence.match, 64),
                                                 near && *near != "*" ? fmt::format("did you mean '{}'?", *near)
                                                                      : "assay alert list --json shows the rules")};
    }
    if (!short_text(silence.author)) return invalid("a silence needs an author, of at most 200 bytes");
    if (!short_text(silence.reason)) return invalid("a silence needs a reason, of at most 200 bytes");
    if (silence.end_ms <= now_ms) return invalid("a silence must end later than now");
    if (silence.end_ms - now_ms > silence_ms_max) return invalid("a silence lasts at most 31 days");
    if (memory_.silences.size() >= silences_max)
        return Error{Fault::busy, fmt::format("there are {} silences already; end one first", silences_max)};
    memory_.silences.push_back(std::move(silence));
    return ok;
}

Result<Silence> Engine::unsilence(const std::string& id) {
    const auto found = std::ranges::find(memory_.silences, id, &Silence::id);
    if (found == memory_.silences.end())
        return Error{Fault::missing, fmt::format("there is no silence '{}'", escaped(id, 64))};
    Silence ended = std::move(*found);
    memory_.silences.erase(found);
    return ended;
}

std::vector<Standing> Engine::standings() const {
    std::vector<Standing> standings;
    for (const Watched& watched : watched_) {
        standings.push_back({.rule = &watched.rule,
                             .state = watched.state,
                             .since_ms = watched.since_ms,
                             .evidence = watched.rule.condition.evidence()});
    }
    return standings;
}

void Engine::remember(Memory memory, std::int64_t now_ms) {
    memory_ = std::move(memory);
    const auto not_later = [now_ms](std::int64_t& at_ms) { at_ms = std::min(at_ms, now_ms); };
    for (auto& [cause, changes] : memory_.changes) std::ranges::for_each(changes, not_later);
    for (Incident& incident : memory_.incidents) {
        not_later(incident.begin_ms);
        not_later(incident.told_ms);
        not_later(incident.quiet_since_ms);
        incident.counters.clear();
        // What fired goes on firing unless the first look says otherwise: it need not hold for its time again.
        for (Watched& watched : watched_) {
            if (incident.quiet_since_ms != 0 || !has(incident.parts, watched.rule.name, &Part::rule)) continue;
            watched.state = Standing::State::firing;
            watched.since_ms = incident.begin_ms;
        }
    }
}

}  // namespace assay::alert
