// The runner's messages of docs/formats/runner-protocol.md as values. Pure; strict about what it reads, since a message that
// is not understood must end the session and never become a verdict.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/plan.hh"

namespace assay::runner {

struct Token {
    std::int64_t job = 0;
    std::int64_t attempt = 0;
    std::int64_t epoch = 0;
    bool operator==(const Token&) const = default;
};

struct Opened {
    std::int64_t epoch = 0;
    std::chrono::milliseconds lease{};      // without a heartbeat for this long every lease is void
    std::chrono::milliseconds heartbeat{};  // 1 ms .. lease / 2
};

struct Lease {
    Token token;
    std::string submission;
    std::string sha256;           // of the archive; 64 lower-case hex digits, like the next
    std::int64_t size_bytes = 0;  // of the archive
    std::string revision_digest;
    model::Plan plan;
};

struct Beat {
    std::vector<Token> drop;
    bool drain = false;
};

std::string session_request(std::string_view name, int slots);
std::string lease_request(std::int64_t epoch, int slot, std::chrono::milliseconds wait);
// `report_json`: of what has just finished; empty: it began, or waits for `reason`.
std::string event_request(const Token&, std::int64_t sequence, std::string_view stage, std::string_view test,
                          std::string_view report_json = {}, std::optional<model::Reason> reason = {});
std::string heartbeat_request(std::int64_t epoch, const std::vector<Token>& running);
std::string report_request(const Token&, std::string_view report_json);
std::string fault_request(const Token&, std::string_view text);  // cut to fault_bytes_max
std::string input_target(const Token&);
std::string revision_target(std::string_view digest);

// Errors of all three: invalid (with the field), too_large.
Result<Opened> opened_from_json(std::string_view);
Result<Lease> lease_from_json(std::string_view);
Result<Beat> beat_from_json(std::string_view);

}  // namespace assay::runner
