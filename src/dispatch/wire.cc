#include "dispatch/wire.hh"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dispatch/dispatch.hh"
#include "model/json.hh"
#include "queue/leases.hh"

namespace assay::dispatch {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t integer_max = (1LL << 53) - 1;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t missing_max = 64;
constexpr std::size_t detail_bytes_max = 4096;
constexpr model::JsonBounds small{.size_max = request_bytes_max, .depth_max = 6, .values_max = 4 * running_max + 64};
constexpr model::JsonBounds event{.size_max = event_bytes_max, .depth_max = 16, .values_max = 100'000};
constexpr model::JsonBounds with_report{.size_max = model::report_size_max + request_bytes_max, .depth_max = 20, .values_max = 1'000'000};

Error wrong(const char* field, const char* what) { return {Fault::invalid, std::string{"'"} + field + "' " + what}; }

Result<const Json*> member(const Json& object, const char* field) {
    if (!object.is_object()) return Error{Fault::invalid, "the request is no JSON object"};
    const auto found = object.find(field);
    if (found == object.end()) return wrong(field, "is missing");
    return &*found;
}

Result<std::int64_t> number(const Json& object, const char* field, std::int64_t max = integer_max) {
    ASSAY_TRY(const Json* const value, member(object, field));
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > static_cast<std::uint64_t>(max)) {
        return wrong(field, "is not a whole number in its range");
    }
    return value->get<std::int64_t>();
}

Result<std::string> text(const Json& object, const char* field, std::size_t size_max) {
    ASSAY_TRY(const Json* const value, member(object, field));
    if (!value->is_string()) return wrong(field, "is no text");
    if (value->get_ref<const std::string&>().size() > size_max) return wrong(field, "is too long");
    return value->get<std::string>();
}

Result<queue::Token> token_from(const Json& json) {
    queue::Token token;
    ASSAY_TRY(token.job.value, number(json, "job"));
    ASSAY_TRY(token.attempt, number(json, "attempt"));
    ASSAY_TRY(token.epoch, number(json, "epoch"));
    return token;
}

Json json_of(const queue::Token& token) { return {{"job", token.job.value}, {"attempt", token.attempt}, {"epoch", token.epoch}}; }

}  // namespace

Result<SessionRequest> session_request(std::string_view body) {
    ASSAY_TRY(const Json json, model::parse_json(body, small));
    ASSAY_TRY(const std::int64_t protocol, number(json, "protocol"));
    if (protocol != 1) return wrong("protocol", "is not 1, the only version this server speaks");
    SessionRequest request;
    ASSAY_TRY(request.name, text(json, "name", name_bytes_max));
    ASSAY_TRY(const std::int64_t slots, number(json, "slots", slots_max));
    ASSAY_TRY(const Json* const can_grade, member(json, "can_grade"));
    if (!can_grade->is_boolean()) return wrong("can_grade", "is neither true nor false");
    ASSAY_TRY(const Json* const missing, member(json, "missing"));
    if (!missing->is_array() || missing->size() > missing_max) return wrong("missing", "is no short list");
    for (const Json& one : *missing) {
        if (!one.is_string()) return wrong("missing", "holds something that is no text");
        request.missing.push_back(one.get<std::string>());
    }
    request.slots = *can_grade ? static_cast<int>(slots) : 0;
    return request;
}

Result<LeaseRequest> lease_request(std::string_view body) {
    ASSAY_TRY(const Json json, model::parse_json(body, small));
    LeaseRequest request;
    ASSAY_TRY(request.epoch, number(json, "epoch"));
    ASSAY_TRY(request.wait_ms, number(json, "wait_ms", poll_wait_max.count()));
    ASSAY_TRY(request.slot, number(json, "slot", slots_max - 1));
    return request;
}

Result<EventRequest> event_request(std::string_view body) {
    ASSAY_TRY(const Json json, model::parse_json(body, event));
    EventRequest request;
    ASSAY_TRY(const Json* const token, member(json, "token"));
    ASSAY_TRY(request.token, token_from(*token));
    ASSAY_TRY(request.sequence, number(json, "sequence"));
    ASSAY_TRY(request.stage, text(json, "stage", name_bytes_max));
    ASSAY_TRY(request.test, text(json, "test", detail_bytes_max));
    if (json.contains("reason")) {
        ASSAY_TRY(const std::string word, text(json, "reason", name_bytes_max));
        request.reason = model::parse<model::Reason>(word);
        if (!request.reason) return wrong("reason", "is none of the known words");
    }
    if (const auto report = json.find("report"); report != json.end()) {
        ASSAY_TRY(request.report, model::report_from_json(report->dump()));
        if (request.report->stages.size() != 1 || request.report->stages.front().name != request.stage) {
            return wrong("report", "is not one of the stage that is named");
        }
    }
    return request;
}

Result<HeartbeatRequest> heartbeat_request(std::string_view body) {
    ASSAY_TRY(const Json json, model::parse_json(body, small));
    HeartbeatRequest request;
    ASSAY_TRY(request.epoch, number(json, "epoch"));
    ASSAY_TRY(const Json* const running, member(json, "running"));
    if (!running->is_array() || running->size() > running_max) return wrong("running", "is no list, or too long");
    for (const Json& one : *running) {
        ASSAY_TRY(const queue::Token token, token_from(one));
        request.running.push_back(token);
    }
    return request;
}

Result<ResultRequest> result_request(std::string_view body) {
    ASSAY_TRY(const Json json, model::parse_json(body, with_report));
    ResultRequest request;
    ASSAY_TRY(const Json* const token, member(json, "token"));
    ASSAY_TRY(request.token, token_from(*token));
    if (json.contains("fault") == json.contains("report")) return Error{Fault::invalid, "a result has either a report or a fault"};
    if (json.contains("fault")) {
        ASSAY_TRY(std::string fault, text(json, "fault", request_bytes_max));
        // Cut at a place that leaves it valid.
        if (fault.size() > detail_bytes_max) fault = replace_invalid_utf8(std::string_view{fault}.substr(0, detail_bytes_max));
        request.outcome = FaultText{std::move(fault)};
        return request;
    }
    ASSAY_TRY(const model::Report report, model::report_from_json(json["report"].dump()));
    request.outcome = queue::finished_from(report);
    return request;
}

std::string session_answer(std::int64_t epoch) {
    using std::chrono::milliseconds;
    return Json{{"epoch", epoch},
                {"lease_ms", milliseconds{queue::lease_term}.count()},
                {"heartbeat_ms", milliseconds{queue::heartbeat_every}.count()}}
        .dump();
}

std::string lease_answer(const queue::Lease& lease, std::string_view revision_digest, std::string_view plan) {
    std::string json = Json{{"token", json_of(lease.token)},
                            {"submission", lease.submission.text()},
                            {"sha256", lease.sha256},
                            {"size", lease.size},
                            {"revision", {{"id", lease.revision.value}, {"digest", revision_digest}}}}
                           .dump();
    json.pop_back();
    json += ",\"plan\":";
    json += plan;
    json += '}';
    return json;
}

std::string heartbeat_answer(const std::vector<queue::Token>& drop, bool drain) {
    Json tokens = Json::array();
    for (const queue::Token& token : drop) tokens.push_back(json_of(token));
    return Json{{"drop", std::move(tokens)}, {"drain", drain}}.dump();
}

}  // namespace assay::dispatch
