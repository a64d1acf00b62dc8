// A module's folder as its author has it on disk, without a server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hh"
#include "course/course.hh"

namespace assay::cli {

// What the folder is called, whether it was named as `.`, with a slash at the end, or whole.
Result<std::filesystem::path> whole_path(const std::string& folder);

struct ModuleFolder {
    std::string name;
    course::CompiledModule module;
    std::vector<archive::SourceFile> files;  // paths relative to the folder
    std::vector<std::string> notes;          // for its author
};
// With the course.toml beside it, when there is one. Errors: invalid (naming file and line), those of reading.
Result<ModuleFolder> read_module(const std::string& folder);

}  // namespace assay::cli
