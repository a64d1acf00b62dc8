// One POST: what is sent, and reading the answer, which may come from anybody.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "alert/wire.hh"
#include "http/chunked.hh"
#include "http/head.hh"

namespace assay::alert {
namespace {

constexpr std::size_t url_bytes_max = 2048;
constexpr std::size_t head_bytes_max = 16u << 10;

Error bad_url(std::string_view what) { return {Fault::invalid, fmt::format("the url {}", what)}; }
Error broken(std::string_view what) { return {Fault::invalid, fmt::format("its answer is no HTTP: {}", what)}; }

template <class Number>
std::optional<Number> number_from(std::string_view text) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

Result<WebAddress> parse_web_address(std::string_view url) {
    WebAddress address;
    if (url.size() > url_bytes_max) return bad_url("is longer than 2048 bytes");
    if (!std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; }))
        return bad_url("holds what is no printable ASCII");
    if (url.starts_with("https://")) {
        address.tls = true;
        address.port = 443;
    } else if (!url.starts_with("http://")) {
        return bad_url("does not begin with http:// or https://");
    }
    url.remove_prefix(url.find("//") + 2);
    const std::size_t slash = url.find_first_of("/?#");
    const std::string_view authority = url.substr(0, slash);
    std::string_view target = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
    target = target.substr(0, target.find('#'));
    address.target = target.starts_with('/') ? std::string{target} : "/" + std::string{target};
    if (authority.contains('@')) return bad_url("must not hold a user; use `secret`");
    address.host_header = std::string{authority};
    std::string_view host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return bad_url("has a '[' without its ']'");
        port = host.substr(end + 1);
        host = host.substr(1, end - 1);
    } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (!port.empty()) {
        const auto number = port.starts_with(':') ? number_from<std::uint16_t>(port.substr(1)) : std::nullopt;
        if (!number || *number == 0) return bad_url("has no sound port");
        address.port = *number;
    }
    if (host.empty()) return bad_url("names no host");
    address.host = std::string{host};
    return address;
}

Result<std::optional<WebAnswer>> read_answer(std::string_view bytes, bool ended) {
    const std::optional<WebAnswer> not_yet;
    for (;;) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            if (bytes.size() > head_bytes_max) return broken("its header does not end");
            if (ended) return Error{Fault::unreachable, "it closed without an answer"};
            return not_yet;
        }
        const std::string_view head = bytes.substr(0, end + 2);
        bytes.remove_prefix(end + 4);
        const std::size_t line_end = head.find("\r\n");
        const std::string_view line = head.substr(0, line_end);
        const auto status = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' '
                                ? number_from<int>(line.substr(9, 3))
                                : std::nullopt;
        if (!status || *status < 100) return broken("its first line");
        if (*status < 200) continue;  // An interim answer.
        const auto fields = http::parse_fields(head.substr(line_end + 2));
        if (!fields) return broken(fields.error().text);
        const auto field = [&](std::string_view name) -> std::string_view {
            const auto found = std::ranges::find_if(
                *fields, [&](const http::Header& it) { return equal_ignoring_case(it.first, name); });
            return found == fields->end() ? std::string_view{} : found->second;
        };
        WebAnswer answer{.status = *status};
        if (*status == 204 || *status == 304) return std::optional{answer};
        if (equal_ignoring_case(field("Transfer-Encoding"), "chunked")) {
            http::Chunked chunks;
            ByteView input = bytes_of(bytes);
            while (!chunks.finished() && !input.empty()) {
                ASSAY_TRY(const ByteView run, chunks.next(input));
                answer.body += text_of(run);
            }
            if (chunks.finished()) return std::optional{answer};
        } else if (const std::string_view text = field("Content-Length"); !text.empty()) {
            const auto length = number_from<std::size_t>(text);
            if (!length) return broken("its Content-Length");
            if (*length > answer_bytes_max) return Error{Fault::too_large, "its answer is larger than 64 KiB"};
            if (bytes.size() >= *length) {
                answer.body = std::string{bytes.substr(0, *length)};
                return std::optional{answer};
            }
        } else if (ended) {
            answer.body = std::string{bytes};
            return std::optional{answer};
        }
        if (ended) return Error{Fault::unreachable, "it closed inside its answer"};
        return not_yet;
    }
}

Result<WebAnswer> post(const Posting& posting, const std::string& ca_file, sys::TimePoint deadline) {
    ASSAY_TRY(const WebAddress address, parse_web_address(posting.url));
    ASSAY_TRY(Wire wire, Wire::connect(address.host, address.port, deadline));
    if (address.tls) ASSAY_CHECK(wire.start_tls(address.host, ca_file));
    std::string head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: assay/{}\r\nConnection: close\r\nContent-Length: {}\r\n",
        address.target, address.host_header, ASSAY_VERSION, posting.body.size());
    for (const auto& [name, value] : posting.headers) head += fmt::format("{}: {}\r\n", name, value);
    ASSAY_CHECK(wire.send(head + "\r\n" + posting.body));
    std::string received;
    std::array<char, 8192> buffer;
    for (;;) {
        const auto count = wire.receive(buffer);
        if (!count && count.error().fault() != Fault::unreachable) return count.error();
        const bool ended = !count || *count == 0;  // Some close without TLS's farewell.
        if (!ended) received.append(buffer.data(), *count);
        ASSAY_TRY(const auto answer, read_answer(received, ended));
        if (answer) return *answer;
        if (received.size() > head_bytes_max + 2 * answer_bytes_max)
            return Error{Fault::too_large, "its answer is larger than 64 KiB"};
    }
}

}  // namespace assay::alert
