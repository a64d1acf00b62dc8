#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "course/course.hh"
#include "model/json.hh"

namespace assay::course {
namespace {

constexpr model::JsonBounds list_bounds{.size_max = 16u << 20, .depth_max = 8, .values_max = 1'000'000};
constexpr model::JsonBounds problem_bounds{.size_max = 1u << 20, .depth_max = 8, .values_max = 1000};

// A field's text; empty for anything else.
std::string text_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

Result<std::string> list_text(std::string_view list_json) {
    ASSAY_TRY(const nlohmann::json list, model::parse_json(list_json, list_bounds));
    if (!list.is_array()) return Error{Fault::invalid, "the list of courses is no list"};
    std::string text;
    for (const auto& course : list) {
        text += fmt::format("{}  {}\n", text_at(course, "id"), text_at(course, "title"));
        const auto modules = course.is_object() ? course.find("modules") : course.end();
        if (modules == course.end() || !modules->is_array()) continue;
        for (const auto& module : *modules) {
            const bool open = module.is_object() && module.value("open", nlohmann::json{}) == true;
            const auto revision = module.is_object() ? module.value("revision", nlohmann::json{}) : nlohmann::json{};
            text += fmt::format("  {}  {}  (revision {}, {})\n", text_at(module, "id"), text_at(module, "title"),
                                revision.dump(), open ? "open" : "not open");
        }
    }
    return text.empty() ? std::string{"no courses yet; `assay course apply DIR` makes one\n"} : text;
}

std::string problem_detail(std::string_view body) {
    const auto problem = model::parse_json(body, problem_bounds);
    const std::string detail = problem && problem->is_object() ? text_at(*problem, "detail") : std::string{};
    return detail.empty() ? escaped(trimmed(body)) : detail;
}

std::string imported_text(const Imported& imported, bool json) {
    if (json) {
        return nlohmann::ordered_json{{"added", imported.added},
                                      {"updated", imported.updated},
                                      {"unchanged", imported.unchanged},
                                      {"inactive", imported.inactive}}
            .dump();
    }
    std::string text = fmt::format("{} added, {} updated, {} unchanged", imported.added, imported.updated, imported.unchanged);
    if (!imported.inactive.empty()) text += fmt::format(", {} made inactive: {}", imported.inactive.size(), fmt::join(imported.inactive, " "));
    return text;
}

}  // namespace assay::course
