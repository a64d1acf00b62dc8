// The disks of this machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace assay::sandbox {

// The whole disk, "major:minor", that the files at `path` lie on; of a volume of several disks the volume. Errors: unsupported, when they lie
// on no disk that this machine names (an overlay, a network, memory).
Result<std::string> disk_of(const std::string& path);
// Where a mount's files come from by the text of /proc/self/mountinfo: "major:minor", or the path of a device where the file system has only
// a made-up number (btrfs). Empty: neither.
std::string device_in(std::string_view mountinfo, std::uint64_t mount);

}  // namespace assay::sandbox
