#include "client/answers.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

#include "base/text.hh"
#include "model/json.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using Json = nlohmann::json;
using wording::ClientSide;

constexpr model::JsonBounds bounds{.size_max = 80u << 20, .depth_max = 32, .values_max = 2'000'000};
constexpr model::JsonBounds small_bounds{.size_max = 1u << 20, .depth_max = 16, .values_max = 20'000};

Error wrong(std::string_view what) { return {Fault::invalid, std::string{what}}; }

const Json* member(const Json& json, const char* name) {
    const auto at = json.is_object() ? json.find(name) : json.end();
    return at == json.end() ? nullptr : &*at;
}
std::string text(const Json& json, const char* name) {
    const Json* const value = member(json, name);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}
std::optional<double> number(const Json& json, const char* name) {
    const Json* const value = member(json, name);
    return value != nullptr && value->is_number() ? std::optional{value->get<double>()} : std::nullopt;
}

// A word we know by its name; any other as it is.
template <class Word>
std::string named(const std::string& text, wording::Language language) {
    const auto word = model::parse<Word>(text);
    return word ? wording::name(language, *word) : escaped(text);
}

bool is_id(std::string_view id) { return id.size() == 16 && valid_name(id); }

}  // namespace

std::optional<Problem> problem_from(std::string_view json_text) {
    const auto json = model::parse_json(json_text, small_bounds);
    if (!json || !json->is_object()) return std::nullopt;
    Problem problem{.code = text(*json, "code"), .detail = text(*json, "detail"), .next = text(*json, "next")};
    if (problem.code.empty() && problem.detail.empty()) return std::nullopt;
    return problem;
}

Result<Limits> limits_from(std::string_view json_text) {
    ASSAY_TRY(const Json json, model::parse_json(json_text, small_bounds));
    if (!json.is_object()) return wrong("the limits are no object");
    // The module's rules are a part of this object under their own names.
    Json rules = Json::object();
    for (const char* const name : {"size_max", "formats", "unpacked_max", "entries_max", "required", "symlinks", "names", "rate", "ignore"}) {
        if (const Json* const value = member(json, name)) rules[name] = *value;
    }
    if (!rules.contains("size_max")) return wrong("'size_max' is missing");
    Limits limits;
    auto read = model::upload_rules_from_json(rules.dump());
    if (!read) return wrong(read.error().text());
    limits.rules = std::move(*read);
    const Json* const open = member(json, "open");
    if (open == nullptr || !open->is_boolean()) return wrong("'open' is missing");
    limits.open = open->get<bool>();
    limits.opens = text(json, "opens");
    limits.due = text(json, "due");
    limits.closes = text(json, "closes");
    limits.now = text(json, "now");
    if (const Json* const grace = member(json, "upload_grace_ms"); grace != nullptr && grace->is_number_integer() && *grace >= 0) {
        limits.upload_grace_ms = grace->get<std::int64_t>();
    }
    limits.timezone = text(json, "timezone");
    return limits;
}

std::optional<std::int64_t> instant_ms(std::string_view date) {
    constexpr std::string_view form = "0000-00-00T00:00:00";
    const auto number_at = [&](std::size_t at, std::size_t count) {
        int value = 0;
        for (const char c : date.substr(at, count)) value = value * 10 + (c - '0');
        return value;
    };
    const auto fits = [](std::string_view text, std::string_view shape) {
        return text.size() >= shape.size() &&
               std::ranges::equal(text.substr(0, shape.size()), shape,
                                  [](char a, char b) { return b == '0' ? a >= '0' && a <= '9' : a == b; });
    };
    if (!fits(date, form)) return std::nullopt;
    using namespace std::chrono;
    const year_month_day day{year{number_at(0, 4)}, month{static_cast<unsigned>(number_at(5, 2))},
                             std::chrono::day{static_cast<unsigned>(number_at(8, 2))}};
    const int hour = number_at(11, 2), minute = number_at(14, 2), second = number_at(17, 2);
    if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    std::int64_t ms =
        sys_days{day}.time_since_epoch().count() * 86'400'000LL + ((hour * 60 + minute) * 60 + second) * 1000LL;
    std::size_t at = form.size();
    if (fits(date.substr(at), ".000")) {
        ms += number_at(at + 1, 3);
        at += 4;
    }
    const std::string_view offset = date.substr(at);
    if (offset == "Z") return ms;
    if (offset.size() != 6 || (offset[0] != '+' && offset[0] != '-') || !fits(offset.substr(1), "00:00"))
        return std::nullopt;
    const int east = number_at(at + 1, 2) * 60 + number_at(at + 4, 2);
    return ms - (offset[0] == '+' ? east : -east) * 60'000LL;
}

