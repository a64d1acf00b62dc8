// Limits as an author writes them, key by key, and how the layers merge: test, [defaults], stage, built in.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "base/result.hh"
#include "course/section.hh"
#include "model/limits.hh"

namespace assay::course {

struct LimitKeys {  // what one `limits = { … }` says
    std::optional<std::int64_t> cpu_ms, wall_ms, memory_bytes, processes, output_bytes, disk_bytes, open_files;
};

// Reads the key `limits` of `owner`; absent = says nothing. `name` for errors: "limits of stage 'build'".
Result<LimitKeys> read_limits(const Section& owner, const std::string& name);

// `layers`: the nearest first. Disk that nobody set is a quarter of the memory; where memory is set nearer than disk, disk is
// at most a quarter of it, unless what is written takes no memory (`on_disk`).
model::Limits merge_limits(std::initializer_list<LimitKeys> layers, bool on_disk);

}  // namespace assay::course
