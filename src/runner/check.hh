// Check: what a module's author is told before participants find out. Pure: plans and reports in, concerns out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/plan.hh"
#include "model/report.hh"

namespace assay::runner {

struct Concern {
    std::string code;  // never changes: programs read it
    std::string text;
    bool operator==(const Concern&) const = default;
};

// What can be scored without doing the work, as far as the plan alone tells.
std::vector<Concern> forgeable(const model::Plan&);

// Whether a run ended as its sample says. A score is compared to a ten-thousandth.
bool ends_as(model::Verdict, std::optional<double> score, const model::Report&);

// What differed between the runs of one sample, and what came so near to a limit that a busier machine decides.
constexpr double near_share = 0.7;   // of a time limit
constexpr double near_memory = 0.9;
std::vector<Concern> unsteady(const model::Plan&, std::span<const model::Report>);

// A submission with nothing but the names that the module requires.
std::vector<std::string> hollow_paths(const model::UploadRules&);

}  // namespace assay::runner
