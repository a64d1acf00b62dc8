#include "course/csv.hh"

#include <utility>

#include <fmt/format.h>

namespace assay::course {
namespace {

Error wrong(std::size_t line, std::string_view text) {
    return {Fault::invalid, fmt::format("line {}: {}", line, text)};
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_{text} {
        if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
    }

    Result<std::vector<CsvRow>> rows() {
        std::vector<CsvRow> rows;
        while (at_ < text_.size()) {
            CsvRow row{.line = line_, .fields = {}};
            for (bool more = true; more;) {
                if (row.fields.size() == csv_fields_max)
                    return wrong(line_, fmt::format("more than {} fields", csv_fields_max));
                ASSAY_TRY(std::string field, this->field());
                row.fields.push_back(std::move(field));
                more = accept(',');
            }
            accept('\r');
            if (at_ < text_.size() && !accept('\n')) return wrong(line_, "text behind a closing quote");
            ++line_;
            if (row.fields.size() == 1 && row.fields[0].empty()) continue;
            if (rows.size() == csv_rows_max) return wrong(line_, fmt::format("more than {} rows", csv_rows_max));
            rows.push_back(std::move(row));
        }
        return rows;
    }

private:
    bool accept(char wanted) {
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    Result<std::string> field() {
        if (accept('"')) return quoted();
        const std::size_t from = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
            if (text_[at_] == '"') return wrong(line_, "a quote inside a field that does not begin with one");
            ++at_;
        }
        return std::string{text_.substr(from, at_ - from)};
    }

    Result<std::string> quoted() {
        const std::size_t opened = line_;
        std::string field;
        for (;; ++at_) {
            if (at_ == text_.size()) return wrong(opened, "a quote is not closed");
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] == '"') {
                ++at_;
                if (at_ == text_.size() || text_[at_] != '"') return field;
            }
            field += text_[at_];
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text) { return Parser{text}.rows(); }

std::string csv_field(std::string_view field) {
    if (field.find_first_of(",\"\r\n") == std::string_view::npos && !field.starts_with(' ') && !field.ends_with(' '))
        return std::string{field};
    std::string quoted = "\"";
    for (const char c : field) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

bool begins_a_formula(std::string_view cell) {
    constexpr std::string_view beginnings = "=+-@\t\r";
    return !cell.empty() && beginnings.contains(cell.front());
}

std::string csv_text_cell(std::string_view cell) {
    return csv_field(begins_a_formula(cell) ? "'" + std::string{cell} : std::string{cell});
}

}  // namespace assay::course
