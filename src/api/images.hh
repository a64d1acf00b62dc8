// What staff ask about images, by the server or directly.
#pragma once

#include <string>
#include <string_view>

#include "course/course.hh"
#include "image/image.hh"
#include "store/store.hh"

namespace assay::api {

// `library`, for course::pin_images; it must outlive what is returned.
course::Images images_of(const image::Library& library);

// [{name, digest, bytes, entries, from, imported_at, environment, used_by}], names first. Blocking.
Result<std::string> images_json(const image::Library&, store::Store&);
// The same for people, from that JSON. Errors: invalid.
Result<std::string> images_text(std::string_view images_json);
// Refuses while a current revision needs it. Returns what is printed. Blocking. Errors: missing, conflict, busy.
Result<std::string> remove_image(image::Library&, store::Store&, const std::string& name);

}  // namespace assay::api
