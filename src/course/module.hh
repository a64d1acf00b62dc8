// Module: one folder of a course into a plan. Internal to course.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hh"
#include "course/limits.hh"
#include "course/section.hh"
#include "model/plan.hh"

namespace assay::course {

constexpr std::size_t tests_max = 2000;            // of a module
constexpr std::size_t test_bytes_max = 16u << 20;  // of one stdin or expected stdout
constexpr std::size_t plan_bytes_max = 32u << 20;  // of a module's plan as JSON

// The files of one module. Everything must outlive what reads it.
struct ModuleFolder {
    std::string name;                                            // of the folder: "PA1"
    std::map<std::string, std::string_view, std::less<>> files;  // path inside the folder -> content

    std::string shown(std::string_view path) const { return name + "/" + std::string{path}; }
};

// Relative, without . and .., so that it can name something inside and nothing outside.
constexpr std::size_t path_bytes_max = 256;
bool inside(std::string_view path);

struct ModulePlan {
    ModuleId id;
    model::Plan plan;
    std::vector<std::string> warnings;
};
// Errors: invalid, naming file and line.
Result<ModulePlan> compile_module(const ModuleFolder&, const std::string& timezone);

// What a stage says of the limits of its tests.
struct StageLimits {
    LimitKeys keys;
    bool on_disk = false;  // what its tests write
};
// The tests of the files that `glob` names, in the order of the files' names.
// `room`: how many more tests the module may have. Errors: invalid.
Result<std::vector<model::TestPlan>> compile_tests(const ModuleFolder&, const Section& stage, const std::string& glob,
                                                   const StageLimits&, std::size_t room);

// The key `run` of a stage or test (or another that holds a command): a list, or text split like a shell. Absent = empty.
Result<std::vector<std::string>> read_command(const Section&, std::string_view key = "run");

}  // namespace assay::course
