// A course's folder that arrives as one tar: how the admin socket hands it over.
#pragma once

#include <string>

#include "base/text.hh"
#include "course/course.hh"

namespace assay::course {

// compile() of the files in `tar`. Errors: invalid (no sound archive, or compile's), too_large.
Result<Compiled> compile_tar(ByteView tar, const std::string& default_timezone);

}  // namespace assay::course
