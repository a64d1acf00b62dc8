#include "http/fields.hh"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace assay::http {
namespace {

constexpr std::size_t header_fields_usual = 16;

std::unexpected<Refusal> bad(std::string text) { return std::unexpected{Refusal{400, "bad_request", std::move(text)}}; }

// tchar of RFC 9110 5.6.2
constexpr std::array<bool, 256> token_bytes = [] {
    std::array<bool, 256> allowed{};
    for (const char c : std::string_view{"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"})
        allowed[static_cast<unsigned char>(c)] = true;
    return allowed;
}();

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Whether one of eight bytes is below 0x20 or is 0x7f; true also for some that are above 0x7f, which are then looked at singly.
bool may_have_control(std::uint64_t eight) {
    constexpr std::uint64_t each = 0x0101010101010101;
    const std::uint64_t low = (eight - each * 0x20) & ~eight;
    const std::uint64_t deletes = eight ^ (each * 0x7f);
    return ((low | ((deletes - each) & ~deletes)) & (each * 0x80)) != 0;
}

}  // namespace

// Looks at every byte of every request, hence eight at a time.
bool has_control(std::string_view text) {
    const auto found = [](std::string_view some) { return std::ranges::any_of(some, [](char c) { return control(c) && c != '\t'; }); };
    while (text.size() >= sizeof(std::uint64_t)) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data(), sizeof eight);
        if (may_have_control(eight) && found(text.substr(0, sizeof eight))) return true;
        text.remove_prefix(sizeof eight);
    }
    return found(text);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return token_bytes[static_cast<unsigned char>(c)]; });
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

Checked<std::vector<Header>> parse_fields(std::string_view lines) {
    std::vector<Header> headers;
    headers.reserve(header_fields_usual);
    while (!lines.empty()) {
        const std::size_t end = lines.find("\r\n");
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
        if (line.starts_with(' ') || line.starts_with('\t')) return bad("a folded header line");
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return bad("a header line without ':'");
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = without_blanks(line.substr(colon + 1));
        if (!is_token(name)) return bad("a header name with characters it may not have");
        if (has_control(value)) return bad("a control character in a header");
        if (headers.size() >= header_fields_max) {
            return std::unexpected{
                Refusal{431, "header_too_large", "more than " + std::to_string(header_fields_max) + " header lines"}};
        }
        headers.emplace_back(name, value);
    }
    return headers;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                std::string_view{"-._~"}.contains(c);
        if (unreserved) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

}  // namespace assay::http
