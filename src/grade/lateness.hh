// Lateness: when a submission counts as handed in, by when it should have been, and what being late costs. Pure. It is worked out when
// a score is shown, so a change of dates, of the policy or of somebody's extension needs no run.
#pragma once

#include <cstdint>
#include <optional>

#include "model/plan.hh"

namespace assay::grade {

// Milliseconds since 1970 UTC; nullopt = no bound.
struct Dates {
    std::optional<std::int64_t> opens_ms;
    std::optional<std::int64_t> due_ms;
    std::optional<std::int64_t> closes_ms;
    bool operator==(const Dates&) const = default;
};

// The module's dates for one participant. An extension moves his `due` (and `closes`, unless that is later anyway), and never back.
Dates dates_of(const model::Plan&, std::optional<std::int64_t> extended_until_ms);

// A submission is handed in with its last byte; with its first when its SHA-256 was declared then and the rest came within the grace;
// with the commitment to its bytes when they came in the time that it gave.
struct Arrived {
    std::int64_t first_byte_ms = 0;
    std::int64_t last_byte_ms = 0;
    bool declared = false;
    std::optional<std::int64_t> committed_ms = {};  // of a commitment they kept; whether they did was decided when they came
};
std::int64_t handed_in_ms(const Arrived&, std::int64_t upload_grace_ms);

// What lateness means for a submission handed in at some time. Two of equal standing cost the same, so that one may replace the other.
struct Lateness {
    bool after_due = false;  // even inside the grace of `late`
    bool late = false;       // after that grace as well
    double share = 0;        // of the full score that is taken, 0..1
    bool operator==(const Lateness&) const = default;
};
// A day is begun after `due`, not after the grace: with a grace of an hour, the 61st minute is in the first day.
Lateness lateness(const Dates&, const std::optional<model::Late>&, std::int64_t handed_in_ms);

// Points that are taken off `score`: the share of `score_max`, but never more than brings it to zero.
double penalty(const Lateness&, double score, double score_max);

}  // namespace assay::grade
