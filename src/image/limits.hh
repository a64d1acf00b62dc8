// Limits of an import, each with what lies beyond it. Internal to image.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::image {

// Of one image. An import beyond any of them is refused, and nothing of it stays.
constexpr std::int64_t bytes_max = 64LL << 30;           // of all files of all layers; less when the disk has less room
constexpr std::int64_t entries_max = 2'000'000;          // of all layers
constexpr std::size_t layers_max = 128;
constexpr std::size_t path_bytes_max = 4000;             // below what the kernel takes
constexpr std::size_t path_depth_max = 100;              // one descriptor each while a folder is removed or read
constexpr std::size_t component_bytes_max = 255;
constexpr std::size_t target_bytes_max = 4000;           // of a symbolic link
constexpr std::size_t layer_names_bytes_max = 128u << 20;  // names one layer makes, while whiteouts may come
constexpr std::size_t json_bytes_max = 4u << 20;         // of an index, a manifest or a configuration
constexpr std::size_t index_depth_max = 3;               // an index in an index in an index
constexpr std::size_t index_manifests_max = 256;
constexpr std::size_t archive_members_max = 10'000;      // of an archive that holds an image
constexpr std::size_t variables_max = 64;                // of the image's environment
constexpr std::size_t variables_bytes_max = 16u << 10;
constexpr std::size_t replaced_max = 16;                 // places of ours that were something else: as many as there are

}  // namespace assay::image
