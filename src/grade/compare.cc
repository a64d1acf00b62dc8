#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

constexpr std::size_t shown_max = 60;  // bytes of either side in a message
constexpr std::string_view blanks = " \t\r\n\v\f";

// From `at` to the end of its line, in quotes; the newline itself is named.
std::string shown(std::string_view text, std::size_t at) {
    if (at >= text.size()) return "the end";
    const std::size_t end = text.find('\n', at);
    if (end == at) return "the end of the line";
    return fmt::format("\"{}\"", escaped(text.substr(at, end - at), shown_max));
}

std::size_t line_of(std::string_view text, std::size_t at) {
    return static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n')) + 1;
}

// In characters, as an editor counts; 1-based.
std::size_t column_of(std::string_view text, std::size_t at) {
    const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    std::size_t from = newline == std::string_view::npos ? 0 : newline + 1;
    std::size_t column = 1;
    while (from < at) {
        next_code_point(text, from);
        ++column;
    }
    return column;
}

Compared compare_exact(std::string_view expected, std::string_view got) {
    if (expected == got) return {.equal = true, .message = {}};
    if (expected.ends_with('\n') && got == expected.substr(0, expected.size() - 1)) return {false, "the newline at the end is missing"};
    if (got.ends_with('\n') && expected == got.substr(0, got.size() - 1)) return {false, "there is a newline too many at the end"};
    auto at = static_cast<std::size_t>(std::ranges::mismatch(expected, got).in1 - expected.begin());
    // Where a character begins, so that none is shown in half.
    while (at > 0 && at < expected.size() && (static_cast<unsigned char>(expected[at]) & 0xC0) == 0x80) --at;
    return {false, fmt::format("line {}, column {}: expected {}, got {}", line_of(expected, at), column_of(expected, at), shown(expected, at),
                               shown(got, at))};
}

std::string_view next_word(std::string_view text, std::size_t& at) {
    const std::size_t from = std::min(text.find_first_not_of(blanks, at), text.size());
    at = std::min(text.find_first_of(blanks, from), text.size());
    return text.substr(from, at - from);
}

Compared compare_words(std::string_view expected, std::string_view got) {
    std::size_t in_expected = 0, in_got = 0;
    for (std::size_t count = 1;; ++count) {
        const std::string_view want = next_word(expected, in_expected);
        const std::string_view have = next_word(got, in_got);
        if (want != have) {
            const auto quoted = [](std::string_view word) {
                return word.empty() ? std::string{"the end"} : fmt::format("\"{}\"", escaped(word, shown_max));
            };
            return {false, fmt::format("word {} (line {} of what was expected): expected {}, got {}", count, line_of(expected, in_expected),
                                       quoted(want), quoted(have))};
        }
        if (want.empty()) return {.equal = true, .message = {}};
    }
}

}  // namespace

Compared compare(model::Compare how, std::string_view expected, std::string_view got) {
    switch (how) {
        case model::Compare::exact: return compare_exact(expected, got);
        case model::Compare::whitespace: return compare_words(expected, got);
    }
    return {};
}

}  // namespace assay::grade
