// Image: what a root made by somebody else has to be like, and what a revision says of the one it runs in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assay::model {

// What an import makes sure is there, so that a sandbox has where to mount its own: folders that are no links, and regular
// files of /etc that say who and where one is.
constexpr std::string_view image_folders[] = {"etc", "var", "var/tmp"};
constexpr std::string_view image_etc_files[] = {"passwd", "group", "hosts", "nsswitch.conf", "hostname", "resolv.conf"};
constexpr std::size_t image_top_names_max = 128;

// The one image that is no import: the machine's own folders.
constexpr std::string_view host_image = "host";

// 1..64 of letters, digits and ._:- beginning with a letter or digit; not "host", and nothing that could be a digest.
bool valid_image_name(std::string_view name);
constexpr std::size_t digest_digits_min = 12;  // that can stand for a digest

// The one image that a revision runs in, whatever its name means later.
struct ImagePin {
    std::string digest;                    // 64 hex digits
    std::vector<std::string> environment;  // NAME=value, of the image's own configuration
    bool operator==(const ImagePin&) const = default;
};

// The variables of a command in an image: those of the image, but for the ones in `fixed`, which win; of PATH the image's own
// wins, since only it knows where its programs are.
std::vector<std::string> environment_in(const std::vector<std::string>& of_image, std::vector<std::string> fixed);

}  // namespace assay::model
