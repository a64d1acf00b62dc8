#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"
#include "course/course.hh"
#include "model/image.hh"
#include "sys/file.hh"
#include "sys/root_tree.hh"

namespace assay::course {

namespace {

// Where PATH of a command in the image leads; empty: also to places that are not the image's.
std::string search_in(const model::ImagePin& pin) {
    constexpr std::string_view key = "PATH=";
    for (const std::string& variable : model::environment_in(pin.environment, {"PATH=/usr/local/bin:/usr/bin:/bin"})) {
        if (!variable.starts_with(key)) continue;
        std::string search = variable.substr(key.size());
        const auto elsewhere = [](std::string_view folder) {
            return !folder.starts_with('/') || folder.starts_with("/work");
        };
        return std::ranges::any_of(split(search, ':'), elsewhere) ? std::string{} : search;
    }
    return {};
}

// Programs that only an image can hold: found by PATH, or in a system's folders. Others may come with a hand-in or a grader.
bool of_a_system(std::string_view program) {
    constexpr std::string_view folders[] = {"/usr/", "/bin/", "/sbin/"};
    return !program.contains('/') ||
           std::ranges::any_of(folders, [&](std::string_view folder) { return program.starts_with(folder); });
}

// PATH of every command in the host's own folders.
constexpr std::string_view host_search = "/usr/local/bin:/usr/bin:/bin";

// A hint, no refusal: what a module needs may be installed after it is applied.
void note_missing_on_host(Compiled& compiled, const CompiledModule& module) {
    const auto root = sys::open_directory("/");
    if (!root) return;
    const auto here = [&](const std::string& program) {
        return std::ranges::any_of(split(host_search, ':'), [&](std::string_view folder) {
            return sys::exists_within(*root, fmt::format("{}/{}", folder, program));
        });
    };
    for (const model::StagePlan& stage : module.plan.stages) {
        if (stage.command.empty()) continue;
        const std::string& program = stage.command.front();
        if (program.empty() || program.contains('/') || here(program)) continue;
        compiled.warnings.push_back(fmt::format("{}: stage '{}': this machine has no program '{}' in {}",
                                                module.id.text(), stage.name, escaped(program, 60), host_search));
    }
}

Result<> check_programs(const CompiledModule& module, const Images& images) {
    const model::ImagePin& pin = *module.plan.image_pin;
    const std::string search = search_in(pin);
    for (const model::StagePlan& stage : module.plan.stages) {
        if (stage.command.empty() || search.empty() || !of_a_system(stage.command.front())) continue;
        const std::string& program = stage.command.front();
        if (images.has(pin, program, search)) continue;
        const std::string where = program.contains('/') ? "" : fmt::format(" in {}", escaped(search));
        return Error{Fault::invalid,
                     fmt::format("{}: stage '{}': the image '{}' has no '{}'{}; every stage runs in the module's image",
                                 module.id.text(), stage.name, module.plan.image, escaped(program, 60), where)};
    }
    return ok;
}

}  // namespace

Result<> pin_image(CompiledModule& module, const Images& images) {
    if (module.plan.image == model::host_image) return ok;
    auto pin = images.find(module.plan.image);
    if (!pin) return pin.take_error().in(fmt::format("{}: [environment] image", module.id.text()));
    module.plan.image_pin = std::move(pin).value();
    return check_programs(module, images);
}

Result<> pin_images(Compiled& compiled, const Images& images) {
    for (CompiledModule& module : compiled.modules) {
        ASSAY_CHECK(pin_image(module, images));
        if (!module.plan.image_pin) note_missing_on_host(compiled, module);
    }
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
