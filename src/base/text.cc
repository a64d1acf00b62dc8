#include "base/text.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace assay {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string hex(std::uint32_t value, std::size_t digits_min) {
    std::string text;
    for (; value != 0 || text.size() < digits_min; value >>= 4)
        text.insert(text.begin(), "0123456789abcdef"[value & 15]);
    return text;
}

struct Number {
    double value;
    std::string_view unit;
};

// Digits, perhaps with a fraction: correctly rounded for fifteen of them, which is more than a size or a duration has. By hand, since
// std::from_chars would bring the library's whole arithmetic of decimals into /assay/run.
std::optional<Number> split_number(std::string_view text) {
    text = trimmed(text);
    double value = 0, scale = 1;
    std::size_t at = 0, digits = 0;
    const auto is_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    for (; is_digit(); ++at, ++digits) value = value * 10 + (text[at] - '0');
    if (at < text.size() && text[at] == '.') {
        for (++at; is_digit(); ++at, ++digits, scale *= 10) value = value * 10 + (text[at] - '0');
    }
    if (digits == 0 || !std::isfinite(value / scale)) return std::nullopt;
    return Number{value / scale, trimmed(text.substr(at))};
}

struct Unit64 {
    std::string_view name;
    double factor;
};

Result<std::int64_t> scaled(std::string_view text, std::span<const Unit64> units, double value_max, std::string_view accepted) {
    const auto refused = [&] {
        return Error{Fault::invalid, "'" + escaped(text, 40) + "' is not " + std::string{accepted}};
    };
    const auto number = split_number(text);
    if (!number) return refused();
    const auto unit = std::ranges::find(units, number->unit, &Unit64::name);
    if (unit == units.end()) return refused();
    const double value = number->value * unit->factor;
    if (value > value_max) return refused();
    return static_cast<std::int64_t>(value + 0.5);
}

}  // namespace

std::string to_hex(ByteView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(bytes.size() * 2, '\0');
    char* at = text.data();
    for (const std::byte b : bytes) {
        *at++ = digits[std::to_integer<unsigned>(b) >> 4];
        *at++ = digits[std::to_integer<unsigned>(b) & 15];
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string raw;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        raw += static_cast<char>(high * 16 + low);
    }
    return raw;
}

std::string to_base64(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < have ? std::to_integer<unsigned>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= have ? base64_alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string raw;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        unsigned group = 0;
        std::size_t pad = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const char c = text[i + k];
            if (c == '=' && i + 4 == text.size() && k >= 2) {
                ++pad;
                group <<= 6;
                continue;
            }
            const std::size_t value = base64_alphabet.find(c);
            if (pad > 0 || value == std::string_view::npos) return std::nullopt;
            group = group << 6 | static_cast<unsigned>(value);
        }
        for (std::size_t k = 0; k < 3 - pad; ++k) raw += static_cast<char>(group >> (16 - 8 * k) & 255);
        // Bits that no byte uses must be zero, or two texts would mean the same bytes.
        if ((pad == 1 && (group & 0xff) != 0) || (pad == 2 && (group & 0xffff) != 0)) return std::nullopt;
    }
    return raw;
}

std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    if (lead < 0x80) return static_cast<char32_t>(text[at++]);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
    const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0xC2 || lead > 0xF4) {
        ++at;
        return std::nullopt;
    }
    char32_t code = length == 4 ? lead & 0x07U : length == 3 ? lead & 0x0FU : lead & 0x1FU;
    std::size_t used = 1;
    for (; used < length; ++used) {
        if (at + used >= text.size()) break;
        const unsigned char b = byte(at + used);
        const bool good = used == 1 ? b >= low && b <= high : b >= 0x80 && b <= 0xBF;
        if (!good) break;
        code = code << 6 | (b & 0x3FU);
    }
    at += used;
    if (used < length) return std::nullopt;
    return code;
}

bool valid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (!next_code_point(text, at)) return false;
    }
    return true;
}

std::string replace_invalid_utf8(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        if (next_code_point(text, at)) clean += text.substr(from, at - from);
        else clean += "\xEF\xBF\xBD";
    }
    return clean;
}

bool bidi_or_invisible(char32_t c) {
    return c == 0x061C || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

std::string escaped(std::string_view text, std::size_t size_max) {
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        if (clean.size() >= size_max) return clean + "…";
        const std::size_t from = at;
        const auto code = next_code_point(text, at);
        if (!code) {
            for (std::size_t i = from; i < at; ++i) clean += "\\x" + hex(static_cast<unsigned char>(text[i]), 2);
        } else if (*code < 0x20 || *code == 0x7F || (*code >= 0x80 && *code < 0xA0)) {
            clean += *code == '\n' ? "\\n" : *code == '\t' ? "\\t" : "\\x" + hex(*code, 2);
        } else if (bidi_or_invisible(*code) || *code == 0x2028 || *code == 0x2029) {
            clean += "\\u{" + hex(*code, 4) + "}";
        } else {
            clean += text.substr(from, at - from);
        }
    }
    return clean;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower_ascii(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), lower);
    return result;
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t distance_max = 2;
    constexpr std::size_t word_max = 64;
    if (word.size() > word_max) return std::nullopt;
    std::size_t best = distance_max + 1;
    std::optional<std::string> found;
    for (const std::string_view candidate : candidates) {
        std::vector<std::size_t> row(candidate.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j < row.size(); ++j) {
                const std::size_t change = diagonal + (word[i - 1] != candidate[j - 1] ? 1 : 0);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
            }
        }
        if (row.back() < best) {
            best = row.back();
            found = std::string{candidate};
        }
    }
    return found;
}

Result<std::int64_t> parse_size(std::string_view text) {
    static constexpr std::array units{
        Unit64{"", 1}, Unit64{"B", 1}, Unit64{"kB", 1e3}, Unit64{"MB", 1e6}, Unit64{"GB", 1e9},
        Unit64{"KiB", 1024}, Unit64{"MiB", 1024.0 * 1024}, Unit64{"GiB", 1024.0 * 1024 * 1024}, Unit64{"TiB", 1024.0 * 1024 * 1024 * 1024},
    };
    return scaled(text, units, 9007199254740992.0, "a size such as 512, 64KiB, \"12 MiB\" or 1GiB");
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
    static constexpr std::array units{
        Unit64{"ms", 1}, Unit64{"s", 1e3}, Unit64{"min", 60e3}, Unit64{"h", 3600e3}, Unit64{"d", 86400e3},
    };
    return scaled(text, units, 3650.0 * 86400e3, "a duration such as 200ms, \"1.5 s\", 2min, 1h or 3d");
}

}  // namespace assay
