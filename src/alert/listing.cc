#include "alert/listing.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "alert/keeper.hh"
#include "base/text.hh"
#include "model/json.hh"
#include "sys/zone.hh"

namespace assay::alert {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string listing_json(const Engine& engine, const Outbox& outbox, const std::vector<Receiver>& receivers,
                         const std::string& zone) {
    const auto time = [&](std::int64_t at_ms) {
        return at_ms == 0 ? Json(nullptr) : Json(sys::rfc3339(sys::wall_from_ms(at_ms), zone));
    };
    Json json{{"host", engine.host()},
              {"incidents", Json::array()},
              {"silences", Json::array()},
              {"receivers", Json::array()},
              {"rules", Json::array()}};
    for (const Incident& it : engine.incidents()) {
        Json parts = Json::array();
        for (const Part& part : it.parts) {
            parts.push_back({{"rule", part.rule},
                             {"cause", part.finding.cause},
                             {"offender", part.finding.offender},
                             {"evidence", part.evidence}});
        }
        json["incidents"].push_back({{"id", it.id},
                                     {"cause", it.cause},
                                     {"severity", to_string(it.severity)},
                                     {"since", time(it.begin_ms)},
                                     {"told", time(it.told_ms)},
                                     {"quiet_since", time(it.quiet_since_ms)},
                                     {"flapping", it.flapping},
                                     {"parts", parts}});
    }
    for (const Silence& it : engine.silences()) {
        json["silences"].push_back({{"id", it.id},
                                    {"match", it.match},
                                    {"author", it.author},
                                    {"reason", it.reason},
                                    {"until", time(it.end_ms)}});
    }
    for (const Receiver& it : receivers) {
        int waiting = 0;
        std::string error;
        for (const Posted& posted : outbox.waiting()) {
            for (const Delivery& delivery : posted.to) {
                if (delivery.receiver != it.name) continue;
                ++waiting;
                if (error.empty()) error = delivery.error;
            }
        }
        json["receivers"].push_back({{"name", it.name},
                                     {"type", to_string(it.kind)},
                                     {"from", to_string(it.from)},
                                     {"waiting", waiting},
                                     {"error", error}});
    }
    for (const Standing& it : engine.standings()) {
        json["rules"].push_back({{"name", it.rule->name},
                                 {"severity", to_string(it.rule->severity)},
                                 {"state", to_string(it.state)},
                                 {"since", time(it.since_ms)},
                                 {"condition", it.rule->condition.text()},
                                 {"evidence", it.evidence}});
    }
    json["dropped"] = outbox.dropped();
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> list_text(const std::string& text) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(text, {.size_max = 8u << 20}));
    std::string out;
    try {
        const auto word = [](const nlohmann::json& it, const char* key) {
            return escaped(it.at(key).is_string() ? it.at(key).get<std::string>() : "-", 400);
        };
        for (const auto& it : json.at("incidents")) {
            out += fmt::format("{:<5} {} since {}{}\n", word(it, "severity"), word(it, "cause"), word(it, "since"),
                               it.at("told").is_null()          ? " (not told)"
                               : it.at("quiet_since").is_null() ? ""
                                                                : " (quiet)");
            for (const auto& part : it.at("parts")) {
                out += fmt::format("      {} {} {}\n", word(part, "rule"), word(part, "cause"), word(part, "offender"));
                for (const auto& line : part.at("evidence"))
                    out += "      · " + escaped(line.get<std::string>(), 400) + "\n";
            }
        }
        if (json.at("incidents").empty()) out += "nothing is wrong\n";
        for (const auto& it : json.at("silences")) {
            out += fmt::format("silence {} of {} until {}: {} ({})\n", word(it, "id"), word(it, "match"),
                               word(it, "until"), word(it, "reason"), word(it, "author"));
        }
        for (const auto& it : json.at("receivers")) {
            const int waiting = it.at("waiting");
            out += fmt::format("receiver {} ({}, from {})", word(it, "name"), word(it, "type"), word(it, "from"));
            out += waiting == 0 ? "\n" : fmt::format(": {} wait; {}\n", waiting, word(it, "error"));
        }
        if (json.at("receivers").empty()) out += "no receiver is configured: nobody is told\n";
    } catch (const nlohmann::json::exception& error) {
        return Error{Fault::invalid, std::string{"the list of alerts: "} + error.what()};
    }
    return out;
}

}  // namespace assay::alert
