#include "alert/state.hh"

#include <nlohmann/json.hpp>

#include "model/json.hh"
#include "sys/zone.hh"

namespace assay::alert {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* version = "assay-alert-state/1";
constexpr Message::Kind kinds[] = {Message::Kind::firing, Message::Kind::escalated, Message::Kind::repeated,
                                   Message::Kind::resolved, Message::Kind::test};

Json json_of(const Incident&);
Json json_of(const Silence&);
Json json_of(const Delivery&);
Json json_of(const Posted&);

Json json_of(const Part& part) {
    return {{"rule", part.rule},           {"severity", to_string(part.severity)}, {"summary", part.summary},
            {"cause", part.finding.cause}, {"offender", part.finding.offender},    {"evidence", part.evidence}};
}

Json json_of(const Harm& harm) {
    return {{"uploads_refused", harm.uploads_refused},
            {"attempts_failed", harm.attempts_failed},
            {"system_faults", harm.system_faults},
            {"answers_failed", harm.answers_failed},
            {"known", harm.known}};
}

Json list_of(const auto& values) {
    Json list = Json::array();
    for (const auto& value : values) list.push_back(json_of(value));
    return list;
}

Json json_of(const Message& it) {
    return {{"id", it.id},
            {"incident", it.incident},
            {"kind", to_string(it.kind)},
            {"severity", to_string(it.severity)},
            {"host", it.host},
            {"cause", it.cause},
            {"parts", list_of(it.parts)},
            {"since_ms", it.since_ms},
            {"at_ms", it.at_ms},
            {"ended_ms", it.ended_ms},
            {"flapping", it.flapping},
            {"harm", json_of(it.harm)}};
}

Json json_of(const Incident& it) {
    return {{"id", it.id},
            {"cause", it.cause},
            {"begin_ms", it.begin_ms},
            {"told_ms", it.told_ms},
            {"quiet_since_ms", it.quiet_since_ms},
            {"severity", to_string(it.severity)},
            {"told_severity", to_string(it.told_severity)},
            {"flapping", it.flapping},
            {"messages", it.messages},
            {"parts", list_of(it.parts)},
            {"harm", json_of(it.harm)}};
}

Json json_of(const Silence& it) {
    return {{"id", it.id},         {"match", it.match},       {"author", it.author},
            {"reason", it.reason}, {"begin_ms", it.begin_ms}, {"end_ms", it.end_ms}};
}

Json json_of(const Delivery& it) {
    return {{"receiver", it.receiver}, {"tries", it.tries}, {"next_ms", it.next_ms}, {"error", it.error}};
}
Json json_of(const Posted& it) { return {{"message", json_of(it.message)}, {"to", list_of(it.to)}}; }

// Reads what json_of wrote. What is missing or of another type throws, and state_from_json catches.
using In = nlohmann::json;

template <class T>
std::vector<T> all_of(const In& list, T (*one)(const In&)) {
    std::vector<T> values;
    for (const In& value : list) values.push_back(one(value));
    return values;
}

Severity severity_in(const In& json) {
    return severity_of(json.get_ref<const std::string&>()).value_or(Severity::info);
}

Part part_from(const In& json) {
    return {.rule = json.at("rule"),
            .severity = severity_in(json.at("severity")),
            .summary = json.at("summary"),
            .finding = {.cause = json.at("cause"), .offender = json.at("offender")},
            .evidence = json.at("evidence")};
}

Harm harm_from(const In& json) {
    return {.uploads_refused = json.at("uploads_refused"),
            .attempts_failed = json.at("attempts_failed"),
            .system_faults = json.at("system_faults"),
            .answers_failed = json.at("answers_failed"),
            .known = json.value("known", true)};  // Told by a server before there was the word.
}

Message message_from(const In& json) {
    Message it{.id = json.at("id"), .incident = json.at("incident")};
    for (const Message::Kind kind : kinds) {
        if (json.at("kind") == to_string(kind)) it.kind = kind;
    }
    it.severity = severity_in(json.at("severity"));
    it.host = json.at("host");
    it.cause = json.at("cause");
    it.parts = all_of(json.at("parts"), part_from);
    it.since_ms = json.at("since_ms");
    it.at_ms = json.at("at_ms");
    it.ended_ms = json.at("ended_ms");
    it.flapping = json.at("flapping");
    it.harm = harm_from(json.at("harm"));
    return it;
}

Incident incident_from(const In& json) {
    return {.id = json.at("id"),
            .cause = json.at("cause"),
            .begin_ms = json.at("begin_ms"),
            .told_ms = json.at("told_ms"),
            .quiet_since_ms = json.at("quiet_since_ms"),
            .severity = severity_in(json.at("severity")),
            .told_severity = severity_in(json.at("told_severity")),
            .flapping = json.at("flapping"),
            .messages = json.at("messages"),
            .parts = all_of(json.at("parts"), part_from),
            .harm = harm_from(json.at("harm"))};
}

Silence silence_from(const In& json) {
    return {.id = json.at("id"),
            .match = json.at("match"),
            .author = json.at("author"),
            .reason = json.at("reason"),
            .begin_ms = json.at("begin_ms"),
            .end_ms = json.at("end_ms")};
}

Delivery delivery_from(const In& json) {
    return {.receiver = json.at("receiver"),
            .tries = json.at("tries"),
            .next_ms = json.at("next_ms"),
            .error = json.at("error")};
}

Posted posted_from(const In& json) {
    return {.message = message_from(json.at("message")), .to = all_of(json.at("to"), delivery_from)};
}

}  // namespace

