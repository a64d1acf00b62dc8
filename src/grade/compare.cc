#include <algorithm>

#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Difference;
using model::DifferenceKind;

constexpr std::size_t shown_max = 60;  // bytes of either side in a difference
constexpr std::string_view blanks = " \t\r\n\v\f";

// From `at` to the end of its line; nullopt at the end of all.
std::optional<std::string> shown(std::string_view text, std::size_t at) {
    if (at >= text.size()) return std::nullopt;
    return escaped(text.substr(at, text.find('\n', at) - at), shown_max);
}

std::int64_t line_of(std::string_view text, std::size_t at) { return std::ranges::count(text.substr(0, at), '\n') + 1; }

// In characters, as an editor counts; 1-based.
std::int64_t column_of(std::string_view text, std::size_t at) {
    const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    std::size_t from = newline == std::string_view::npos ? 0 : newline + 1;
    std::int64_t column = 1;
    while (from < at) {
        next_code_point(text, from);
        ++column;
    }
    return column;
}

std::optional<Difference> in_bytes(std::string_view expected, std::string_view got) {
    if (expected == got) return std::nullopt;
    if (expected.ends_with('\n') && got == expected.substr(0, expected.size() - 1)) return Difference{.kind = DifferenceKind::newline_missing};
    if (got.ends_with('\n') && expected == got.substr(0, got.size() - 1)) return Difference{.kind = DifferenceKind::newline_extra};
    auto at = static_cast<std::size_t>(std::ranges::mismatch(expected, got).in1 - expected.begin());
    // Where a character begins, so that none is shown in half.
    while (at > 0 && at < expected.size() && (static_cast<unsigned char>(expected[at]) & 0xC0) == 0x80) --at;
    return Difference{.kind = DifferenceKind::character,
                      .line = line_of(expected, at),
                      .column = column_of(expected, at),
                      .expected = shown(expected, at),
                      .got = shown(got, at)};
}

std::string_view next_word(std::string_view text, std::size_t& at) {
    const std::size_t from = std::min(text.find_first_not_of(blanks, at), text.size());
    at = std::min(text.find_first_of(blanks, from), text.size());
    return text.substr(from, at - from);
}

// Of one word; there is none at the end of all.
std::optional<std::string> shown_word(std::string_view word) {
    if (word.empty()) return std::nullopt;
    return escaped(word, shown_max);
}

std::optional<Difference> in_words(std::string_view expected, std::string_view got) {
    std::size_t in_expected = 0, in_got = 0;
    for (std::int64_t count = 1;; ++count) {
        const std::string_view want = next_word(expected, in_expected);
        const std::string_view have = next_word(got, in_got);
        if (want != have) {
            return Difference{.kind = DifferenceKind::word,
                              .line = line_of(expected, in_expected),
                              .word = count,
                              .expected = shown_word(want),
                              .got = shown_word(have)};
        }
        if (want.empty()) return std::nullopt;
    }
}

}  // namespace

std::optional<Difference> first_difference(model::Compare how, std::string_view expected, std::string_view got) {
    switch (how) {
        // `course apply` refuses the others until they are known here.
        case model::Compare::lines: case model::Compare::float_: case model::Compare::regex: case model::Compare::checker:
        case model::Compare::exact: return in_bytes(expected, got);
        case model::Compare::whitespace: return in_words(expected, got);
    }
    return std::nullopt;
}

}  // namespace assay::grade
