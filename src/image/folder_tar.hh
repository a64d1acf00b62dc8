// A folder as the tar that an import reads. Internal to image.
#pragma once

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::image {

// Writes everything below `folder` to `out`, a pipe: names, kinds, modes, times, links as written; devices without their numbers.
// Follows no link and enters no other file system. Errors: unreachable (nobody reads any more), denied, conflict (a file changed
// while it was read), too_large.
Result<> write_folder_tar(const sys::Fd& folder, const sys::Fd& out);

}  // namespace assay::image
