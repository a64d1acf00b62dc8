// What our zips look like: deflated where that is smaller, sizes before the data, every record sealed. Internal to archive.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "archive/archive.hh"
#include "archive/compressor.hh"
#include "base/result.hh"

namespace assay::archive {

class ZipWriter {
public:
    static constexpr std::size_t entries_max = 65'534;
    static constexpr std::int64_t bytes_max = 0xFFFF'FFFE;

    explicit ZipWriter(Sink out) : out_{std::move(out)} {}

    // `entry` has a clean path; `content` is a regular file's. Errors: too_large (entries_max, bytes_max), those of the sink.
    Result<> add(const Entry& entry, std::string_view content);
    Result<> finish();

private:
    const Sink out_;
    std::string directory_;
    std::size_t entries_ = 0;
    std::int64_t offset_ = 0;
};

}  // namespace assay::archive
