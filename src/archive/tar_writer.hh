// What our tars look like: ustar; a name that does not fit, or is not ASCII, comes in a pax header before it. Every header is
// sealed. Nothing of the machine or the time goes in. Internal to archive.
#pragma once

#include <string>
#include <string_view>

#include "archive/archive.hh"

namespace assay::archive {

// Appends all that stands before the content. `entry` has a clean path, and a regular file's size; `checksum` is its content's CRC-32.
void append_head(std::string& tar, const Entry& entry, std::uint32_t checksum);
// What stands behind a content of this size: zeros.
std::string_view padding_after(std::int64_t size);
// The whole member; `content` is a regular file's.
void append_member(std::string& tar, Entry entry, std::string_view content);
void append_end(std::string& tar);

}  // namespace assay::archive
