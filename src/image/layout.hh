// Layout: an image's archive as the importer reads it: a tar that holds either files of an image, or a file system itself.
// Internal to image.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "archive/source.hh"
#include "base/result.hh"
#include "image/layers.hh"
#include "image/manifest.hh"
#include "image/wire.hh"
#include "sys/fd.hh"

namespace assay::image {

// Where in the tar the content of a member lies.
struct Slice {
    std::int64_t offset = 0;
    std::int64_t size = 0;
    std::string link;  // of a link: the member meant instead
};
class Layout {
public:
    enum class Kind { oci, docker, tree };

    // Looks through the plain tar in `file`. Errors: invalid.
    static Result<Layout> look(const sys::Fd& file, std::int64_t size);

    Kind kind() const { return kind_; }
    // Errors: missing, invalid (its digest or size is another).
    Result<Slice> find(const Blob&) const;
    Result<std::string> text(const Blob&) const;

private:
    Layout(const sys::Fd& file) : file_{&file} {}
    Result<> check(const Blob&, const Slice&) const;

    const sys::Fd* file_;
    Kind kind_ = Kind::tree;
    std::map<std::string, Slice> members_;
    std::set<std::string> twice_;
};

// All that is in the source, applied to `layers`; what the image's configuration says. `spool`: an empty file for what has to be
// decoded before it can be looked through.
Result<std::vector<std::string>> apply_source(const sys::Fd& source, Input input, const sys::Fd& spool, Layers& layers);

}  // namespace assay::image
