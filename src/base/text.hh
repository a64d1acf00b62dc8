// Small pure functions on text and bytes that everyone needs: encodings, UTF-8, escapes, suggestions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace assay {

using ByteView = std::span<const std::byte>;

inline ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }
inline std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView);                                  // lower case
std::optional<std::string> from_hex(std::string_view);         // raw bytes; nullopt unless an even number of hex digits
std::string to_base64(ByteView);                               // standard alphabet, padded
std::optional<std::string> from_base64(std::string_view);      // strict: padding required, no white space

bool valid_utf8(std::string_view);
bool is_ascii(std::string_view);
// Invalid sequences become U+FFFD, one per maximal ill-formed part (Unicode 15, 3.9).
std::string replace_invalid_utf8(std::string_view);

// Printable on one line of a terminal or log: control, bidi-control and invalid bytes as \xNN or \u{NNNN}; cut to `size_max` bytes with "…".
std::string escaped(std::string_view text, std::size_t size_max = 200);

// Whether the code point changes how neighbouring text is ordered or is invisible: bidi controls, zero-width marks.
bool bidi_or_invisible(char32_t);
// Decodes one code point at `at` (advanced); nullopt on an ill-formed sequence.
std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at);

std::string_view trimmed(std::string_view);
std::vector<std::string_view> split(std::string_view text, char at);
bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII only
std::string lower_ascii(std::string_view);

// The entry of `candidates` within two edits of `word`, for "did you mean"; nullopt when none is near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

// "12MiB", "12 MiB", "1GiB", "64KiB", "512", "1 kB" (1000) … -> bytes, 0 .. 2^53. Errors: invalid (with what is accepted).
Result<std::int64_t> parse_size(std::string_view);
// "60s", "60 s", "1.5 s", "200ms", "2min", "1h", "3d" -> milliseconds, 0 .. 10 years. Errors: invalid.
Result<std::int64_t> parse_duration_ms(std::string_view);
// For people: "12 MiB", "1.4 GiB", "512 B".
std::string size_text(std::int64_t bytes);
// For people: "3.2 s", "140 ms", "2 min 5 s".
std::string duration_text(double milliseconds);

}  // namespace assay
