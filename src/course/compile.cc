// A course's folder into rows and plans: course.toml, and every folder that has a module.toml.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "base/text.hh"
#include "course/course.hh"
#include "course/module.hh"
#include "sys/sha256.hh"
#include "sys/zone.hh"

namespace assay::course {
namespace {

constexpr std::string_view samples_folder = "samples/";
constexpr std::size_t modules_max = 500;
constexpr std::string_view course_file = "course.toml";

Result<store::Course> read_course(const std::string& file, std::string_view text, const std::string& default_timezone,
                                  std::vector<std::string>& warnings) {
    ASSAY_TRY(const Value root, parse_toml(file, text));
    constexpr std::string_view top_keys[] = {"course"};
    constexpr std::string_view known[] = {"id", "title", "timezone", "language", "contact"};
    constexpr std::string_view languages[] = {"en", "zh"};
    ASSAY_TRY(const Section top, Section::open(file, root, "course.toml", top_keys));
    ASSAY_CHECK(top.require("course"));
    ASSAY_TRY(const Section section, Section::open(file, *top.find("course"), "[course]", known));
    ASSAY_CHECK(section.require("id"));
    ASSAY_TRY(const auto id, section.text("id"));
    if (!valid_name(*id)) return section.problem("id", "must be 1 to 64 of A-Z a-z 0-9 . _ - and not begin with a dot");
    ASSAY_TRY(const auto title, section.text("title"));
    ASSAY_TRY(const auto timezone, section.text("timezone"));
    ASSAY_TRY(const auto language, section.word("language", languages));
    ASSAY_TRY(const auto contact, section.text("contact"));
    if (timezone && !sys::known_zone(*timezone)) {
        return section.problem(
            "timezone", fmt::format("'{}' is no zone this machine knows; write a name such as Asia/Shanghai (and is "
                                    "tzdata installed?)",
                                    escaped(*timezone, 64)));
    }
    if (!timezone)
        warnings.push_back(fmt::format("{} names no timezone; dates are in the server's, {}", file, default_timezone));
    return store::Course{.id = CourseId{*id},
                         .title = title.value_or(*id),
                         .timezone = timezone.value_or(default_timezone),
                         .language = language.value_or("en"),
                         .contact = contact.value_or("")};
}

// What trusted commands see: `grader/`, and where a test has a checker all but the TOML files, whose content is in the plan.
Result<std::string> digest_of_seen(const std::vector<archive::SourceFile>& files, const model::Plan& plan) {
    const bool checkers = std::ranges::any_of(plan.stages, [](const model::StagePlan& stage) {
        return std::ranges::any_of(stage.tests, [](const model::TestPlan& test) { return !test.checker.empty(); });
    });
    std::vector<archive::SourceFile> seen;
    std::ranges::copy_if(files, std::back_inserter(seen), [&](const archive::SourceFile& file) {
        return file.path.starts_with("grader/") || (checkers && !file.path.ends_with(".toml"));
    });
    ASSAY_TRY(const std::string tar, archive::pack_tar(std::move(seen)));
    return sys::sha256_hex(bytes_of(tar));
}

Result<CompiledModule> compile_folder(const std::string& name, std::vector<archive::SourceFile> files,
                                      const std::string& timezone, std::vector<std::string>& warnings) {
    ModuleFolder folder{.name = name, .files = {}};
    for (const archive::SourceFile& file : files) folder.files.emplace(file.path, file.content);
    ASSAY_TRY(ModulePlan made, compile_module(folder, timezone));
    std::ranges::move(made.warnings, std::back_inserter(warnings));
    if (model::to_json(made.plan).size() > plan_bytes_max) {
        return Error{Fault::too_large, fmt::format("{}: its tests are larger than {} together",
                                                   folder.shown("module.toml"), size_text(plan_bytes_max))};
    }
    std::erase_if(files, [](const archive::SourceFile& file) { return file.path.starts_with(samples_folder); });
    auto seen = digest_of_seen(files, made.plan);
    if (!seen) return seen.take_error().in(name);
    made.plan.files_sha256 = std::move(*seen);
    CompiledModule module{
        .id = made.id, .title = made.plan.title, .plan = std::move(made.plan), .revision_tar = {}, .digest = {}};
    auto tar = archive::pack_tar(std::move(files));
    if (!tar) return tar.take_error().in(name);
    module.revision_tar = std::move(*tar);
    module.digest = sys::sha256_hex(bytes_of(module.revision_tar));
    return module;
}

}  // namespace

Result<Compiled> compile(std::vector<archive::SourceFile> course_folder, const std::string& default_timezone) {
    std::map<std::string, std::vector<archive::SourceFile>> folders;
    std::optional<std::string> course_toml;
    std::int64_t bytes = 0;
    if (course_folder.size() > folder_files_max)
        return Error{Fault::too_large, fmt::format("more than {} files", folder_files_max)};
    for (archive::SourceFile& file : course_folder) {
        bytes += static_cast<std::int64_t>(file.content.size());
        if (bytes > folder_bytes_max)
            return Error{Fault::too_large, "the course's files are larger than " + size_text(folder_bytes_max)};
        const auto slash = file.path.find('/');
        if (file.path == course_file) course_toml = std::move(file.content);
        if (slash == std::string::npos) continue;
        const std::string name = file.path.substr(0, slash);
        file.path.erase(0, slash + 1);
        folders[name].push_back(std::move(file));
    }
    if (!course_toml) return Error{Fault::invalid, "there is no course.toml; is this the course's folder?"};

    Compiled compiled;
    ASSAY_TRY(compiled.course,
              read_course(std::string{course_file}, *course_toml, default_timezone, compiled.warnings));
    for (auto& [name, files] : folders) {
        if (std::ranges::find(files, "module.toml", &archive::SourceFile::path) == files.end()) {
            compiled.warnings.push_back(fmt::format("{} has no module.toml and is passed over", escaped(name)));
            continue;
        }
        ASSAY_TRY(auto module, compile_folder(name, std::move(files), compiled.course.timezone, compiled.warnings));
        if (std::ranges::find(compiled.modules, module.id, &CompiledModule::id) != compiled.modules.end()) {
            return Error{Fault::invalid, fmt::format("{}/module.toml: another folder has the module id '{}' already",
                                                     name, module.id.text())};
        }
        compiled.modules.push_back(std::move(module));
        if (compiled.modules.size() > modules_max)
            return Error{Fault::too_large, fmt::format("more than {} modules", modules_max)};
    }
    std::ranges::sort(compiled.modules, {}, &CompiledModule::id);
    return compiled;
}

}  // namespace assay::course
