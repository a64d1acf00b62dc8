// Declarative test files: what a field of [[test]] does not say comes from [defaults].
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.hh"
#include "course/command.hh"
#include "course/module.hh"

namespace assay::course {
namespace {

constexpr double points_max = 1e6;
constexpr std::size_t args_max = 200;
constexpr std::size_t test_name_bytes_max = 200;

constexpr std::string_view default_keys[] = {"run",       "args",    "stdin",  "stdin_file", "stdout", "stdout_file",
                                             "exit_code", "compare", "points", "visibility", "limits"};
constexpr std::string_view test_keys[] = {"name",        "run",       "args",    "stdin",  "stdin_file", "stdout",
                                          "stdout_file", "exit_code", "compare", "points", "visibility", "limits"};
constexpr Later later_keys[] = {
    {"files", "this version cannot compare files yet; let the program print what matters"},
    {"tolerance", "this version cannot compare numbers with a tolerance yet"},
    {"checker", "this version cannot run a checker yet; use a trusted stage with a report"},
};
constexpr std::string_view compare_words[] = {"exact", "whitespace"};
constexpr Later compare_later[] = {
    {"lines", "this version cannot compare line by line yet; use exact or whitespace"},
    {"float", "this version cannot compare numbers with a tolerance yet; use exact or whitespace"},
    {"regex", "this version cannot match a regular expression yet; use exact or whitespace"},
    {"checker", "this version cannot run a checker yet; use a trusted stage with a report"},
};
constexpr std::string_view visibility_words[] = {"visible", "after_due", "hidden"};

// What one table says; nullopt = nothing.
struct TestKeys {
    std::vector<std::string> run;  // empty = nothing
    std::optional<std::vector<std::string>> args;
    std::optional<std::string> stdin_bytes;
    std::optional<std::string> stdout_bytes;
    std::optional<std::int64_t> exit_code;
    std::optional<model::Compare> compare;
    std::optional<double> points;
    std::optional<model::Visibility> visibility;
    LimitKeys limits;
};

// `key`, or the content of the file that `key`_file names.
Result<std::optional<std::string>> read_bytes(const ModuleFolder& folder, const Section& section,
                                              std::string_view key) {
    const std::string file_key = fmt::format("{}_file", key);
    ASSAY_TRY(auto bytes, section.bytes(key));
    ASSAY_TRY(const auto path, section.text(file_key));
    if (bytes && path) return section.problem(file_key, fmt::format("give either {} or {}, not both", key, file_key));
    if (path) {
        const auto found = folder.files.find(*path);
        if (found == folder.files.end()) {
            return section.problem(
                file_key,
                fmt::format("there is no file '{}' in the module (names are relative to its folder)", escaped(*path)));
        }
        bytes = std::string{found->second};
    }
    if (bytes && bytes->size() > test_bytes_max) {
        return section.problem(path ? file_key : key, fmt::format("larger than {}", size_text(test_bytes_max)));
    }
    return bytes;
}

Result<TestKeys> read_keys(const ModuleFolder& folder, const Section& section, const std::string& name) {
    TestKeys keys;
    ASSAY_TRY(keys.run, read_command(section));
    ASSAY_TRY(keys.args, section.texts("args", args_max));
    ASSAY_TRY(keys.stdin_bytes, read_bytes(folder, section, "stdin"));
    ASSAY_TRY(keys.stdout_bytes, read_bytes(folder, section, "stdout"));
    ASSAY_TRY(keys.exit_code, section.whole("exit_code", 0, 255));
    ASSAY_TRY(keys.points, section.number("points", 0, points_max));
    ASSAY_TRY(const auto compare, section.word("compare", compare_words, compare_later));
    if (compare) keys.compare = model::parse<model::Compare>(*compare);
    ASSAY_TRY(const auto visibility, section.word("visibility", visibility_words));
    if (visibility) keys.visibility = model::parse<model::Visibility>(*visibility);
    ASSAY_TRY(keys.limits, read_limits(section, "limits of " + name));
    return keys;
}

Result<model::TestPlan> read_test(const ModuleFolder& folder, const std::string& file, const Value& value,
                                  const TestKeys& defaults, const LimitKeys& stage_limits) {
    ASSAY_TRY(const Section section, Section::open(file, value, "[[test]]", test_keys, later_keys));
    ASSAY_CHECK(section.require("name"));
    ASSAY_TRY(auto name, section.text("name", test_name_bytes_max));
    if (trimmed(*name).empty()) return section.problem("name", "must not be empty");
    ASSAY_TRY(TestKeys own, read_keys(folder, section, fmt::format("test '{}'", *name)));

    model::TestPlan test;
    test.name = std::move(*name);
    test.command = own.run.empty() ? defaults.run : own.run;
    if (test.command.empty()) {
        return problem_at(file, value.line,
                          fmt::format("test '{}' has nothing to run; give it or [defaults] a 'run'", test.name));
    }
    const auto& args = own.args ? own.args : defaults.args;
    if (args) test.command.insert(test.command.end(), args->begin(), args->end());
    if (auto good = check_command(test.command); !good) return section.problem("args", good.error().text());
    test.stdin_bytes = own.stdin_bytes ? std::move(*own.stdin_bytes) : defaults.stdin_bytes.value_or("");
    test.stdout_bytes = own.stdout_bytes ? own.stdout_bytes : defaults.stdout_bytes;
    test.exit_code = static_cast<int>(own.exit_code.value_or(defaults.exit_code.value_or(0)));
    test.compare = own.compare.value_or(defaults.compare.value_or(model::Compare::exact));
    test.points = own.points.value_or(defaults.points.value_or(1));
    test.visibility = own.visibility.value_or(defaults.visibility.value_or(model::Visibility::visible));
    test.limits = merge_limits({own.limits, defaults.limits, stage_limits});
    return test;
}

}  // namespace

Result<std::vector<std::string>> read_command(const Section& section) {
    const Value* value = section.find("run");
    if (value == nullptr) return std::vector<std::string>{};
    if (std::holds_alternative<List>(value->is)) {
        ASSAY_TRY(auto words, section.texts("run", command_words_max));
        if (auto good = check_command(*words); !good) return section.problem("run", good.error().text());
        return std::move(*words);
    }
    ASSAY_TRY(const auto text, section.bytes("run"));
    auto words = split_command(*text);
    if (!words) return section.problem("run", words.error().text());
    return words;
}

Result<std::vector<model::TestPlan>> compile_tests(const ModuleFolder& folder, const Section& stage,
                                                   const std::string& glob, const LimitKeys& stage_limits,
                                                   std::size_t room) {
    constexpr std::string_view top_keys[] = {"defaults", "test"};
    std::vector<model::TestPlan> tests;
    std::set<std::string, std::less<>> names;
    bool found = false;
    for (const auto& [path, content] : folder.files) {
        if (::fnmatch(glob.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) != 0) continue;
        found = true;
        const std::string file = folder.shown(path);
        ASSAY_TRY(const Value root, parse_toml(file, content));
        ASSAY_TRY(const Section top, Section::open(file, root, "a test file", top_keys));
        TestKeys defaults;
        if (const Value* value = top.find("defaults")) {
            ASSAY_TRY(const Section section, Section::open(file, *value, "[defaults]", default_keys, later_keys));
            ASSAY_TRY(defaults, read_keys(folder, section, "[defaults]"));
        }
        ASSAY_TRY(const auto entries, tables(file, std::get<Table>(root.is), "test"));
        for (const Value* entry : entries) {
            if (tests.size() == room)
                return problem_at(file, entry->line, fmt::format("a module has at most {} tests", tests_max));
            ASSAY_TRY(auto test, read_test(folder, file, *entry, defaults, stage_limits));
            if (!names.insert(test.name).second) {
                return problem_at(file, entry->line,
                                  fmt::format("a second test named '{}' in this stage; names must differ", test.name));
            }
            tests.push_back(std::move(test));
        }
    }
    if (!found) return stage.problem("tests", fmt::format("no file of the module matches '{}'", escaped(glob)));
    if (tests.empty()) return stage.problem("tests", fmt::format("the files of '{}' have no [[test]]", escaped(glob)));
    return tests;
}

}  // namespace assay::course
