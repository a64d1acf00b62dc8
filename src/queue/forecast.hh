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

struct Tempo {
    // How much longer a job of the module takes that has run for `ran_ms`; 0: that has not begun. nullopt: nothing is known.
    std::function<std::optional<std::int64_t>(const CourseId&, const ModuleId&, std::int64_t ran_ms)> left_ms;
    std::int64_t between_ms = 0;  // from the end of a job to the start of the next in the same slot, while work waits
};

// Of each of `situation.waiting`. nullopt: its module is paused, or nothing at all starts, or no length is known yet.
// n jobs cost O(n log n).
std::vector<std::optional<std::int64_t>> expected_starts(const Situation& situation, const Tempo& tempo);

}  // namespace assay::queue
