// Answers: what a server says, as values. Errors (invalid) say what is wrong with it. Pure; whatever is not there or of another type is left out or refused, never believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "model/plan.hh"
#include "wording/wording.hh"

namespace assay::client {

// application/problem+json.
struct Problem {
    std::string code;
    std::string detail;
    std::string next;
};
// nullopt: it is none.
std::optional<Problem> problem_from(std::string_view json);

// GET /api/v1/limits of a module.
struct Limits {
    model::UploadRules rules;
    bool open = true;
    std::string opens;   // as the server writes dates; empty: no bound
    std::string due;
    std::string closes;
    std::string now;  // the server's clock
    std::int64_t upload_grace_ms = 30LL * 60 * 1000;  // for bytes that were announced; of an older server the default
    std::string timezone;
};
Result<Limits> limits_from(std::string_view json);
// A date as the server writes it ("2026-10-15T23:59:59.123+08:00") as milliseconds since 1970; nullopt: it is none.
std::optional<std::int64_t> instant_ms(std::string_view date);

// Whether an upload that begins now could be late because of its length: a date is nearer than the grace, or every day costs already.
bool worth_committing(const Limits&);

// What is said of bytes that were announced.
struct Committed {
    std::string at;
    std::string until;
};
Result<Committed> committed_from(std::string_view commitment);

// What is said of an accepted upload.
struct Received {
    std::string id;
    std::string at;      // the last byte's time
};
Result<Received> received_from(std::string_view receipt);

// A submission's state.
struct Standing {
    std::string id;
    std::string state;
    std::string verdict;                  // empty while there is none
    std::optional<double> score;
    std::optional<double> score_max;
    std::string reason;                   // why it waits, for a person
    std::string details;
    std::optional<std::int64_t> position;
    std::string expected_start;
    std::string superseded_by;
    std::string committed_at;             // where that is the time that counts, and not when it was received
    bool rejudging = false;
    bool over() const { return (state == "graded" && !rejudging) || state == "cancelled" || state == "superseded"; }
};
Result<Standing> standing_from(std::string_view json);
// One line for a person; everything from the server is escaped.
std::string line_of(const Standing&, wording::Language);

}  // namespace assay::client
