// Compare: expected against got, and where they first differ as a reader sees it. Pure and total: any bytes on either side, time
// linear in both.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.hh"
#include "model/report.hh"
#include "model/words.hh"

namespace assay::grade {

struct Comparison {
    model::Compare how = model::Compare::exact;
    double tolerance = 0;  // of float_
};

// nullopt: equal, or the comparison is a checker's (which is a command, and nothing here).
//   exact       byte for byte
//   whitespace  runs of blanks and line breaks count as one, leading and trailing ones not at all
//   lines       line by line; blanks at the end of a line do not count, a carriage return being one, nor do empty lines at the end
//   float_      words as with whitespace. Where both are numbers they may differ by `tolerance`, or by that share of the expected
//               one; others must be the same text. Infinities equal those of their sign, not-a-number equals itself.
//   regex       `expected` is a pattern (RE2) that all of `got` must match, or all but its last newline
std::optional<model::Difference> first_difference(const Comparison&, std::string_view expected, std::string_view got);

constexpr std::size_t pattern_bytes_max = 16u << 10;
constexpr std::size_t pattern_got_max = 4u << 20;  // longer output matches no pattern

// Whether a text is a pattern of Compare::regex. Errors: invalid, saying what is wrong in it.
Result<> check_pattern(std::string_view pattern);

}  // namespace assay::grade
