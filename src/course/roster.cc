#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <set>

#include <fmt/format.h>

#include "base/text.hh"
#include "course/course.hh"
#include "course/csv.hh"
#include "course/identity.hh"
#include "course/roster.hh"

namespace assay::course {
namespace {

constexpr std::size_t id_bytes_max = 128;
constexpr std::size_t text_bytes_max = 400;
constexpr std::size_t secret_bytes_min = 8;

struct Column {
    std::string_view name;
    std::string RosterRow::* field;
};
constexpr std::array columns{
    Column{"id", &RosterRow::id},       Column{"name", &RosterRow::name},   Column{"email", &RosterRow::email},
    Column{"group", &RosterRow::group}, Column{"token", &RosterRow::token}, Column{"key", &RosterRow::key},
};

Error wrong(std::size_t line, const std::string& text) {
    return {Fault::invalid, fmt::format("line {}: {}", line, text)};
}

// "2.02E+09", "2.02E9": what a spreadsheet makes of a long number; which digits were there cannot be known any more. Without a sign
// and a point it may be an id as it was given out ("21E1234").
bool scientific(std::string_view id) {
    const std::size_t exponent = id.find_first_of("eE");
    if (exponent == std::string_view::npos || exponent == 0) return false;
    const std::string_view head = id.substr(0, exponent);
    std::string_view tail = id.substr(exponent + 1);
    const bool sign = tail.starts_with('+') || tail.starts_with('-');
    if (sign) tail.remove_prefix(1);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return (sign || head.find_first_of(".,") != std::string_view::npos) && !tail.empty() &&
           std::ranges::all_of(tail, digit) && digit(head[0]) &&
           std::ranges::all_of(head, [&](char c) { return digit(c) || c == '.' || c == ','; });
}

bool one_line(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check_secret(std::size_t line, std::string_view what, const std::string& secret, const std::string& id) {
    if (secret.empty()) return ok;
    if (secret.size() < secret_bytes_min)
        return wrong(line, fmt::format("the {} is shorter than {} characters; leave it empty to have one made", what,
                                       secret_bytes_min));
    if (secret.size() > secret_bytes_max)
        return wrong(line, fmt::format("the {} is longer than {} characters", what, secret_bytes_max));
    if (equal_ignoring_case(secret, id))
        return wrong(line,
                     fmt::format("the {} is the id, which everybody knows; leave it empty to have one made", what));
    return ok;
}

Result<> check_row(std::size_t line, const RosterRow& row) {
    if (row.id.empty()) return wrong(line, "the id is empty");
    if (row.id.size() > id_bytes_max) return wrong(line, fmt::format("the id is longer than {} bytes", id_bytes_max));
    if (scientific(row.id)) {
        return wrong(line, fmt::format("the id {} looks as if a spreadsheet had shortened a long number; format the "
                                       "column as text and fill it in again",
                                       row.id));
    }
    for (const Column& column : columns) {
        const std::string& text = row.*column.field;
        if (!one_line(text))
            return wrong(line, fmt::format("the {} contains a line break or control character", column.name));
        if (text.size() > text_bytes_max)
            return wrong(line, fmt::format("the {} is longer than {} bytes", column.name, text_bytes_max));
    }
    ASSAY_CHECK(check_secret(line, "token", row.token, row.id));
    ASSAY_CHECK(check_secret(line, "key", row.key, row.id));
    const bool in_a_link = std::ranges::all_of(row.key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!in_a_link) return wrong(line, "the key is part of a link and may have only A-Z a-z 0-9 - _");
    return ok;
}

Result<std::vector<std::string RosterRow::*>> read_header(const CsvRow& header) {
    std::vector<std::string_view> names;
    for (const Column& column : columns) names.push_back(column.name);
    std::vector<std::string RosterRow::*> fields;
    std::set<std::string> seen;
    for (const std::string& field : header.fields) {
        const std::string name = lower_ascii(trimmed(field));
        const auto column = std::ranges::find(columns, name, &Column::name);
        if (column == columns.end()) {
            const auto near = nearest(name, names);
            return wrong(header.line, fmt::format("unknown column '{}'; {}", escaped(field, 64),
                                                  near ? fmt::format("did you mean '{}'?", *near)
                                                       : "known are id, name, email, group, token, key"));
        }
        if (!seen.insert(name).second) return wrong(header.line, fmt::format("two columns '{}'", name));
        fields.push_back(column->field);
    }
    if (!seen.contains("id"))
        return wrong(header.line, "there is no column 'id'; the first line must name the columns");
    return fields;
}

class Import {
public:
    Import(store::Tx& tx, const store::Keys& keys, const CourseId& course) : tx_{tx}, keys_{keys}, course_{course} {}

    Result<> take(const RosterRow& row) {
        ASSAY_TRY(const auto old, tx_.participant(course_, ParticipantId{row.id}));
        if (!old && begins_a_formula(row.id)) {  // Who is there already stays, and comes back from what was exported.
            return Error{Fault::invalid,
                         fmt::format("the id {} begins with '{}', so that a spreadsheet takes it for a formula; "
                                     "leave that out",
                                     escaped(row.id), row.id.front())};
        }
        store::Participant person = old.value_or(store::Participant{.course = course_, .id = ParticipantId{row.id}});
        bool changed = !old || !old->active;
        person.active = true;
        const auto set = [&](std::string& field, const std::string& to) {
            if (to.empty() || field == to) return;
            field = to;
            changed = true;
        };
        set(person.name, row.name);
        set(person.email, row.email);
        set(person.group, row.group);
        const std::string token = row.token.empty() && !old ? new_token() : row.token;
        const std::string key = row.key.empty() && !old ? new_key() : row.key;
        changed = set_secret(person.token_hash, person.token_sealed, keys_.hash("token", normal_token(token)), token) ||
                  changed;
        changed = set_secret(person.key_hash, person.key_sealed, keys_.hash("key", key), key) || changed;
        if (!changed) {
            ++done.unchanged;
            return ok;
        }
        if (auto put = tx_.put_participant(person); !put) {
            if (put.error().fault() != Fault::conflict) return put;
            return Error{
                Fault::conflict,
                fmt::format("{}: the token or key belongs to someone else in the course already", escaped(row.id))};
        }
        ++(old ? done.updated : done.added);
        return ok;
    }

    // Who is not named takes part no longer.
    Result<> leave_out(const std::vector<RosterRow>& rows) {
        std::set<std::string_view> named;
        for (const RosterRow& row : rows) named.insert(row.id);
        ASSAY_TRY(const auto people, tx_.participants(course_));
        for (store::Participant person : people) {
            if (!person.active || named.contains(person.id.text())) continue;
            person.active = false;
            ASSAY_CHECK(tx_.put_participant(person));
            done.inactive.push_back(person.id.text());
        }
        return ok;
    }

    Imported done;

private:
    bool set_secret(std::string& hash, std::string& sealed, std::string to, const std::string& secret) {
        if (secret.empty() || hash == to) return false;
        hash = std::move(to);
        sealed = keys_.seal(secret);
        return true;
    }

    store::Tx& tx_;
    const store::Keys& keys_;
    const CourseId& course_;
};

Error no_course(const CourseId& course) {
    return {Fault::missing, fmt::format("there is no course '{}'; apply it first", escaped(course.text()))};
}

}  // namespace

Result<std::vector<RosterRow>> parse_roster(std::string_view csv) {
    if (csv.size() > roster_bytes_max)
        return Error{Fault::too_large, "the roster is larger than " + size_text(roster_bytes_max)};
    ASSAY_TRY(const std::string text, roster_text(csv));
    ASSAY_TRY(const auto lines, parse_csv(text));
    if (lines.empty()) return Error{Fault::invalid, "the roster is empty; its first line must name the columns"};
    ASSAY_TRY(const auto fields, read_header(lines.front()));

    std::vector<RosterRow> rows;
    std::map<std::string, std::size_t> ids, tokens, keys;  // -> line
    const auto unique = [](std::map<std::string, std::size_t>& seen, const std::string& value, std::size_t line,
                           std::string_view what) -> Result<> {
        if (value.empty()) return ok;
        const auto [found, fresh] = seen.emplace(value, line);
        if (!fresh) return wrong(line, fmt::format("the same {} as in line {}", what, found->second));
        return ok;
    };
    for (const CsvRow& line : lines | std::views::drop(1)) {
        if (line.fields.size() != fields.size()) {
            return wrong(line.line,
                         fmt::format("{} fields, but the header names {}", line.fields.size(), fields.size()));
        }
        RosterRow row;
        for (std::size_t i = 0; i < fields.size(); ++i) row.*fields[i] = trimmed(line.fields[i]);
        ASSAY_CHECK(check_row(line.line, row));
        ASSAY_CHECK(unique(ids, row.id, line.line, "id"));
        ASSAY_CHECK(unique(tokens, normal_token(row.token), line.line, "token"));
        ASSAY_CHECK(unique(keys, row.key, line.line, "key"));
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string roster_csv(const std::vector<RosterRow>& rows) {
    std::string csv;
    const auto line = [&](const auto& field_of) {
        for (const Column& column : columns)
            csv += csv_field(field_of(column)) + (&column == &columns.back() ? "\n" : ",");
    };
    line([](const Column& column) { return std::string{column.name}; });
    for (const RosterRow& row : rows) line([&](const Column& column) { return row.*column.field; });
    return csv;
}

Result<Imported> import_roster(store::Store& store, const store::Keys& keys, const CourseId& course,
                               const std::vector<RosterRow>& rows, bool sync) {
    Imported done;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(const auto found, tx.course(course));
        if (!found) return no_course(course);
        Import import{tx, keys, course};
        for (const RosterRow& row : rows) ASSAY_CHECK(import.take(row));
        if (sync) ASSAY_CHECK(import.leave_out(rows));
        done = import.done;
        return ok;
    }));
    return done;
}

Result<std::vector<RosterRow>> export_roster(store::Store& store, const store::Keys& keys, const CourseId& course) {
    std::vector<store::Participant> people;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto found, reading.course(course));
        if (!found) return no_course(course);
        ASSAY_TRY(people, reading.participants(course));
        return ok;
    }));
    std::erase_if(people, [](const store::Participant& person) { return !person.active; });
    std::vector<RosterRow> rows;
    for (const store::Participant& person : people) {
        auto token = keys.unseal(person.token_sealed);
        if (!token) return token.take_error().in("token of " + escaped(person.id.text()));
        auto key = keys.unseal(person.key_sealed);
        if (!key) return key.take_error().in("key of " + escaped(person.id.text()));
        rows.push_back({.id = person.id.text(),
                        .name = person.name,
                        .email = person.email,
                        .group = person.group,
                        .token = std::move(*token),
                        .key = std::move(*key)});
    }
    return rows;
}

}  // namespace assay::course
