#include "grade/compare.hh"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.hh"

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

// Where the character around `at` begins, so that none is shown in half.
std::size_t character_begin(std::string_view text, std::size_t at) {
    while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

std::optional<Difference> in_bytes(std::string_view expected, std::string_view got) {
    if (expected == got) return std::nullopt;
    if (expected.ends_with('\n') && got == expected.substr(0, expected.size() - 1)) return Difference{.kind = DifferenceKind::newline_missing};
    if (got.ends_with('\n') && expected == got.substr(0, got.size() - 1)) return Difference{.kind = DifferenceKind::newline_extra};
    const std::size_t at = character_begin(expected, static_cast<std::size_t>(std::ranges::mismatch(expected, got).in1 - expected.begin()));
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

// nullopt: no number, or one that a double cannot hold.
std::optional<double> number_of(std::string_view word) {
    if (word.starts_with('+') && !word.starts_with("+-")) word.remove_prefix(1);
    double number = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number, std::chars_format::general);
    if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) return std::nullopt;
    return number;
}

bool near(double expected, double got, double tolerance) {
    if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
    if (std::isinf(expected) || std::isinf(got)) return expected == got;
    const double apart = std::abs(expected - got);
    return apart <= tolerance || apart <= tolerance * std::abs(expected);
}

// nullopt for `tolerance`: words are texts and nothing else.
std::optional<Difference> in_words(std::string_view expected, std::string_view got, std::optional<double> tolerance) {
    std::size_t in_expected = 0, in_got = 0;
    for (std::int64_t count = 1;; ++count) {
        const std::string_view want = next_word(expected, in_expected);
        const std::string_view have = next_word(got, in_got);
        if (want == have) {
            if (want.empty()) return std::nullopt;
            continue;
        }
        const auto wanted = tolerance ? number_of(want) : std::nullopt;
        const auto number = wanted ? number_of(have) : std::nullopt;
        if (number && near(*wanted, *number, *tolerance)) continue;
        return Difference{.kind = number ? DifferenceKind::number : DifferenceKind::word,
                          .line = line_of(expected, in_expected),
                          .word = count,
                          .expected = shown_word(want),
                          .got = shown_word(have)};
    }
}

// Takes the next line off `text`, without what does not count at its end.
std::string_view next_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line.substr(0, line.find_last_not_of(blanks) + 1);
}

std::string_view without_blank_end(std::string_view text) { return text.substr(0, text.find_last_not_of(blanks) + 1); }

std::optional<Difference> in_lines(std::string_view expected, std::string_view got) {
    expected = without_blank_end(expected);
    got = without_blank_end(got);
    for (std::int64_t number = 1; !expected.empty() || !got.empty(); ++number) {
        const bool ended_expected = expected.empty(), ended_got = got.empty();
        const std::string_view want = next_line(expected);
        const std::string_view have = next_line(got);
        if (want == have && ended_expected == ended_got) continue;
        const std::size_t at = character_begin(want, static_cast<std::size_t>(std::ranges::mismatch(want, have).in1 - want.begin()));
        const auto side = [at](bool ended, std::string_view line) {
            return ended ? std::nullopt : std::optional{escaped(line.substr(std::min(at, line.size())), shown_max)};
        };
        return Difference{.kind = DifferenceKind::character,
                          .line = number,
                          .column = column_of(want, at),
                          .expected = side(ended_expected, want),
                          .got = side(ended_got, have)};
    }
    return std::nullopt;
}

RE2::Options pattern_options() {
    RE2::Options options;
    options.set_log_errors(false);
    return options;
}

std::optional<Difference> in_pattern(std::string_view expected, std::string_view got) {
    const RE2 pattern{re2::StringPiece{expected.data(), expected.size()}, pattern_options()};
    const auto matches = [&](std::string_view text) {
        return RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, pattern);
    };
    const bool fits = pattern.ok() && got.size() <= pattern_got_max &&
                      (matches(got) || (got.ends_with('\n') && matches(got.substr(0, got.size() - 1))));
    if (fits) return std::nullopt;
    return Difference{.kind = DifferenceKind::pattern, .expected = escaped(expected, shown_max)};
}

}  // namespace

std::optional<Difference> first_difference(const Comparison& by, std::string_view expected, std::string_view got) {
    switch (by.how) {
        case model::Compare::exact: return in_bytes(expected, got);
        case model::Compare::whitespace: return in_words(expected, got, std::nullopt);
        case model::Compare::lines: return in_lines(expected, got);
        case model::Compare::float_: return in_words(expected, got, by.tolerance);
        case model::Compare::regex: return in_pattern(expected, got);
        case model::Compare::checker: return std::nullopt;
    }
    return std::nullopt;
}

Result<> check_pattern(std::string_view pattern) {
    if (pattern.size() > pattern_bytes_max) {
        return Error{Fault::invalid, fmt::format("a pattern has at most {} bytes", pattern_bytes_max)};
    }
    const RE2 compiled{re2::StringPiece{pattern.data(), pattern.size()}, pattern_options()};
    if (!compiled.ok()) return Error{Fault::invalid, "no pattern: " + escaped(compiled.error())};
    return ok;
}

}  // namespace assay::grade
