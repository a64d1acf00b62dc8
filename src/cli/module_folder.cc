#include "cli/module_folder.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/zone.hh"

namespace assay::cli {
namespace {

constexpr std::size_t course_toml_bytes_max = 1 << 20;

}  // namespace

Result<std::filesystem::path> whole_path(const std::string& folder) {
    std::error_code failure;
    std::filesystem::path path = std::filesystem::absolute(folder, failure).lexically_normal();
    if (failure) return Error{Fault::invalid, fmt::format("{}: {}", escaped(folder), failure.message())};
    if (!path.has_filename()) path = path.parent_path();
    return path;
}

Result<ModuleFolder> read_module(const std::string& folder) {
    ASSAY_TRY(const std::filesystem::path path, whole_path(folder));
    ModuleFolder read;
    read.name = path.filename();
    ASSAY_TRY(read.files, course::read_folder(path));
    std::vector<archive::SourceFile> files = read.files;
    for (archive::SourceFile& file : files) file.path = read.name + "/" + file.path;
    auto course = sys::read_file(path.parent_path() / "course.toml", course_toml_bytes_max);
    if (!course) read.notes.push_back("there is no course.toml beside the folder; dates are read in this machine's zone");
    files.push_back({"course.toml", false, course ? *course : "[course]\nid = \"alone\"\n"});
    ASSAY_TRY(course::Compiled compiled, course::compile(std::move(files), sys::server_zone()));
    if (compiled.modules.size() != 1) return Error{Fault::invalid, fmt::format("{} has no module.toml; is this a module's folder?", escaped(read.name))};
    read.module = std::move(compiled.modules.front());
    if (course) read.notes.insert(read.notes.end(), compiled.warnings.begin(), compiled.warnings.end());
    return read;
}

}  // namespace assay::cli
