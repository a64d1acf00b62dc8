#include "course/comparison.hh"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/compare.hh"

namespace assay::course {
namespace {

constexpr double tolerance_max = 1e9;
constexpr std::string_view grader_folder = "/grader/";  // where a checker finds the module's files
constexpr std::string_view compare_words[] = {"exact", "whitespace", "lines", "float", "regex", "checker"};

Error no_file(const Section& section, std::string_view key, std::string_view path) {
    return section.problem(
        key, fmt::format("there is no file '{}' in the module (names are relative to its folder)", escaped(path)));
}

Result<std::optional<std::vector<model::ExpectedFile>>> read_files(const ModuleFolder& folder, const Section& section) {
    const Value* value = section.find("files");
    if (value == nullptr) return std::optional<std::vector<model::ExpectedFile>>{};
    const auto* table = std::get_if<Table>(&value->is);
    if (table == nullptr || table->empty() || table->size() > expected_files_max) {
        return section.problem("files", fmt::format("must be a table of 1 to {} files, such as {{ \"out.txt\" = \"expected/out.txt\" }}",
                                                    expected_files_max));
    }
    std::vector<model::ExpectedFile> files;
    for (const auto& [path, entry] : *table) {
        const auto* source = std::get_if<std::string>(&entry.is);
        if (source == nullptr) return section.problem("files", fmt::format("'{}' must name a file of the module", escaped(path)));
        if (!inside(path)) {
            return section.problem("files", fmt::format("'{}' must be a relative path inside /work, without . or ..", escaped(path)));
        }
        const auto found = folder.files.find(*source);
        if (found == folder.files.end()) return no_file(section, "files", *source);
        if (found->second.size() > test_bytes_max) {
            return section.problem("files", fmt::format("'{}' is larger than {}", escaped(*source), size_text(test_bytes_max)));
        }
        files.push_back({path, std::string{found->second}});
    }
    return std::optional{std::move(files)};
}

// A script of the module, or a command that names one below /grader.
Result<std::vector<std::string>> read_checker(const ModuleFolder& folder, const Section& section) {
    ASSAY_TRY(auto command, read_command(section, "checker"));
    if (command.size() == 1 && !command.front().starts_with('/')) {
        const std::string path = command.front();
        if (!folder.files.contains(path)) return no_file(section, "checker", path);
        const char* const interpreter = path.ends_with(".py") ? "python3" : path.ends_with(".sh") ? "sh" : nullptr;
        if (interpreter == nullptr) {
            return section.problem(
                "checker", "a path alone must end in .py or .sh; write the whole command, such as [\"perl\", \"/grader/checkers/x.pl\"]");
        }
        return std::vector<std::string>{interpreter, std::string{grader_folder} + path};
    }
    for (const std::string& word : command) {
        if (!word.starts_with(grader_folder)) continue;
        const std::string_view path = std::string_view{word}.substr(grader_folder.size());
        if (!folder.files.contains(path)) return no_file(section, "checker", path);
    }
    return command;
}

// How the test compares: what one table says of it, a checker being the clearest word.
std::optional<model::Compare> said(const ComparisonKeys& keys) {
    return keys.checker.empty() ? keys.compare : model::Compare::checker;
}

Result<> check_patterns(const Section& section, const model::TestPlan& test) {
    const auto check = [&](std::string_view key, std::string_view pattern) -> Result<> {
        if (auto good = grade::check_pattern(pattern); !good) return section.problem(key, good.error().text());
        return ok;
    };
    if (test.stdout_bytes) ASSAY_CHECK(check(section.has("stdout_file") ? "stdout_file" : "stdout", *test.stdout_bytes));
    for (const model::ExpectedFile& file : test.files) ASSAY_CHECK(check("files", file.bytes));
    return ok;
}

}  // namespace

Result<std::optional<std::string>> read_bytes(const ModuleFolder& folder, const Section& section, std::string_view key) {
    const std::string file_key = fmt::format("{}_file", key);
    ASSAY_TRY(auto bytes, section.bytes(key));
    ASSAY_TRY(const auto path, section.text(file_key));
    if (bytes && path) return section.problem(file_key, fmt::format("give either {} or {}, not both", key, file_key));
    if (path) {
        const auto found = folder.files.find(*path);
        if (found == folder.files.end()) return no_file(section, file_key, *path);
        bytes = std::string{found->second};
    }
    if (bytes && bytes->size() > test_bytes_max) {
        return section.problem(path ? file_key : key, fmt::format("larger than {}", size_text(test_bytes_max)));
    }
    return bytes;
}

Result<ComparisonKeys> read_comparison(const ModuleFolder& folder, const Section& section) {
    ComparisonKeys keys;
    ASSAY_TRY(keys.stdout_bytes, read_bytes(folder, section, "stdout"));
    ASSAY_TRY(keys.files, read_files(folder, section));
    ASSAY_TRY(const auto compare, section.word("compare", compare_words));
    if (compare) keys.compare = model::parse<model::Compare>(*compare);
    ASSAY_TRY(keys.tolerance, section.number("tolerance", 0, tolerance_max));
    ASSAY_TRY(keys.checker, read_checker(folder, section));
    if (!keys.checker.empty() && keys.compare && keys.compare != model::Compare::checker) {
        return section.problem("checker", fmt::format("it does not go with compare = \"{}\"; leave one of them out",
                                                      model::to_string(*keys.compare)));
    }
    return keys;
}

Result<> merge_comparison(const Section& section, const ComparisonKeys& own, const ComparisonKeys& defaults, model::TestPlan& test) {
    test.compare = said(own).value_or(said(defaults).value_or(model::Compare::exact));
    test.stdout_bytes = own.stdout_bytes ? own.stdout_bytes : defaults.stdout_bytes;
    test.files = own.files ? *own.files : defaults.files.value_or(std::vector<model::ExpectedFile>{});
    test.tolerance = own.tolerance.value_or(defaults.tolerance.value_or(test.tolerance));
    if (own.tolerance && test.compare != model::Compare::float_) {
        return section.problem("tolerance", "it belongs to compare = \"float\"");
    }
    if (test.compare == model::Compare::regex) return check_patterns(section, test);
    if (test.compare != model::Compare::checker) return ok;
    test.checker = own.checker.empty() ? defaults.checker : own.checker;
    if (test.checker.empty()) return section.problem("compare", "\"checker\" needs the key 'checker', which says what to run");
    if (!test.files.empty()) return section.problem("files", "a checker judges what was printed; let the program print what matters");
    return ok;
}

}  // namespace assay::course
