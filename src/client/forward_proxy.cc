#include "client/forward_proxy.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/text.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;

struct Named {
    const char* variable = nullptr;
    std::string value;
};

std::optional<Named> named(const Url& url, const Variables& variables) {
    static constexpr std::array for_tls{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static constexpr std::array for_plain{"http_proxy", "all_proxy", "ALL_PROXY"};
    const std::span<const char* const> names = url.tls ? std::span<const char* const>{for_tls} : for_plain;
    for (const char* const name : names) {
        if (auto value = variables(name)) return Named{name, std::move(*value)};
    }
    return std::nullopt;
}

bool is_below(std::string_view host, std::string_view domain) {
    return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.';
}

// What is no %XX stays as it is.
std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = text[at] == '%' ? from_hex(text.substr(at + 1, 2)) : std::nullopt;
        plain += byte && byte->size() == 1 ? *byte : std::string(1, text[at]);
        if (byte && byte->size() == 1) at += 2;
    }
    return plain;
}

}  // namespace

bool goes_straight(std::string_view no_proxy, const Url& url) {
    while (!no_proxy.empty()) {
        const std::size_t end = std::min(no_proxy.find_first_of(", \t"), no_proxy.size());
        std::string one = lower_ascii(no_proxy.substr(0, end));
        no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
        if (one == "*") return true;
        const std::string port = ":" + std::to_string(url.port);
        const bool address = std::ranges::count(one, ':') > 1 && !one.starts_with('[');
        if (!address && one.ends_with(port)) one.resize(one.size() - port.size());
        if (one.starts_with('[') && one.ends_with(']')) one = one.substr(1, one.size() - 2);
        if (one.starts_with('.')) one.erase(0, 1);
        if (!one.empty() && (url.host == one || is_below(url.host, one))) return true;
    }
    return false;
}

Result<std::optional<ForwardProxy>> forward_proxy_for(const Url& url, const Variables& variables, wording::Language language) {
    const auto found = named(url, variables);
    if (!found) return std::optional<ForwardProxy>{};
    const auto straight = variables("no_proxy") ? variables("no_proxy") : variables("NO_PROXY");
    if (straight && goes_straight(*straight, url)) return std::optional<ForwardProxy>{};

    // Who may use it stands before an @, and is nothing to be shown.
    std::string_view rest = trimmed(found->value);
    const std::size_t mark = rest.find("://");
    const std::string scheme{mark == std::string_view::npos ? "http" : rest.substr(0, mark)};
    if (mark != std::string_view::npos) rest.remove_prefix(mark + 3);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    const std::size_t at = authority.rfind('@');
    const std::string_view user = at == std::string_view::npos ? std::string_view{} : authority.substr(0, at);
    const std::string_view place = authority.substr(at == std::string_view::npos ? 0 : at + 1);
    const std::string name = fmt::format("{}={}://{}", found->variable, escaped(scheme), escaped(place));
    if (!equal_ignoring_case(scheme, "http"))
        return Error{Fault::invalid, say(language, ClientSide::proxy_scheme, {name})};
    auto parsed = parse_url("http://" + std::string{place}, language);
    if (!parsed) return Error{Fault::invalid, say(language, ClientSide::proxy_address, {name})};
    ForwardProxy proxy{.name = name, .host = std::move(parsed->host), .port = parsed->port, .authorization = {}};
    if (!user.empty()) proxy.authorization = "Basic " + to_base64(bytes_of(decoded(user)));
    return std::optional{std::move(proxy)};
}

}  // namespace assay::client
