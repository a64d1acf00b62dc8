// Comparison: what a test expects, and how that is compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "course/module.hh"
#include "course/section.hh"
#include "model/plan.hh"

namespace assay::course {

constexpr std::size_t expected_files_max = 32;  // of a test

// What one table says; nullopt or empty = nothing.
struct ComparisonKeys {
    std::optional<std::string> stdout_bytes;
    std::optional<std::vector<model::ExpectedFile>> files;
    std::optional<model::Compare> compare;
    std::optional<double> tolerance;
    std::vector<std::string> checker;
};

// The key `key`, or the content of the file that the key `key`_file names. Errors: invalid.
Result<std::optional<std::string>> read_bytes(const ModuleFolder&, const Section&, std::string_view key);

// Errors: invalid.
Result<ComparisonKeys> read_comparison(const ModuleFolder&, const Section&);

// Fills what a test compares: its own keys, else those of [defaults]. A checker implies `compare = "checker"`. Errors: invalid
// (keys that do not go together, a pattern that is none), said of `test`.
Result<> merge_comparison(const Section& test, const ComparisonKeys& own, const ComparisonKeys& defaults, model::TestPlan&);

}  // namespace assay::course
