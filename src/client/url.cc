#include "client/url.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hh"

namespace assay::client {
namespace {

Error wrong(std::string_view text, std::string_view what) {
    return {Fault::invalid, fmt::format("the server's address '{}' {}; it is like http://host:port", escaped(text), what)};
}

bool plain(std::string_view part) {
    return std::ranges::all_of(part, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '@' && c != '\\' && c != '"'; });
}

}  // namespace

std::string Url::host_header() const {
    const std::string shown = host.contains(':') ? "[" + host + "]" : host;
    return port == 80 ? shown : fmt::format("{}:{}", shown, port);
}

std::string Url::text() const { return "http://" + host_header() + path; }

Result<Url> parse_url(std::string_view text) {
    constexpr std::string_view scheme = "http://";
    std::string_view rest = trimmed(text);
    if (rest.size() > url_size_max) return wrong(text, "is too long");
    const std::size_t mark = rest.find("://");
    if (mark != std::string_view::npos) {
        if (equal_ignoring_case(rest.substr(0, mark), "https")) {
            return Error{Fault::unsupported,
                         fmt::format("this version cannot speak https ({}); name the server's http address, or hand in with: "
                                     "curl -F token=… -F course=… -F module=… -F file=@FILE {}/upload",
                                     escaped(text), escaped(text))};
        }
        if (!equal_ignoring_case(rest.substr(0, mark + 3), scheme)) return wrong(text, "has a scheme that is not http");
        rest.remove_prefix(mark + 3);
    }
    if (!plain(rest)) return wrong(text, "has characters that no address has");
    Url url;
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string_view authority = rest.substr(0, slash);
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) url.path.pop_back();

    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return wrong(text, "lacks the ']' of its host");
        url.host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, colon);
        authority.remove_prefix(colon);
    }
    if (url.host.empty()) return wrong(text, "names no host");
    url.host = lower_ascii(url.host);
    if (authority.empty()) return url;
    const std::string_view digits = authority.substr(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (authority[0] != ':' || error != std::errc{} || end != digits.data() + digits.size() || url.port == 0) {
        return wrong(text, "has no port from 1 to 65535");
    }
    return url;
}

}  // namespace assay::client
