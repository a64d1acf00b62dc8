// Compressor: bytes in, their compressed form in a file. The same bytes give the same file. Internal to archive.
//
// gzip and zstd are written in members and frames of a few MiB, each with a seal; bzip2 and xz in one stream.
#pragma once

#include <memory>

#include "archive/archive.hh"
#include "base/result.hh"
#include "base/text.hh"
#include "sys/fd.hh"

namespace assay::archive {

class Compressor {
public:
    virtual ~Compressor() = default;
    // Errors: those of writing.
    virtual Result<> add(ByteView) = 0;
    // After the last byte, once.
    virtual Result<> finish() = 0;
};

// Precondition: a format with a tar in it. `out` must outlive it.
std::unique_ptr<Compressor> compressor_of(Format, const sys::Fd& out);

// As a zip's entries are.
std::string deflated(std::string_view content);

}  // namespace assay::archive
