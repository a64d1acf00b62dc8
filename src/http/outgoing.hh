// A request to a server that need not be ours, and its answer, whoever brings them there and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "http/fields.hh"

namespace assay::http {

struct Answer {
    int status = 0;
    std::vector<Header> headers;
    std::string body;
    std::optional<std::chrono::milliseconds>
        continued{};  // 100 Continue came so long after the head (Outgoing::expect)
    std::string_view header(std::string_view name) const;
};

// A request in full, to a server that need not be ours.
struct Outgoing {
    std::string method = "GET";
    std::string target;
    std::vector<Header> headers;                 // Host among them; Content-Length is added
    std::int64_t size = 0;                       // of the body
    std::function<Result<ByteView>()> body;      // its next bytes, valid until the next call; asked until `size` were given
    std::chrono::milliseconds expect{0};         // set: Expect: 100-continue, and the body waits so long for leave
};

}  // namespace assay::http
