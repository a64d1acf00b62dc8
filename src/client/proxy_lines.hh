// ProxyLines: the lines of a proxy's own configuration that lift what it did. Sources: the products' documentation. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::client {

enum class ProxySetting : unsigned char {
    body_size,
    header_size,
    body_time,  // how long it waits for a participant
    answer_time,  // how long it waits for the server
    request_streamed,  // passed on as it comes, not gathered first
    answer_streamed,
};

struct ProxyLines {
    std::string lines;  // one line; several are parted by "  "
    std::string_view initial;  // what holds without them; empty: nothing is bounded or gathered until somebody says so
};

// `product` as hop_of names it; `bytes`: the largest body that is to pass (body_size alone), rounded up to a MiB.
// nullopt: it has no such setting, or we know none.
std::optional<ProxyLines> proxy_lines(std::string_view product, ProxySetting, std::int64_t bytes);

}  // namespace assay::client
