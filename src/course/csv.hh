// Csv: RFC 4180 as spreadsheets write it: quoted fields with doubled quotes and line breaks, CRLF or LF, an optional BOM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace assay::course {

struct CsvRow {
    std::size_t line = 0;  // 1-based, where the row begins
    std::vector<std::string> fields;
};

// Without it some spreadsheets take UTF-8 for something else.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t csv_fields_max = 64;  // of a row
constexpr std::size_t csv_rows_max = 100'000;

// Rows that hold nothing at all are left out. Errors: invalid with the line, too_large.
Result<std::vector<CsvRow>> parse_csv(std::string_view text);
// A field as it stands in a file: quoted when it must be.
std::string csv_field(std::string_view field);
// Whether a spreadsheet reads a cell of that text as a formula, and so runs what somebody wrote into it.
bool begins_a_formula(std::string_view cell);
// A text for a spreadsheet: what would be a formula has an apostrophe before it.
std::string csv_text_cell(std::string_view cell);

}  // namespace assay::course
