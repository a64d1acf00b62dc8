#include "http/head.hh"

#include <algorithm>
#include <charconv>

namespace assay::http {
namespace {

constexpr std::size_t length_digits_max = 18;  // Always fits an int64.

std::unexpected<Refusal> bad(std::string text) { return std::unexpected{Refusal{400, "bad_request", std::move(text)}}; }

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool clean_text(const std::optional<std::string>& decoded) {
    return decoded && valid_utf8(*decoded) && std::ranges::none_of(*decoded, control);
}

// What an absolute target has before its path (RFC 9112, 3.2.2); nullopt: it is none.
std::optional<std::string_view> origin_of(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        return target.substr(0, target.find_first_of("/?", scheme.size()));
    }
    return std::nullopt;
}

// `authority`: of an absolute target, else empty.
Checked<Unit> read_target(std::string_view target, Head& head, std::string_view& authority) {
    if (!std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; }))
        return bad("the request target has bytes that must be percent-encoded");
    if (const auto origin = origin_of(target)) {
        authority = origin->substr(origin->find("://") + 3);
        if (authority.empty() || authority.contains('@')) return bad("the request target names no host, or a user of it");
        target.remove_prefix(origin->size());
    } else if (!target.starts_with('/')) {
        return bad("the request target must begin with '/' or be a whole http address");
    }
    const std::size_t mark = target.find('?');
    const std::string_view raw = mark == 0 || target.empty() ? "/" : target.substr(0, mark);
    if (!raw.contains('%')) {
        head.path = raw;  // Clean as it stands: printable ASCII.
    } else {
        std::optional<std::string> path = percent_decoded(raw, false);
        if (!clean_text(path)) return bad("the path does not decode to text");
        head.path = std::move(*path);
    }
    if (mark == std::string_view::npos) return Unit{};
    head.query = target.substr(mark + 1);
    if (!clean_text(percent_decoded(head.query, true))) return bad("the query does not decode to text");
    return Unit{};
}

Checked<Unit> read_length(const std::vector<Header>& headers, Head& head) {
    for (const auto& [name, value] : headers) {
        if (!equal_ignoring_case(name, "content-length")) continue;
        // Also the same length twice: whoever sends that cannot be trusted to mean what the next program reads.
        if (head.content_length) return bad("Content-Length is given more than once");
        const bool digits = !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) return bad("Content-Length is not a number");
        if (value.size() > length_digits_max)
            return std::unexpected{Refusal{413, "too_large", "Content-Length is larger than any body can be"}};
        std::int64_t length = 0;
        std::from_chars(value.data(), value.data() + value.size(), length);
        head.content_length = length;
    }
    return Unit{};
}

Checked<Unit> read_codings(const std::vector<Header>& headers, bool http_1_0, Head& head) {
    bool present = false;
    bool other = false;
    int chunked = 0;
    for (const auto& [name, value] : headers) {
        if (!equal_ignoring_case(name, "transfer-encoding")) continue;
        present = true;
        for (const std::string_view coding : split(value, ',')) {
            if (equal_ignoring_case(without_blanks(coding), "chunked")) ++chunked;
            else other = true;
        }
    }
    if (!present) return Unit{};
    if (head.content_length) return bad("Content-Length and Transfer-Encoding exclude each other");
    if (http_1_0) return bad("HTTP/1.0 knows no Transfer-Encoding");
    if (other) return std::unexpected{Refusal{501, "unsupported", "the only transfer coding understood is chunked"}};
    if (chunked != 1) return bad("chunked may be named only once");
    head.chunked = true;
    return Unit{};
}

}  // namespace

