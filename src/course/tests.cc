// Declarative test files: what a field of [[test]] does not say comes from [defaults].
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.hh"
#include "course/command.hh"
#include "course/comparison.hh"
#include "course/module.hh"

namespace assay::course {
namespace {

constexpr double points_max = 1e6;
constexpr std::size_t args_max = 200;
constexpr std::size_t test_name_bytes_max = 200;

constexpr std::string_view test_keys[] = {"name",      "run",     "args",      "stdin",   "stdin_file", "stdout",     "stdout_file", "files",
                                          "exit_code", "compare", "tolerance", "checker", "points",     "visibility", "limits"};
constexpr std::span<const std::string_view> default_keys = std::span{test_keys}.subspan(1);  // all but the name
constexpr std::string_view visibility_words[] = {"visible", "after_due", "hidden"};

// What one table says; nullopt = nothing.
struct TestKeys {
    std::vector<std::string> run;  // empty = nothing
    std::optional<std::vector<std::string>> args;
    std::optional<std::string> stdin_bytes;
    std::optional<std::int64_t> exit_code;
    ComparisonKeys comparison;
    std::optional<double> points;
    std::optional<model::Visibility> visibility;
    LimitKeys limits;
};

Result<TestKeys> read_keys(const ModuleFolder& folder, const Section& section, const std::string& name) {
    TestKeys keys;
    ASSAY_TRY(keys.run, read_command(section));
    ASSAY_TRY(keys.args, section.texts("args", args_max));
    ASSAY_TRY(keys.stdin_bytes, read_bytes(folder, section, "stdin"));
    ASSAY_TRY(keys.exit_code, section.whole("exit_code", 0, 255));
    ASSAY_TRY(keys.points, section.number("points", 0, points_max));
    ASSAY_TRY(keys.comparison, read_comparison(folder, section));
    ASSAY_TRY(const auto visibility, section.word("visibility", visibility_words));
    if (visibility) keys.visibility = model::parse<model::Visibility>(*visibility);
    ASSAY_TRY(keys.limits, read_limits(section, "limits of " + name));
    return keys;
}

Result<model::TestPlan> read_test(const ModuleFolder& folder, const std::string& file, const Value& value,
                                  const TestKeys& defaults, const StageLimits& stage_limits) {
    ASSAY_TRY(const Section section, Section::open(file, value, "[[test]]", test_keys));
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
    test.exit_code = static_cast<int>(own.exit_code.value_or(defaults.exit_code.value_or(0)));
    ASSAY_CHECK(merge_comparison(section, own.comparison, defaults.comparison, test));
    test.points = own.points.value_or(defaults.points.value_or(1));
    test.visibility = own.visibility.value_or(defaults.visibility.value_or(model::Visibility::visible));
    test.limits = merge_limits({own.limits, defaults.limits, stage_limits.keys}, stage_limits.on_disk);
    return test;
}

}  // namespace

Result<std::vector<std::string>> read_command(const Section& section, std::string_view key) {
    const Value* value = section.find(key);
    if (value == nullptr) return std::vector<std::string>{};
    if (std::holds_alternative<List>(value->is)) {
        ASSAY_TRY(auto words, section.texts(key, command_words_max));
        if (auto good = check_command(*words); !good) return section.problem(key, good.error().text());
        return std::move(*words);
    }
    ASSAY_TRY(const auto text, section.bytes(key));
    auto words = split_command(*text);
    if (!words) return section.problem(key, words.error().text());
    return words;
}

Result<std::vector<model::TestPlan>> compile_tests(const ModuleFolder& folder, const Section& stage,
                                                   const std::string& glob, const StageLimits& stage_limits,
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
            ASSAY_TRY(const Section section, Section::open(file, *value, "[defaults]", default_keys));
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
