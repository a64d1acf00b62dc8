// Forecast: when each job that waits will start, told by playing the policy's own order through with usual lengths. Pure.
//
// Nobody can foresee who hands in next. Whoever waits with one job is not overtaken by later ones; the further ones of somebody
// who handed in several are, so what is told of those holds only once no more come.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "queue/policy.hh"

namespace assay::queue {

struct Left {
    std::int64_t ms = 0;
    bool guessed = false;  // nothing like it is known yet: it is what jobs of other modules take
    bool operator==(const Left&) const = default;
};
struct Tempo {
    // How much longer a job of the module takes that has run for `ran_ms`; 0: that has not begun. nullopt: nothing is known of any.
    std::function<std::optional<Left>(const CourseId&, const ModuleId&, std::int64_t ran_ms)> left;
    std::int64_t between_ms = 0;  // from the end of a job to the start of the next in the same slot, while work waits
    std::int64_t reach_ms = INT64_MAX;  // how far ahead that tells anything
};
constexpr std::int64_t guessed_share = 4;  // of the work before a start, at most one part in so many may be guessed

// Of each of `situation.waiting`. nullopt: its module is paused, or nothing at all starts; or too little is known: it is beyond the
// tempo's reach, or too much of what comes before it is guessed. n jobs cost O(n log n).
std::vector<std::optional<std::int64_t>> expected_starts(const Situation& situation, const Tempo& tempo);

}  // namespace assay::queue
