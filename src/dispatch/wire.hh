// Wire: the runner protocol's JSON. Pure; what a runner sends is bounded and checked before anything looks at it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hh"
#include "queue/line.hh"

namespace assay::dispatch {

struct SessionRequest {
    std::string name;
    int slots = 0;                     // 0 .. slots_max; 0 when it cannot grade
    std::vector<std::string> missing;  // why it cannot
};
struct LeaseRequest {
    std::int64_t epoch = 0;
    std::int64_t wait_ms = 0;          // 0 .. poll_wait_max
    std::int64_t slot = 0;             // that it will run in: 0 .. slots_max - 1
};
struct EventRequest {
    queue::Token token;
    std::int64_t sequence = 0;
    std::string stage;
    std::string test;
    std::optional<model::Report> report;  // of one stage: what has just finished
    std::optional<model::Reason> reason;  // why it has not begun yet
};
struct HeartbeatRequest {
    std::int64_t epoch = 0;
    std::vector<queue::Token> running;
};
struct FaultText {
    std::string text;
};
struct ResultRequest {
    queue::Token token;
    std::variant<queue::Finished, FaultText> outcome;
};

// Errors of all: invalid (what is wrong), too_large.
Result<SessionRequest> session_request(std::string_view body);
Result<LeaseRequest> lease_request(std::string_view body);
Result<EventRequest> event_request(std::string_view body);
Result<HeartbeatRequest> heartbeat_request(std::string_view body);
Result<ResultRequest> result_request(std::string_view body);  // can take as long as 8 MiB of JSON takes

std::string session_answer(std::int64_t epoch);
// `plan`: the stored JSON, put in as it is.
std::string lease_answer(const queue::Lease&, std::string_view revision_digest, std::string_view plan);
std::string heartbeat_answer(const std::vector<queue::Token>& drop, bool drain);

}  // namespace assay::dispatch
