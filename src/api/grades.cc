// What staff take elsewhere. Grades: one row per participant and module, what counts there. Where nothing counts although
// something was handed in, the newest is named without points: who waits for a fault to be mended has not got zero. The CSV is
// for spreadsheets (docs/formats/grades.md). And which archives are behind them.
#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/staff.hh"
#include "base/text.hh"
#include "course/csv.hh"
#include "queue/view.hh"
#include "sys/zone.hh"

namespace assay::api {
namespace {

using Json = nlohmann::ordered_json;

// What counts, or else the newest; nullptr: nothing was handed in.
const queue::SubmissionView* foremost(const queue::ModuleView& view) {
    if (view.submissions.empty()) return nullptr;
    const auto counting = std::ranges::find(view.submissions, true, &queue::SubmissionView::counts);
    return counting != view.submissions.end() ? &*counting : &view.submissions.front();
}

// Of each active participant in each module that is not archived, or in the module `only`, which may be.
Result<> each(store::Store& store, const queue::Board& board, const CourseId& id, const std::string& only,
              std::int64_t now_ms,
              const std::function<void(const queue::ModuleView&, const std::string& timezone)>& told) {
    return store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto course, reading.course(id));
        if (!course)
            return Error{Fault::missing, "no course '" + escaped(id.text()) + "'; `assay course list` shows them"};
        ASSAY_TRY(const auto modules, reading.modules(id));
        ASSAY_TRY(const auto people, reading.participants(id));
        bool found = only.empty();
        for (const store::Module& module : modules) {
            if (only.empty() ? module.archived : module.id.text() != only) continue;
            found = true;
            for (const store::Participant& person : people) {
                if (!person.active) continue;
                ASSAY_TRY(const auto view, queue::view_module(reading, board, *course, module, person, now_ms));
                told(view, course->timezone);
            }
        }
        if (!found)
            return Error{Fault::missing,
                         "the course '" + escaped(id.text()) + "' has no module '" + escaped(only) + "'"};
        return ok;
    });
}

// In the order of the columns.
Json row_of(const queue::ModuleView& view, const std::string& timezone) {
    Json row{{"id", view.participant.id.text()},
             {"name", view.participant.name},
             {"email", view.participant.email},
             {"group", view.participant.group},
             {"module", view.module.id.text()},
             {"submissions", view.submissions.size()},
             {"submission", nullptr},
             {"received_at", nullptr},
             {"state", nullptr},
             {"verdict", nullptr},
             {"score", nullptr},
             {"score_max", nullptr},
             {"late", nullptr},
             {"penalty", nullptr}};
    const queue::SubmissionView* const found = foremost(view);
    if (found == nullptr) return row;
    const queue::SubmissionView& one = *found;
    row["submission"] = one.submission.id.text();
    row["received_at"] = sys::rfc3339(sys::wall_from_ms(one.submission.last_byte_ms), timezone);
    row["state"] = std::string{to_string(one.submission.state)};
    if (one.verdict) row["verdict"] = std::string{to_string(*one.verdict)};
    row["late"] = one.late;
    if (!one.counts) return row;
    if (one.score) row["score"] = *one.score;
    if (one.score_max) row["score_max"] = *one.score_max;
    row["penalty"] = one.penalty;
    return row;
}

std::string field(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return course::csv_text_cell(value.get<std::string>());
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    return value.is_number_float() ? fmt::format("{}", value.get<double>()) : value.dump();
}

std::string csv_of(const Json& rows) {
    std::string csv{course::byte_order_mark};
    csv += "id,name,email,group,module,submissions,submission,received_at,state,verdict,score,score_max,late,penalty\n";
    for (const Json& row : rows) {
        std::string line;
        for (const auto& [name, value] : row.items()) {
            if (!line.empty()) line += ',';
            line += field(value);
        }
        csv += line + '\n';
    }
    return csv;
}

}  // namespace

Result<std::string> grades(store::Store& store, const queue::Board& board, const CourseId& id, const std::string& only,
                           bool json, std::int64_t now_ms) {
    Json rows = Json::array();
    const auto add = [&](const queue::ModuleView& view, const std::string& timezone) {
        rows.push_back(row_of(view, timezone));
    };
    ASSAY_CHECK(each(store, board, id, only, now_ms, add));
    return json ? rows.dump(1) + "\n" : csv_of(rows);
}

Result<std::string> archives_json(store::Store& store, const queue::Board& board, const CourseId& id,
                                  const std::string& only, bool all, std::int64_t now_ms) {
    Json rows = Json::array();
    const auto add = [&](const queue::ModuleView& view, const std::string& timezone) {
        const queue::SubmissionView* const one = foremost(view);
        for (const queue::SubmissionView& it : view.submissions) {
            if (!all && &it != one) continue;
            rows.push_back({{"id", view.participant.id.text()},
                            {"module", view.module.id.text()},
                            {"submission", it.submission.id.text()},
                            {"received_at", sys::rfc3339(sys::wall_from_ms(it.submission.last_byte_ms), timezone)},
                            {"state", std::string{to_string(it.submission.state)}},
                            {"counts", it.counts},
                            {"sha256", it.submission.sha256},
                            {"size", it.submission.size}});
        }
    };
    ASSAY_CHECK(each(store, board, id, only, now_ms, add));
    return rows.dump(1) + "\n";
}

}  // namespace assay::api
