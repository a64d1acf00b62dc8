// Multipart: streaming multipart/form-data (RFC 7578). Pure: bytes in, events out; never copies the body, holds back at
// most a delimiter's length.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/text.hh"

namespace assay::http {

struct Part {
    std::string name;
    std::optional<std::string> filename;  // only ever shown, never used as a path
};

class MultipartSink {
public:
    virtual ~MultipartSink() = default;
    virtual Result<> begin(const Part& part) = 0;
    virtual Result<> data(ByteView bytes) = 0;   // valid during the call
    virtual Result<> end() = 0;
};

class Multipart {
public:
    static constexpr std::size_t boundary_bytes_max = 70;       // RFC 2046
    static constexpr std::size_t part_header_bytes_max = 8u << 10;
    static constexpr std::size_t parts_max = 64;

    // Errors: invalid (not multipart/form-data, or no sound boundary).
    static Result<Multipart> from_content_type(std::string_view content_type);
    explicit Multipart(std::string boundary);
    Multipart(Multipart&&) noexcept;
    ~Multipart();

    // Errors: invalid (broken framing), or what the sink returned.
    Result<> feed(ByteView bytes, MultipartSink& sink);
    // Whether the closing delimiter has been seen; what follows it is ignored.
    bool finished() const;

private:
    struct Inner;
    std::unique_ptr<Inner> inner_;
};

}  // namespace assay::http
