#include "client/url.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;

bool plain(std::string_view part) {
    return std::ranges::all_of(part, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '@' && c != '\\' && c != '"'; });
}

}  // namespace

std::string Url::host_header() const {
    const std::string shown = host.contains(':') ? "[" + host + "]" : host;
    return port == (tls ? 443 : 80) ? shown : fmt::format("{}:{}", shown, port);
}

std::string Url::text() const { return (tls ? "https://" : "http://") + host_header() + path; }

Result<Url> parse_url(std::string_view text, wording::Language language) {
    const auto no = [&](ClientSide what) { return Error{Fault::invalid, wording::say(language, what, {escaped(text)})}; };
    Url url;
    std::string_view rest = trimmed(text);
    if (rest.size() > url_size_max) return no(ClientSide::url_too_long);
    const std::size_t mark = rest.find("://");
    if (mark != std::string_view::npos) {
        url.tls = equal_ignoring_case(rest.substr(0, mark), "https");
        if (!url.tls && !equal_ignoring_case(rest.substr(0, mark), "http")) return no(ClientSide::url_scheme);
        if (url.tls) url.port = 443;
        rest.remove_prefix(mark + 3);
    }
    if (!plain(rest)) return no(ClientSide::url_characters);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) url.path.pop_back();

    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return no(ClientSide::url_bracket);
        url.host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, colon);
        authority.remove_prefix(colon);
    }
    if (url.host.empty()) return no(ClientSide::url_host);
    url.host = lower_ascii(url.host);
    if (authority.empty()) return url;
    const std::string_view digits = authority.substr(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (authority[0] != ':' || error != std::errc{} || end != digits.data() + digits.size() || url.port == 0) {
        return no(ClientSide::url_port);
    }
    return url;
}

}  // namespace assay::client
