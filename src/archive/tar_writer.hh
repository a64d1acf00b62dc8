// What our tars look like: ustar; a name that does not fit, or is not ASCII, comes in a pax header before it. Every header is
// sealed. Nothing of the machine or the time goes in. Internal to archive.
#pragma once

#include <string>
#include <string_view>

#include "archive/archive.hh"

namespace assay::archive {

// Appends the member to `tar`. `entry` has a clean path; `content` is a regular file's.
void append_member(std::string& tar, const Entry& entry, std::string_view content);
void append_end(std::string& tar);

}  // namespace assay::archive
