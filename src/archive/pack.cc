#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/tar_writer.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"

namespace assay::archive {
Result<std::string> pack_tar(std::vector<SourceFile> files) {
    std::ranges::sort(files, {}, &SourceFile::path);
    std::set<std::string> keys;
    std::string tar;
    for (const SourceFile& file : files) {
        const auto clean = clean_path(file.path);
        if (!clean) return Error{Fault::invalid, fmt::format("'{}': {}", escaped(file.path), sentence(clean.error()))};
        if (*clean != file.path) return Error{Fault::invalid, fmt::format("'{}' is not a clean path", escaped(file.path))};
        if (!keys.insert(collision_key(file.path)).second) {
            return Error{Fault::invalid, fmt::format("'{}' is there twice, or once more in another case", escaped(file.path))};
        }
        append_member(tar, {.path = file.path, .executable = file.executable}, file.content);
    }
    append_end(tar);
    return tar;
}

}  // namespace assay::archive