Checked<std::optional<std::size_t>> HeadScan::look(std::string_view buffer) {
    while (at_ < buffer.size()) {
        const std::size_t limit = request_line_seen_ ? bytes_max_ : std::min(bytes_max_, request_line_bytes_max);
        const std::string_view allowed = buffer.substr(0, begin_ + limit);
        const std::size_t end = allowed.find('\n', at_);
        const bool whole = end != std::string_view::npos;
        // A CR that came last before is looked at again with what follows it.
        const std::size_t from = at_ > line_ && buffer[at_ - 1] == '\r' ? at_ - 1 : at_;
        std::string_view seen = allowed.substr(from, whole ? end - from : std::string_view::npos);
        const bool ends_with_cr = seen.ends_with('\r');
        if (ends_with_cr) seen.remove_suffix(1);
        if (has_control(seen)) {
            const char first = *std::ranges::find_if(seen, [](char c) { return control(c) && c != '\t'; });
            return bad(first == '\r' ? "a line must end with CR LF" : "a control character in the header");
        }
        if (whole && !ends_with_cr) return bad("a line must end with CR LF");
        if (!whole) {
            at_ = allowed.size();
            if (at_ == buffer.size()) break;
            if (!request_line_seen_) {
                return std::unexpected{
                    Refusal{414, "uri_too_long", "the request line is longer than " + size_text(request_line_bytes_max)}};
            }
            return std::unexpected{
                Refusal{431, "header_too_large",
                        "the header is larger than " + size_text(static_cast<std::int64_t>(bytes_max_))}};
        }
        const bool empty = end == line_ + 1;
        at_ = line_ = end + 1;
        if (!empty) {
            request_line_seen_ = true;
        } else if (request_line_seen_) {
            return std::optional{at_};
        } else {
            if (++leading_ > leading_lines_max) return bad("empty lines instead of a request");
            begin_ = at_;
        }
    }
    return std::optional<std::size_t>{};
}

Checked<Head> parse_head(std::string_view block) {
    const std::size_t line_end = block.find("\r\n");
    if (line_end == std::string_view::npos || !block.ends_with("\r\n\r\n")) return bad("no complete header");
    const std::string_view line = block.substr(0, line_end);
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) return bad("the request line is not 'METHOD TARGET VERSION'");

    Head head;
    head.method = line.substr(0, first);
    if (!is_token(head.method)) return bad("the method has characters it may not have");
    const std::string_view version = line.substr(second + 1);
    const bool http_1_0 = version == "HTTP/1.0";
    if (!http_1_0 && version != "HTTP/1.1") {
        if (version.size() == 8 && version.starts_with("HTTP/")) {
            return std::unexpected{Refusal{505, "unsupported", "only HTTP/1.1 and HTTP/1.0 are spoken here"}};
        }
        return bad("the request line does not end with an HTTP version");
    }
    std::string_view authority;
    if (const auto target = read_target(line.substr(first + 1, second - first - 1), head, authority); !target)
        return std::unexpected{target.error()};

    auto fields = parse_fields(block.substr(line_end + 2, block.size() - line_end - 4));
    if (!fields) return std::unexpected{std::move(fields.error())};
    head.headers = std::move(*fields);
    if (const auto length = read_length(head.headers, head); !length) return std::unexpected{length.error()};
    if (const auto codings = read_codings(head.headers, http_1_0, head); !codings)
        return std::unexpected{codings.error()};

    head.keep_alive = !http_1_0;
    int hosts = 0;
    for (auto& [name, value] : head.headers) {
        if (equal_ignoring_case(name, "host")) {
            ++hosts;
            if (!authority.empty()) value = authority;
        }
        if (equal_ignoring_case(name, "connection")) {
            for (const std::string_view option : split(value, ',')) {
                if (equal_ignoring_case(without_blanks(option), "close")) head.keep_alive = false;
            }
        }
        if (equal_ignoring_case(name, "expect") && !http_1_0) {
            if (!equal_ignoring_case(value, "100-continue")) {
                return std::unexpected{Refusal{417, "expectation", "the only expectation understood is 100-continue"}};
            }
            head.expects_continue = true;
        }
    }
    if (hosts > 1 || (hosts == 0 && !http_1_0)) return bad("exactly one Host header is needed");
    return head;
}

}  // namespace assay::http
