#include "http/message.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/wire.hh"

namespace assay::http {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The q of one entry of Accept in thousandths; 1000 when absent, 0 when it cannot be read.
int weight_of(std::string_view parameters) {
    for (const std::string_view parameter : split(parameters, ';')) {
        const std::string_view word = trimmed(parameter);
        if (!word.starts_with("q=") && !word.starts_with("Q=")) continue;
        double q = 0;
        const std::string_view number = word.substr(2);
        const auto [end, error] =
            std::from_chars(number.data(), number.data() + number.size(), q, std::chars_format::fixed);
        if (error != std::errc{} || end != number.data() + number.size() || q < 0 || q > 1) return 0;
        return static_cast<int>(q * 1000);
    }
    return 1000;
}

void append_json(std::string& json, std::string_view name, std::string_view value) {
    json += fmt::format(R"({}"{}":")", json.size() > 1 ? "," : "", name);
    for (const char c : replace_invalid_utf8(value)) {
        if (c == '"' || c == '\\') json += '\\';
        if (static_cast<unsigned char>(c) < 0x20) json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        else json += c;
    }
    json += '"';
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) return value;
    }
    return {};
}

std::optional<std::string> Request::parameter(std::string_view name) const {
    for (const std::string_view pair : split(query, '&')) {
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (percent_decoded(pair.substr(0, equals), true) != name) continue;
        return percent_decoded(equals < pair.size() ? pair.substr(equals + 1) : std::string_view{}, true);
    }
    return std::nullopt;
}

bool Request::accepts(std::string_view type) const {
    int own = 0;
    int best = 0;
    for (const auto& [key, value] : headers) {
        if (!equal_ignoring_case(key, "accept")) continue;
        for (const std::string_view entry : split(value, ',')) {
            const std::size_t end = std::min(entry.find(';'), entry.size());
            const std::string_view range = trimmed(entry.substr(0, end));
            if (range.empty() || range.ends_with('*')) continue;  // Not explicit.
            const int weight = weight_of(entry.substr(end));
            best = std::max(best, weight);
            if (equal_ignoring_case(range, type)) own = std::max(own, weight);
        }
    }
    return own > 0 && own == best;
}

std::optional<std::string> bearer_token(const http::Request& request) {
    constexpr std::string_view scheme = "bearer ";
    const std::string_view value = trimmed(request.header("authorization"));
    if (value.size() <= scheme.size() || !equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
    const std::string_view token = trimmed(value.substr(scheme.size()));
    if (token.empty()) return std::nullopt;
    return std::string{token};
}

bool secret_in_query(const Request& request) {
    return !request.query.empty() && (request.parameter("token") || request.parameter("key"));
}

Response Response::text(int status, std::string line) {
    return {.status = status, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(line)};
}

Response Response::json(int status, std::string body) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

Response Response::html(int status, std::string body) {
    return {.status = status, .headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = std::move(body)};
}

Response Response::redirect(std::string location) {
    return {.status = 303, .headers = {{"Location", std::move(location)}}, .body = {}};
}

Response problem(int status, std::string_view code, std::string_view detail, std::string_view next) {
    std::string json = "{";
    append_json(json, "type", fmt::format("urn:assay:problem:{}", code));
    append_json(json, "title", reason_phrase(status));
    json += fmt::format(R"(,"status":{})", status);
    append_json(json, "detail", detail);
    append_json(json, "code", code);
    if (!next.empty()) append_json(json, "next", next);
    json += "}\n";
    return {.status = status, .headers = {{"Content-Type", "application/problem+json"}}, .body = std::move(json)};
}

int status_of(Fault fault) {
    switch (fault) {
        case Fault::invalid: return 400;
        case Fault::missing: return 404;
        case Fault::denied: return 403;
        case Fault::conflict: return 409;
        case Fault::too_large: return 413;
        case Fault::busy:
        case Fault::timed_out:
        case Fault::interrupted: return 503;
        case Fault::unsupported: return 501;
        case Fault::disk_full: return 507;
        case Fault::disk_failed:
        case Fault::unreachable:
        case Fault::system:
        case Fault::internal: return 500;
    }
    return 500;
}

Response problem_of(const Error& error) {
    return problem(status_of(error.fault()), to_string(error.fault()), error.text());
}

loop::Task<Result<bool>> Reader::pump(loop::Pool& pool, Sink sink) {
    ASSAY_CO_TRY(const auto run, co_await next());
    if (run.empty()) co_return false;
    const auto work = [&]() -> Result<bool> {
        ASSAY_CHECK(sink(run));
        return true;
    };
    co_return co_await pool.run(work);
}

loop::Task<Result<std::string>> read_body(Reader& reader, std::size_t size_max) {
    std::string body;
    for (;;) {
        ASSAY_CO_TRY(const auto bytes, co_await reader.next());
        if (bytes.empty()) co_return body;
        if (bytes.size() > size_max - body.size())
            co_return Error{Fault::too_large,
                            "the body is larger than " + size_text(static_cast<std::int64_t>(size_max))};
        body += text_of(bytes);
    }
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
        }
    }
    return decoded;
}

}  // namespace assay::http
