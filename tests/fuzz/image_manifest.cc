// An index, a manifest and a configuration of any bytes: read within their bounds, or refused; no path leads out of the layout
// but by its own words, and no digest is anything but one. The input's texts are separated by zero bytes and found in turn.
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "image/limits.hh"
#include "image/manifest.hh"
#include "image/wire.hh"

namespace assay {

void fuzz(std::string_view input) {
    (void)image::told_from(input);
    (void)image::order_from(input);
    (void)image::info_from(input);
    if (input.empty()) return;
    const bool oci = input.front() != 'd';
    const std::vector<std::string_view> texts = split(input.substr(1), '\0');
    std::size_t next = 0;
    const auto manifest = image::read_manifest(oci, [&](const image::Blob& blob) -> Result<std::string> {
        ASSAY_ASSERT(next <= image::index_depth_max + 2);
        ASSAY_ASSERT(blob.sha256.empty() || blob.sha256.size() == 64);
        if (next == texts.size()) return Error{Fault::missing, "no more"};
        return std::string{texts[next++]};
    });
    if (!manifest) return;
    ASSAY_ASSERT(manifest->layers.size() <= image::layers_max);
    ASSAY_ASSERT(manifest->layers.size() == manifest->configuration.diff_ids.size());
    ASSAY_ASSERT(manifest->configuration.environment.size() <= image::variables_max);
    for (const std::string& digest : manifest->configuration.diff_ids) ASSAY_ASSERT(digest.size() == 64);
    for (const std::string& variable : manifest->configuration.environment) ASSAY_ASSERT(variable.find('=') != 0 && variable.contains('='));
}

}  // namespace assay
