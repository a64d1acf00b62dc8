#include "client/proxy_lines.hh"

#include <fmt/format.h>

namespace assay::client {
namespace {

using enum ProxySetting;

struct Row {
    std::string_view product;
    ProxySetting setting;
    const char* lines;  // {0} MiB, {1} bytes, {2} KiB
    const char* initial;
};
constexpr Row rows[] = {
    {"nginx", body_size, "client_max_body_size {0}m;", "1m"},
    {"nginx", header_size, "large_client_header_buffers 4 32k;", "4 8k"},
    {"nginx", body_time, "client_body_timeout 300s;", "60s"},
    {"nginx", answer_time, "proxy_read_timeout 300s;", "60s"},
    {"nginx", request_streamed, "proxy_request_buffering off;", "on"},
    {"nginx", answer_streamed, "proxy_buffering off;", "on"},
    {"OpenResty", body_size, "client_max_body_size {0}m;", "1m"},
    {"Tengine", body_size, "client_max_body_size {0}m;", "1m"},
    {"ingress-nginx (Kubernetes)", body_size, "nginx.ingress.kubernetes.io/proxy-body-size: {0}m", "1m"},
    {"ingress-nginx (Kubernetes)", answer_time, "nginx.ingress.kubernetes.io/proxy-read-timeout: \"300\"", "60"},
    {"HAProxy", body_size, "http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {1} }}", ""},
    {"HAProxy", header_size, "tune.bufsize 32768", "16384"},
    {"HAProxy", body_time, "timeout client 300s", ""},
    {"HAProxy", answer_time, "timeout server 300s", ""},
    {"HAProxy", request_streamed, "no option http-buffer-request", ""},
    {"Caddy", body_size, "request_body {{ max_size {0}MiB }}", ""},
    {"Caddy", body_time, "servers {{ timeouts {{ read_body 300s }} }}", ""},
    {"Caddy", answer_time, "transport http {{ response_header_timeout 300s }}", ""},
    {"Caddy", answer_streamed, "reverse_proxy {{ flush_interval -1 }}", "0"},
    {"Apache httpd", body_size, "LimitRequestBody {1}  SecRequestBodyLimit {1}", "1073741824, 134217728"},
    {"Apache httpd", header_size, "LimitRequestFieldSize 32768", "8190"},
    {"Apache httpd", body_time, "RequestReadTimeout body=60,MinRate=1", "20,MinRate=500"},
    {"Apache httpd", answer_time, "ProxyTimeout 300", "60"},
    {"Apache httpd", answer_streamed, "ProxyPass … flushpackets=on", "off"},
    {"lighttpd", body_size, "server.max-request-size = {2}", ""},
    {"lighttpd", header_size, "server.max-request-field-size = 32768", "8192"},
    {"lighttpd", body_time, "server.max-read-idle = 300", "60"},
    {"lighttpd", answer_time, "proxy.server = ( … \"read-timeout\" => 300 … )", "60"},
    {"lighttpd", request_streamed, "server.stream-request-body = 2", "0"},
    {"lighttpd", answer_streamed, "server.stream-response-body = 2", "0"},
    {"Traefik", body_size, "traefik.http.middlewares.NAME.buffering.maxRequestBodyBytes={1}", ""},
    {"Envoy", body_size, "max_request_bytes: {1}", ""},
    {"Envoy", header_size, "max_request_headers_kb: 96", "60"},
    {"Envoy", answer_time, "route: {{ timeout: 300s }}", "15s"},
    {"Squid", body_size, "request_body_max_size {0} MB", ""},
    {"Microsoft IIS", body_size, "<requestLimits maxAllowedContentLength=\"{1}\" />", "30000000"},
    {"Azure Application Gateway", body_size, "fileUploadLimitInMb: {0}", "100"},
};

}  // namespace

std::optional<ProxyLines> proxy_lines(std::string_view product, ProxySetting setting, std::int64_t bytes) {
    for (const Row& row : rows) {
        if (row.product != product || row.setting != setting) continue;
        const std::int64_t mebibytes = (bytes + (1 << 20) - 1) >> 20;
        return ProxyLines{fmt::format(fmt::runtime(row.lines), mebibytes, mebibytes << 20, mebibytes << 10),
                          row.initial};
    }
    return std::nullopt;
}

}  // namespace assay::client
