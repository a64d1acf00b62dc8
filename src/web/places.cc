#include "web/places.hh"

#include "course/identity.hh"

namespace assay::web {

Result<std::optional<Place>> find_place(store::Reading& reading, const store::Keys& keys, const std::vector<std::string>& captures) {
    const std::optional<Place> nowhere;
    const std::string& course_name = captures.at(0);
    const std::string& module_name = captures.at(1);
    if (!valid_name(course_name) || !valid_name(module_name)) return nowhere;
    ASSAY_TRY(const auto course, reading.course(CourseId{course_name}));
    if (!course) return nowhere;
    ASSAY_TRY(const auto participant, course::who_by_key(reading, keys, course->id, captures.at(2)));
    if (!participant) return nowhere;
    ASSAY_TRY(const auto module, reading.module(course->id, ModuleId{module_name}));
    if (!module || module->archived) return nowhere;
    return std::optional{Place{*course, *module, *participant}};
}

Address address_of(const CourseId& course, const ModuleId& module, std::string_view key) {
    return Address{} / "oj" / course.text() / module.text() / key;
}

Result<std::vector<ModuleLink>> links_of(store::Reading& reading, const store::Course& course, std::string_view key, const ModuleId& current) {
    ASSAY_TRY(const auto modules, reading.modules(course.id));
    std::vector<ModuleLink> links;
    for (const store::Module& module : modules) {
        if (module.archived) continue;
        links.push_back({.course = course.title.empty() ? course.id.text() : course.title,
                         .title = module.title.empty() ? module.id.text() : module.title,
                         .address = address_of(course.id, module.id, key),
                         .current = module.id == current});
    }
    return links;
}

Language language_of(std::string_view tag) { return tag.starts_with("zh") ? Language::chinese : Language::english; }

Look look_of(const http::Request& request, Address here, Language fallback) {
    Look look{.language = wording::choose(request.header("accept-language"), fallback), .here = std::move(here)};
    const auto wanted = request.parameter("lang");
    if (wanted == "zh" || wanted == "en") {
        look.language = language_of(*wanted);
        look.chosen = true;
    }
    return look;
}

}  // namespace assay::web
