// What a teacher writes, as the admin socket hands it over: the first byte says which file it is. m: module.toml, t: a test file, c:
// course.toml, r: a roster.
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "course/course.hh"

namespace assay {
namespace {

constexpr std::string_view course_toml = "[course]\nid = \"C\"\ntimezone = \"UTC\"\n";
constexpr std::string_view module_toml =
    "[module]\nid = \"M\"\n[[stage]]\nname = \"tests\"\ntests = \"tests/*.toml\"\n";

void check_roster(std::string_view csv) {
    const auto rows = course::parse_roster(csv);
    if (!rows) return;
    // What was read is written so that it is read alike.
    const auto again = course::parse_roster(course::roster_csv(*rows));
    ASSAY_ASSERT(again && again->size() == rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
        ASSAY_ASSERT((*again)[i].id == (*rows)[i].id && (*again)[i].name == (*rows)[i].name && valid_utf8((*rows)[i].name));
    }
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    const char which = input.front();
    const std::string_view text = input.substr(1);
    if (which == 'r') return check_roster(text);
    const auto content = [&](char of, std::string_view otherwise) { return std::string{which == of ? text : otherwise}; };
    auto compiled = course::compile({{.path = "course.toml", .content = content('c', course_toml)},
                                     {.path = "M/checkers/x.py", .content = ""},
                                     {.path = "M/expected/out.txt", .content = "1\n"},
                                     {.path = "M/module.toml", .content = content('m', module_toml)},
                                     {.path = "M/tests/a.toml", .content = content('t', "[[test]]\nname = \"a\"\nrun = \"x\"\n")}},
                                    "UTC");
    if (!compiled) return;
    for (const course::CompiledModule& module : compiled->modules) {
        const std::string json = model::to_json(module.plan);
        const auto again = model::plan_from_json(json);
        ASSAY_ASSERT(again && model::to_json(*again) == json);
    }
}

}  // namespace assay
