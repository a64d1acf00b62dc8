// Samples: what somebody might hand in to a module, and how that must end. And what a new module begins with.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/archive.hh"
#include "base/result.hh"
#include "model/words.hh"

namespace assay::course {

constexpr std::size_t samples_max = 100;  // of a module

struct Sample {
    std::string name;
    std::vector<archive::SourceFile> files;  // what lies in samples/NAME/src
    model::Verdict verdict = model::Verdict::passed;
    std::optional<double> score;             // nullopt: any
};
// From a module's files, by name. `shown`: how errors name the module's folder. Errors: invalid (naming file and line): a sample
// without src or expect.toml, a key or verdict that is none; too_large.
Result<std::vector<Sample>> read_samples(const std::string& shown, const std::vector<archive::SourceFile>& module);

// The files of a small module that passes its own check. `id` has been checked (valid_name).
std::vector<archive::SourceFile> new_module(const std::string& id);

}  // namespace assay::course
