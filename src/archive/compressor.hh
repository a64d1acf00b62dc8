// Compressor: bytes in, their compressed form out. The same bytes give the same form. Internal to archive.
//
// gzip and zstd are written in members of 1 MiB and frames of 4 MiB (pieces.hh), each with a seal, each decompressed again and
// compared before it is written; bzip2 and xz in one stream.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "archive/archive.hh"
#include "base/result.hh"
#include "base/text.hh"

namespace assay::archive {

// Takes everything, or fails for good.
using Sink = std::function<Result<>(ByteView)>;

class Compressor {
public:
    virtual ~Compressor() = default;
    // Errors: those of the sink; internal (what was compressed does not come out again).
    virtual Result<> add(ByteView) = 0;
    // After the last byte, once.
    virtual Result<> finish() = 0;
};

// Precondition: a format with a tar in it. `threads` may compress at once, from 1 on; they change no byte.
std::unique_ptr<Compressor> compressor_of(Format, Sink, int threads);

// As a zip's entries are. Errors: internal (it does not come out again).
Result<std::string> deflated(std::string_view content);

}  // namespace assay::archive
