// Folder: a participant's folder as what will be handed in.
#pragma once

#include <string>
#include <vector>

#include "archive/archive.hh"

namespace assay::client {

constexpr std::size_t folder_depth_max = 64;

struct Folder {
    std::vector<archive::SourceFile> files;
    std::vector<std::string> left_out;  // folders of version control, which are no part of the work
};
// Blocking. At most `bytes_max` and `files_max` are read. Errors: invalid (a link, or no plain file; which), too_large, missing, denied.
Result<Folder> read_folder(const std::string& path, std::int64_t bytes_max, std::int64_t files_max);

}  // namespace assay::client