std::string to_json(const State& state) {
    Json changes = Json::object();
    for (const auto& [cause, at] : state.memory.changes) changes[cause] = at;
    const Json json{{"version", version},
                    {"incidents", list_of(state.memory.incidents)},
                    {"silences", list_of(state.memory.silences)},
                    {"changes", changes},
                    {"posted", list_of(state.posted)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<State> state_from_json(std::string_view text) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(text, {.size_max = state_bytes_max}));
    try {
        if (json.at("version") != version) return Error{Fault::invalid, "the state of alerts is of another version"};
        State state;
        state.memory.incidents = all_of(json.at("incidents"), incident_from);
        state.memory.silences = all_of(json.at("silences"), silence_from);
        for (const auto& [cause, at] : json.at("changes").items())
            state.memory.changes[cause] = at.get<std::vector<std::int64_t>>();
        state.posted = all_of(json.at("posted"), posted_from);
        return state;
    } catch (const nlohmann::json::exception& error) {
        return Error{Fault::invalid, std::string{"the state of alerts: "} + error.what()};
    }
}

std::string to_json(const Message& it, std::string_view title, std::string_view text) {
    const auto time = [](std::int64_t at_ms) {
        return at_ms == 0 ? Json(nullptr) : Json(sys::rfc3339(sys::wall_from_ms(at_ms), "UTC"));
    };
    Json parts = Json::array();
    for (const Part& part : it.parts) {
        parts.push_back({{"rule", part.rule},
                         {"severity", to_string(part.severity)},
                         {"cause", part.finding.cause},
                         {"offender", part.finding.offender},
                         {"evidence", part.evidence}});
    }
    const Json json{{"version", "assay-alert/1"},
                    {"id", it.id},
                    {"incident", it.incident},
                    {"kind", to_string(it.kind)},
                    {"severity", to_string(it.severity)},
                    {"host", it.host},
                    {"cause", it.cause},
                    {"title", title},
                    {"text", text},
                    {"since", time(it.since_ms)},
                    {"at", time(it.at_ms)},
                    {"ended", time(it.ended_ms)},
                    {"flapping", it.flapping},
                    {"parts", parts},
                    {"harm", json_of(it.harm)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::alert