bool worth_committing(const Limits& limits) {
    const auto now_ms = instant_ms(limits.now), due_ms = instant_ms(limits.due), closes_ms = instant_ms(limits.closes);
    if (!now_ms) return false;
    const auto near = [&](std::optional<std::int64_t> date_ms) { return date_ms && *date_ms - *now_ms <= limits.upload_grace_ms; };
    return near(due_ms) || near(closes_ms);  // A due date that has passed is near: a late policy counts days.
}

Result<Committed> committed_from(std::string_view commitment) {
    ASSAY_TRY(const Json json, model::parse_json(commitment, small_bounds));
    Committed committed{.at = text(json, "committed_at"), .until = text(json, "bytes_until")};
    if (committed.at.empty() || committed.until.empty() || text(json, "signature").empty()) return wrong("this is no commitment");
    return committed;
}

Result<Received> received_from(std::string_view receipt) {
    ASSAY_TRY(const Json json, model::parse_json(receipt, small_bounds));
    Received received{.id = text(json, "id"), .at = text(json, "received_last_byte")};
    if (!is_id(received.id) || received.at.empty() || text(json, "signature").empty()) return wrong("this is no receipt");
    return received;
}

Result<Standing> standing_from(std::string_view json_text) {
    ASSAY_TRY(const Json json, model::parse_json(json_text, bounds));
    Standing standing{.id = text(json, "id"), .state = text(json, "state"), .verdict = text(json, "verdict")};
    if (!is_id(standing.id) || !model::parse<model::State>(standing.state)) return wrong("this is no submission");
    standing.score = number(json, "score");
    standing.score_max = number(json, "score_max");
    standing.expected_start = text(json, "expected_start");
    standing.superseded_by = text(json, "superseded_by");
    const std::string committed_at = text(json, "committed_at");
    if (committed_at == text(json, "handed_in_at") && committed_at != text(json, "received_at")) standing.committed_at = committed_at;
    standing.rejudging = member(json, "rejudge") != nullptr;
    if (const Json* const position = member(json, "position"); position != nullptr && position->is_number_integer()) {
        standing.position = position->get<std::int64_t>();
    }
    if (const Json* const reason = member(json, "reason"); reason != nullptr && reason->is_object()) {
        standing.reason = text(*reason, "text");
        standing.details = text(*reason, "details");
    }
    return standing;
}

std::string line_of(const Standing& it, wording::Language language) {
    constexpr std::size_t text_max = 1000;
    std::string line = fmt::format("{} {}", escaped(it.id), named<model::State>(it.state, language));
    if (!it.verdict.empty()) line += fmt::format(": {}", named<model::Verdict>(it.verdict, language));
    if (it.score && it.score_max) line += fmt::format(", {:g} / {:g}", *it.score, *it.score_max);
    if (it.position) line += say(language, ClientSide::place, {std::to_string(*it.position)});
    if (!it.expected_start.empty()) line += say(language, ClientSide::start, {escaped(it.expected_start)});
    if (!it.committed_at.empty()) line += say(language, ClientSide::committed, {escaped(it.committed_at)});
    if (!it.superseded_by.empty()) line += say(language, ClientSide::replaced, {escaped(it.superseded_by)});
    if (!it.reason.empty()) line += fmt::format("\n  {}", escaped(it.reason, text_max));
    if (!it.details.empty()) line += fmt::format("\n  ({})", escaped(it.details, text_max));
    return line;
}

}  // namespace assay::client
