#include "api/images.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "model/json.hh"
#include "sys/zone.hh"

namespace assay::api {
namespace {

constexpr model::JsonBounds bounds{.size_max = 16u << 20, .depth_max = 8, .values_max = 200'000};

std::vector<std::string> users_of(const std::vector<course::ImageUse>& uses, const std::string& digest) {
    std::vector<std::string> users;
    for (const course::ImageUse& use : uses) {
        if (use.digest == digest) users.push_back(use.module);
    }
    return users;
}

}  // namespace

course::Images images_of(const image::Library& library) {
    return {.find = [&library](const std::string& name) -> Result<model::ImagePin> {
                ASSAY_TRY(const image::Named named, library.find(name));
                return model::ImagePin{.digest = named.info.digest, .environment = named.info.environment};
            },
            .has = [&library](const model::ImagePin& pin, const std::string& program,
                              std::string_view search) { return library.has_program(pin.digest, program, search); }};
}

Result<std::string> images_json(const image::Library& library, store::Store& store) {
    ASSAY_TRY(const auto uses, course::image_uses(store));
    ASSAY_TRY(const auto images, library.list());
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const image::Named& image : images) {
        nlohmann::ordered_json one{{"name", nullptr}, {"digest", image.info.digest}, {"bytes", image.info.bytes}, {"entries", image.info.entries},
                                   {"from", image.from}, {"imported_at", nullptr}, {"environment", image.info.environment},
                                   {"used_by", users_of(uses, image.info.digest)}};
        if (!image.name.empty()) {
            one["name"] = image.name;
            one["imported_at"] = sys::rfc3339(sys::wall_from_ms(image.imported_ms), "UTC");
        }
        list.push_back(std::move(one));
    }
    return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::string> images_text(std::string_view json) {
    ASSAY_TRY(const nlohmann::json list, model::parse_json(json, bounds));
    if (!list.is_array()) return Error{Fault::invalid, "the list of images is no list"};
    if (list.empty()) return std::string{"no image is imported; modules run in the machine's own folders (image = \"host\")\n"};
    std::string text;
    for (const nlohmann::json& image : list) {
        const auto of = [&](const char* key) {
            return image.is_object() && image.contains(key) && image[key].is_string() ? escaped(image[key].get<std::string>()) : std::string{};
        };
        std::vector<std::string> users;
        if (image.is_object() && image.contains("used_by") && image["used_by"].is_array()) {
            for (const nlohmann::json& user : image["used_by"]) users.push_back(user.is_string() ? user.get<std::string>() : "");
        }
        const std::int64_t bytes = image.is_object() && image.contains("bytes") && image["bytes"].is_number_integer() ? image["bytes"].get<std::int64_t>() : 0;
        const std::string name = of("name");
        text += fmt::format("{}  {}  {}  {}{}\n", name.empty() ? "(no name)" : name, of("digest").substr(0, model::digest_digits_min), size_text(bytes),
                            name.empty() ? "" : fmt::format("from {}, {}", of("from"), of("imported_at")),
                            users.empty() ? "" : fmt::format("{}used by {}", name.empty() ? "" : "; ", fmt::join(users, ", ")));
    }
    return text;
}

Result<std::string> remove_image(image::Library& library, store::Store& store, const std::string& name) {
    ASSAY_CHECK(library.remove(name, [&](const std::string& digest) -> Result<std::string> {
        ASSAY_TRY(const auto uses, course::image_uses(store));
        return fmt::format("{}", fmt::join(users_of(uses, digest), ", "));
    }));
    return fmt::format("{}: removed", name);
}

}  // namespace assay::api
