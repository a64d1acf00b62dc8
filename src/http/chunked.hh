// Chunked: takes the chunked transfer coding (RFC 9112, 7.1) off a body as it arrives. Pure; copies nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.hh"
#include "base/text.hh"

namespace assay::http {

class Chunked {
public:
    static constexpr std::size_t size_line_bytes_max = 256;  // with extensions, which are ignored
    static constexpr std::size_t trailer_bytes_max = 8u << 10;

    // Takes from the front of `input` and returns the next run of the body inside it. Empty: `input` is used up, or the body
    // has ended and what `input` still holds follows it. Errors: invalid (broken framing); the decoder is spent then.
    Result<ByteView> next(ByteView& input);
    bool finished() const { return state_ == State::finished; }

private:
    enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, trailer_lf, finished };
    Result<> step(char c);

    State state_ = State::size;
    std::uint64_t left_ = 0;      // of this chunk's data, or its size while that is read
    std::size_t digits_ = 0;
    std::size_t line_bytes_ = 0;  // of this size line, or of all trailers
    bool line_empty_ = true;      // of this trailer line
};

}  // namespace assay::http
