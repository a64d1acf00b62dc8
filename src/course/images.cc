#include <fmt/format.h>

#include "course/course.hh"

namespace assay::course {

Result<> pin_image(CompiledModule& module, const FindImage& find) {
    if (module.plan.image == model::host_image) return ok;
    auto pin = find(module.plan.image);
    if (!pin) return pin.take_error().in(fmt::format("{}: [environment] image", module.id.text()));
    module.plan.image_pin = std::move(pin).value();
    return ok;
}

Result<> pin_images(Compiled& compiled, const FindImage& find) {
    for (CompiledModule& module : compiled.modules) ASSAY_CHECK(pin_image(module, find));
    return ok;
}

Result<std::vector<ImageUse>> image_uses(store::Store& store) {
    std::vector<ImageUse> uses;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto courses, reading.courses());
        for (const store::Course& course : courses) {
            ASSAY_TRY(const auto modules, reading.modules(course.id));
            for (const store::Module& module : modules) {
                if (module.archived) continue;
                ASSAY_TRY(const auto revision, reading.revision(module.revision));
                if (!revision) continue;
                ASSAY_TRY(const model::Plan plan, model::plan_from_json(revision->plan));
                if (plan.image_pin) uses.push_back({fmt::format("{}/{}", course.id.text(), module.id.text()), plan.image_pin->digest});
            }
        }
        return ok;
    }));
    return uses;
}

}  // namespace assay::course
