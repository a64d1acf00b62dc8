// Staff commands on who takes part.
#include <fmt/format.h>

#include <cstdio>

#include "cli/act.hh"
#include "cli/commands.hh"
#include "course/roster.hh"
#include "http/message.hh"
#include "sys/file.hh"
#include "sys/terminal.hh"

namespace assay::cli {
namespace {

// Whether whoever sits at the terminal says yes. Without one nobody can.
bool confirmed() {
    if (!sys::is_terminal(0)) {
        std::fputs("nothing was changed: without a terminal to ask at, confirm with --yes\n", stderr);
        return false;
    }
    std::fputs("make them inactive? [y/N] ", stderr);
    char answer[8] = {};
    if (std::fgets(answer, sizeof answer, stdin) != nullptr && (answer[0] == 'y' || answer[0] == 'Y')) return true;
    std::fputs("nothing was changed\n", stderr);
    return false;
}

// Says who would become inactive. Whether to go on.
Result<bool> previewed(const StaffOptions& options, const std::string& course, const std::string& csv, bool yes) {
    const Call call{"POST", fmt::format("/admin/roster/{}/preview", segment(course)), "text/csv", csv};
    ASSAY_TRY(const std::string missing, act(options.data, call, [&](serve::Rooms& rooms) -> Result<std::string> {
                  ASSAY_TRY(const auto rows, course::parse_roster(csv));
                  ASSAY_TRY(const auto people, course::missing_from(*rooms.store, CourseId{course}, rows));
                  return course::missing_text(people, false);
              }));
    if (missing.empty()) return true;
    std::fprintf(stderr, "not in the file, and so inactive afterwards (their submissions stay):\n%s", missing.c_str());
    return yes || confirmed();
}

ExitCode reset(const StaffOptions& options, const std::string& course, const std::string& participant, course::Secret which, const char* name) {
    const Call call{"POST",
                    fmt::format("/admin/roster/{}/{}-reset?id={}&json={}", segment(course), name, http::percent_encoded(participant),
                                options.json ? 1 : 0),
                    "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) -> Result<std::string> {
        const ParticipantId id{participant};
        ASSAY_TRY(const auto fresh, course::reset_secret(*rooms.store, rooms.keys, CourseId{course}, id, which));
        return course::reset_text(id, which, fresh, options.json);
    }));
}

}  // namespace

ExitCode roster_import(const StaffOptions& options, const std::string& course, const std::string& file, const ImportOptions& import) {
    auto csv = sys::read_file(file, course::roster_bytes_max);
    if (!csv) return fail(std::move(csv).take_error().in("read the roster"));
    if (import.sync) {
        const auto go_on = previewed(options, course, *csv, import.yes);
        if (!go_on) return fail(go_on.error());
        if (!*go_on) return ExitCode::failed;
    }
    const Call call{"POST", fmt::format("/admin/roster/{}?json={}&sync={}", segment(course), options.json ? 1 : 0, import.sync ? 1 : 0),
                    "text/csv", *csv};
    return print(act(options.data, call, [&](serve::Rooms& rooms) -> Result<std::string> {
        ASSAY_TRY(const auto rows, course::parse_roster(*csv));
        ASSAY_TRY(const course::Imported imported, course::import_roster(*rooms.store, rooms.keys, CourseId{course}, rows, import.sync));
        return course::imported_text(imported, options.json);
    }));
}

ExitCode roster_export(const StaffOptions& options, const std::string& course) {
    return print(act(options.data, {"GET", "/admin/roster/" + segment(course), "", ""},
                     [&](serve::Rooms& rooms) -> Result<std::string> {
                         ASSAY_TRY(const auto rows, course::export_roster(*rooms.store, rooms.keys, CourseId{course}));
                         return course::roster_csv(rows);
                     }));
}

ExitCode roster_token_reset(const StaffOptions& options, const std::string& course, const std::string& participant) {
    return reset(options, course, participant, course::Secret::token, "token");
}

ExitCode roster_key_reset(const StaffOptions& options, const std::string& course, const std::string& participant) {
    return reset(options, course, participant, course::Secret::key, "key");
}

ExitCode roster_extend(const StaffOptions& options, const std::string& course, const std::string& participant, const std::string& module,
                       const std::string& until) {
    const Call call{"POST",
                    fmt::format("/admin/roster/{}/extend?id={}&module={}&until={}&json={}", segment(course), http::percent_encoded(participant),
                                http::percent_encoded(module), http::percent_encoded(until), options.json ? 1 : 0),
                    "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) {
        return course::extend(*rooms.store, CourseId{course}, ParticipantId{participant}, ModuleId{module}, until, options.json);
    }));
}

}  // namespace assay::cli
