#include "client/proxy.hh"

#include "base/text.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;

constexpr std::size_t body_looked_at_max = 4096;

struct Proxy {
    const char* product;
    const char* server;      // how its Server header begins; "" = it sends none
    const char* body;        // what its own pages have in them
    ClientSide cure;
};

// The first that fits is named: a product whose marks are part of another's stands before it.
constexpr Proxy proxies[] = {
    {"Cloudflare", "cloudflare", "", ClientSide::cure_cloudflare},
    {"AWS load balancer", "awselb", "", ClientSide::cure_aws_balancer},
    {"Microsoft IIS", "Microsoft-IIS", "", ClientSide::cure_iis},
    {"Caddy", "Caddy", "", ClientSide::cure_caddy},
    {"Apache httpd", "Apache", "", ClientSide::cure_apache},
    {"lighttpd", "lighttpd", "", ClientSide::cure_lighttpd},
    {"nginx", "nginx", "", ClientSide::cure_nginx},
    {"ingress-nginx (Kubernetes)", "", "<center>nginx", ClientSide::cure_ingress_nginx},
    {"HAProxy", "", "The request entity exceeds the maximum allowed.", ClientSide::cure_haproxy},
    {"AWS API Gateway", "", "{\"message\":\"Request Too Long\"}", ClientSide::cure_aws_gateway},
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

std::optional<std::string> proxy_refusal(const http::Answer& answer, std::int64_t body_size,
                                         wording::Language language) {
    if (!answer.header("Assay-Server").empty()) return std::nullopt;
    const Proxy* const proxy = recognise(answer);
    const std::string who = proxy != nullptr ? say(language, ClientSide::proxy_named, {proxy->product})
                                             : say(language, ClientSide::proxy_unnamed);
    // Caddy before 2.7 says 502 without a word to what is over its limit.
    const bool too_large = answer.status == 413 || (proxy != nullptr && std::string_view{proxy->product} == "Caddy" &&
                                                    answer.status == 502 && answer.body.empty() && body_size > 0);
    if (too_large) {
        const std::int64_t mebibytes = (body_size >> 20) + 1;
        const std::string cure = say(
            language, proxy != nullptr ? proxy->cure : ClientSide::cure_unknown,
            {std::to_string(mebibytes), std::to_string(mebibytes << 20), std::to_string(mebibytes << 10), "{", "}"});
        return say(language, ClientSide::proxy_too_large,
                   {who, std::to_string(body_size), std::to_string(answer.status), cure});
    }
    const bool beyond = answer.status >= 502 && answer.status <= 504;
    return say(language, beyond ? ClientSide::proxy_gateway : ClientSide::proxy_other,
               {who, std::to_string(answer.status)});
}

}  // namespace assay::client
