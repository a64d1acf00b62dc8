// What the JSON of an OCI layout or a docker-archive says: which files of it are the image. Pure; internal to image.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace assay::image {

// A file in the layout: what it must be, as far as is known.
struct Blob {
    std::string path;
    std::string sha256;               // empty: nobody said
    std::optional<std::int64_t> size;
};

struct Configuration {
    std::vector<std::string> environment;  // NAME=value
    std::vector<std::string> diff_ids;     // SHA-256 of each layer as plain tar
};

struct Manifest {
    std::vector<Blob> layers;         // lowest first
    Configuration configuration;
};

// The whole text of a small file of the layout, verified against what is said of it. Errors: missing.
using ReadText = std::function<Result<std::string>(const Blob&)>;

// The one image for this machine. `oci`: by index.json, else by manifest.json. Errors: invalid (what is wrong), unsupported
// (for another machine; which), missing.
Result<Manifest> read_manifest(bool oci, const ReadText& read);

// "amd64": how images call this machine.
std::string_view architecture();

}  // namespace assay::image
