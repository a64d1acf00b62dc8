#include "client/proxy.hh"

#include <fmt/format.h>

#include "base/text.hh"

namespace assay::client {
namespace {

constexpr std::size_t body_looked_at_max = 4096;

struct Proxy {
    const char* product;
    const char* server;      // how its Server header begins; "" = it sends none
    const char* body;        // what its own pages have in them
    const char* cure;        // {0}: MiB that are enough
};

// The first that fits is named: a product whose marks are part of another's stands before it.
constexpr Proxy proxies[] = {
    {"Cloudflare", "cloudflare", "", "the limit belongs to its plan (100 MB at least): hand in a smaller archive, or go around it"},
    {"an AWS load balancer", "awselb", "", "its limit cannot be raised (1 MB for Lambda targets)"},
    {"Microsoft IIS", "Microsoft-IIS", "", "set maxAllowedContentLength (default 30000000) to {0}000000 at least in web.config"},
    {"Caddy", "Caddy", "", "set `request_body {{ max_size {0}MB }}` or take that block out"},
    {"Apache httpd", "Apache", "", "set `LimitRequestBody {1}` (default 1073741824), or SecRequestBodyLimit of mod_security"},
    {"lighttpd", "lighttpd", "", "set `server.max-request-size = {2}` (KiB)"},
    {"nginx", "nginx", "", "set `client_max_body_size {0}m;` (default 1m) in its configuration"},
    {"the ingress-nginx of Kubernetes", "", "<center>nginx", "set the annotation nginx.ingress.kubernetes.io/proxy-body-size: {0}m (default 1m)"},
    {"HAProxy", "", "The request entity exceeds the maximum allowed.", "raise the limit of its `http-request deny` rule to {1} bytes"},
    {"AWS API Gateway", "", "{\"message\":\"Request Too Long\"}", "its limit of 10 MB cannot be raised"},
};

const Proxy* recognise(const http::Answer& answer) {
    const std::string_view server = answer.header("Server");
    const std::string_view body = std::string_view{answer.body}.substr(0, body_looked_at_max);
    for (const Proxy& proxy : proxies) {
        const std::string_view begins = proxy.server;
        if (begins.empty() ? server.empty() && body.contains(proxy.body) : server.starts_with(begins)) return &proxy;
    }
    return nullptr;
}

}  // namespace

std::optional<std::string> proxy_refusal(const http::Answer& answer, std::int64_t body_size) {
    if (!answer.header("Assay-Server").empty()) return std::nullopt;
    const Proxy* const proxy = recognise(answer);
    const std::string who = proxy != nullptr ? fmt::format("{}, in front of the server,", proxy->product)
                                             : std::string{"Something between you and the server"};
    // Caddy before 2.7 says 502 without a word to what is over its limit.
    const bool too_large = answer.status == 413 || (proxy != nullptr && std::string_view{proxy->product} == "Caddy" &&
                                                    answer.status == 502 && answer.body.empty() && body_size > 0);
    if (too_large) {
        const std::int64_t mebibytes = (body_size >> 20) + 1;
        const std::string cure = proxy != nullptr
                                     ? fmt::format(fmt::runtime(proxy->cure), mebibytes, mebibytes << 20, mebibytes << 10)
                                     : fmt::format("its limit for a request's body must be {} MiB at least", mebibytes);
        return fmt::format("{} refused {} bytes as too large ({}); the server never saw them. Tell whoever runs it: {}", who, body_size,
                           answer.status, cure);
    }
    if (answer.status >= 502 && answer.status <= 504) {
        return fmt::format("{} answered {}: it did not reach the server, or waited too long for it. Nothing is known of your upload; send it "
                           "again, the same key makes it one submission",
                           who, answer.status);
    }
    return fmt::format("{} answered {}; this is no answer of an assay server. Check the address", who, answer.status);
}

}  // namespace assay::client
