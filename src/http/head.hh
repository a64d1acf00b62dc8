// The head of a request: finding its end in bytes that arrive, and reading it strictly. Pure.
//
// Strict because whatever two programs could read differently (folded lines, bare CR or LF, two lengths, a length beside a
// transfer coding) has been used to smuggle requests past the one in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hh"

namespace assay::http {

constexpr std::size_t request_line_bytes_max = 8u << 10;  // longer: 414
constexpr std::size_t leading_lines_max = 2;              // empty lines some clients send after a body

// Watches a growing buffer for the empty line that ends a head. Each byte is looked at once, a line at a time.
class HeadScan {
public:
    explicit HeadScan(std::size_t bytes_max) : bytes_max_{bytes_max} {}
    // `buffer` begins where the request does and only ever grows. The size of the head, or nullopt: more is needed.
    Checked<std::optional<std::size_t>> look(std::string_view buffer);
    std::size_t begin() const { return begin_; }  // where the request line starts

private:
    std::size_t bytes_max_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;
    std::size_t line_ = 0;
    std::size_t leading_ = 0;
    bool request_line_seen_ = false;
};

struct Head {
    std::string method;
    std::string path;   // decoded
    std::string query;  // raw
    std::vector<Header> headers;
    std::optional<std::int64_t> content_length;
    bool chunked = false;
    bool keep_alive = false;
    bool expects_continue = false;

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// `block`: from the request line to the empty line, as HeadScan found it.
Checked<Head> parse_head(std::string_view block);

}  // namespace assay::http
