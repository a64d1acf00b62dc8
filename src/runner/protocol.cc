#include "runner/protocol.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "model/json.hh"
#include "runner/bounds.hh"

namespace assay::runner {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t number_max = 1LL << 53;
constexpr std::size_t submission_bytes_max = 64;
constexpr std::size_t digest_hex_digits = 64;

std::string text_of_json(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const Token& token) { return {{"job", token.job}, {"attempt", token.attempt}, {"epoch", token.epoch}}; }

Error wrong(std::string_view field, std::string_view what) {
    return {Fault::invalid, fmt::format("the server's answer: `{}` {}", field, what)};
}

Result<const nlohmann::json*> member(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return wrong(name, "is expected in an object");
    const auto found = object.find(name);
    if (found == object.end()) return wrong(name, "is missing");
    return &*found;
}

Result<std::int64_t> number(const nlohmann::json& object, const char* name, std::int64_t max = number_max) {
    ASSAY_TRY(const nlohmann::json* value, member(object, name));
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > static_cast<std::uint64_t>(max)) {
        return wrong(name, fmt::format("must be a whole number of 0 to {}", max));
    }
    return value->get<std::int64_t>();
}

Result<std::string> text(const nlohmann::json& object, const char* name, std::size_t bytes_max) {
    ASSAY_TRY(const nlohmann::json* value, member(object, name));
    if (!value->is_string() || value->get_ref<const std::string&>().size() > bytes_max) {
        return wrong(name, fmt::format("must be text of at most {} bytes", bytes_max));
    }
    return value->get<std::string>();
}

Result<std::string> digest(const nlohmann::json& object, const char* name) {
    ASSAY_TRY(std::string value, text(object, name, digest_hex_digits));
    if (value.size() != digest_hex_digits || value.find_first_not_of("0123456789abcdef") != value.npos) {
        return wrong(name, "must be 64 lower-case hex digits");
    }
    return value;
}

Result<Token> token_of(const nlohmann::json& json) {
    ASSAY_TRY(const std::int64_t job, number(json, "job"));
    ASSAY_TRY(const std::int64_t attempt, number(json, "attempt"));
    ASSAY_TRY(const std::int64_t epoch, number(json, "epoch"));
    return Token{job, attempt, epoch};
}

}  // namespace

std::string session_request(std::string_view name, int slots) {
    return text_of_json({{"protocol", 1}, {"name", name}, {"slots", slots}, {"can_grade", true}, {"missing", Json::array()}});
}

std::string lease_request(std::int64_t epoch, int slot, std::chrono::milliseconds wait) {
    return text_of_json({{"epoch", epoch}, {"slot", slot}, {"wait_ms", wait.count()}});
}

std::string event_request(const Token& token, std::int64_t sequence, std::string_view stage, std::string_view test,
                          std::string_view report_json, std::optional<model::Reason> reason) {
    Json event{{"token", json_of(token)}, {"sequence", sequence}, {"stage", stage}, {"test", test}};
    if (reason) event["reason"] = model::to_string(*reason);
    std::string json = text_of_json(event);
    if (report_json.empty()) return json;
    json.pop_back();
    return fmt::format(R"({},"report":{}}})", json, report_json);
}

std::string heartbeat_request(std::int64_t epoch, const std::vector<Token>& running) {
    Json tokens = Json::array();
    for (const Token& token : running) tokens.push_back(json_of(token));
    return text_of_json({{"epoch", epoch}, {"running", std::move(tokens)}});
}

std::string report_request(const Token& token, std::string_view report_json) {
    return fmt::format(R"({{"token":{},"report":{}}})", text_of_json(json_of(token)), report_json);
}

std::string fault_request(const Token& token, std::string_view text) {
    return text_of_json({{"token", json_of(token)}, {"fault", replace_invalid_utf8(text.substr(0, fault_bytes_max))}});
}

std::string input_target(const Token& token) {
    return fmt::format("/api/v1/runner/input?job={}&attempt={}&epoch={}", token.job, token.attempt, token.epoch);
}

std::string revision_target(std::string_view digest) { return fmt::format("/api/v1/runner/revision?digest={}", digest); }

Result<Opened> opened_from_json(std::string_view answer) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(answer, {.size_max = small_answer_bytes_max}));
    ASSAY_TRY(const std::int64_t epoch, number(json, "epoch"));
    ASSAY_TRY(const std::int64_t lease_ms, number(json, "lease_ms", lease_ms_max));
    ASSAY_TRY(const std::int64_t heartbeat_ms, number(json, "heartbeat_ms", lease_ms_max));
    if (lease_ms < lease_ms_min) return wrong("lease_ms", "is too short");
    if (heartbeat_ms < 1 || heartbeat_ms > lease_ms / 2) return wrong("heartbeat_ms", "must be at most half of lease_ms");
    return Opened{epoch, std::chrono::milliseconds{lease_ms}, std::chrono::milliseconds{heartbeat_ms}};
}

Result<Lease> lease_from_json(std::string_view answer) {
    constexpr std::size_t around_the_plan = 64u << 10;
    const model::JsonBounds bounds{.size_max = model::plan_size_max + around_the_plan};
    ASSAY_TRY(const nlohmann::json json, model::parse_json(answer, bounds));
    Lease lease;
    ASSAY_TRY(const nlohmann::json* token, member(json, "token"));
    ASSAY_TRY(lease.token, token_of(*token));
    ASSAY_TRY(lease.submission, text(json, "submission", submission_bytes_max));
    ASSAY_TRY(lease.sha256, digest(json, "sha256"));
    ASSAY_TRY(lease.size_bytes, number(json, "size", input_bytes_max));
    ASSAY_TRY(const nlohmann::json* revision, member(json, "revision"));
    ASSAY_TRY(lease.revision_digest, digest(*revision, "digest"));
    ASSAY_TRY(const nlohmann::json* plan, member(json, "plan"));
    ASSAY_TRY(lease.plan, model::plan_from_json(plan->dump()));
    return lease;
}

Result<Beat> beat_from_json(std::string_view answer) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(answer, {.size_max = small_answer_bytes_max}));
    Beat beat;
    ASSAY_TRY(const nlohmann::json* drain, member(json, "drain"));
    if (!drain->is_boolean()) return wrong("drain", "must be true or false");
    beat.drain = drain->get<bool>();
    ASSAY_TRY(const nlohmann::json* drop, member(json, "drop"));
    if (!drop->is_array() || drop->size() > drops_max) return wrong("drop", "must be a list of tokens");
    for (const nlohmann::json& entry : *drop) {
        ASSAY_TRY(const Token token, token_of(entry));
        beat.drop.push_back(token);
    }
    return beat;
}

}  // namespace assay::runner
