// The admin socket: staff's commands, run by the server that holds the directory. Bodies are what the commands print.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/api.hh"
#include "api/auth.hh"
#include "api/health.hh"
#include "api/images.hh"
#include "api/keys.hh"
#include "api/metrics.hh"
#include "api/staff.hh"
#include "api/why.hh"
#include "base/log.hh"
#include "course/roster.hh"
#include "course/tar.hh"
#include "sys/process.hh"
#include "sys/zone.hh"

namespace assay::api {

namespace {

constexpr std::size_t tar_bytes_max = 64u << 20;  // SPEC: at most 64 MiB over the admin socket

bool set(const http::Request& request, std::string_view name) { return request.parameter(name) == "1"; }

// What a command does with its body: blocking, on a disk thread; returns what it prints.
using Act = Result<std::string> (*)(Parts&, const http::Request&, const std::string& body);

Result<std::string> apply_course(Parts& parts, const http::Request& request, const std::string& body) {
    ASSAY_TRY(auto compiled, course::compile_tar(bytes_of(body), sys::server_zone()));
    const auto held = parts.images.hold();
    ASSAY_CHECK(course::pin_images(compiled, images_of(parts.images)));
    ASSAY_TRY(const auto applied, course::apply(parts.store, parts.revisions, compiled, parts.machine, set(request, "dry_run"),
                                                sys::to_ms(parts.clock.wall())));
    return set(request, "json") ? applied.json : fmt::format("{}", fmt::join(applied.lines, "\n"));
}

Result<std::string> list_courses(Parts& parts, const http::Request&, const std::string&) {
    return course::list_json(parts.store, sys::to_ms(parts.clock.wall()));
}

Result<std::string> list_images(Parts& parts, const http::Request&, const std::string&) { return images_json(parts.images, parts.store); }

Result<std::string> remove_one_image(Parts& parts, const http::Request& request, const std::string&) {
    return remove_image(parts.images, parts.store, request.captures.at(0));
}

Result<std::string> import_roster(Parts& parts, const http::Request& request, const std::string& body) {
    ASSAY_TRY(const auto rows, course::parse_roster(body));
    const CourseId course{request.captures.at(0)};
    ASSAY_TRY(const auto imported, course::import_roster(parts.store, parts.keys, course, rows, set(request, "sync")));
    return course::imported_text(imported, set(request, "json"));
}

Result<std::string> preview_sync(Parts& parts, const http::Request& request, const std::string& body) {
    ASSAY_TRY(const auto rows, course::parse_roster(body));
    ASSAY_TRY(const auto missing, course::missing_from(parts.store, CourseId{request.captures.at(0)}, rows));
    return course::missing_text(missing, set(request, "json"));
}

Result<std::string> export_roster(Parts& parts, const http::Request& request, const std::string&) {
    ASSAY_TRY(const auto rows, course::export_roster(parts.store, parts.keys, CourseId{request.captures.at(0)}));
    return course::roster_csv(rows);
}

Result<std::string> parameter(const http::Request& request, std::string_view name) {
    const auto value = request.parameter(name);
    if (!value) return Error{Fault::invalid, fmt::format("the parameter '{}' is missing", name)};
    return std::string{*value};
}

template <course::Secret which>
Result<std::string> reset_secret(Parts& parts, const http::Request& request, const std::string&) {
    ASSAY_TRY(const std::string id_text, parameter(request, "id"));
    const ParticipantId id{id_text};
    ASSAY_TRY(const auto fresh, course::reset_secret(parts.store, parts.keys, CourseId{request.captures.at(0)}, id, which));
    return course::reset_text(id, which, fresh, set(request, "json"));
}

Result<std::string> extend(Parts& parts, const http::Request& request, const std::string&) {
    ASSAY_TRY(const std::string id_text, parameter(request, "id"));
    const ParticipantId id{id_text};
    ASSAY_TRY(const std::string module, parameter(request, "module"));
    ASSAY_TRY(const std::string until, parameter(request, "until"));
    return course::extend(parts.store, CourseId{request.captures.at(0)}, id, ModuleId{module}, until, set(request, "json"));
}

Result<std::string> list_queue(Parts& parts, const http::Request&, const std::string&) {
    return queue_json(parts.store, parts.board, sys::to_ms(parts.clock.wall()));
}

Result<std::string> export_grades(Parts& parts, const http::Request& request, const std::string&) {
    return grades(parts.store, parts.board, CourseId{request.captures.at(0)}, request.parameter("module").value_or(""), set(request, "json"),
                  sys::to_ms(parts.clock.wall()));
}

Result<std::string> list_archives(Parts& parts, const http::Request& request, const std::string&) {
    return archives_json(parts.store, parts.board, CourseId{request.captures.at(0)},
                         request.parameter("module").value_or(""), set(request, "all"), sys::to_ms(parts.clock.wall()));
}

Result<std::string> show_metrics(Parts& parts, const http::Request&, const std::string&) {
    return metrics_text(parts.store, parts.board, parts.verify_oldest_ms ? parts.verify_oldest_ms() : 0,
                        sys::to_ms(parts.clock.wall()));
}

Result<std::string> show_why(Parts& parts, const http::Request& request, const std::string&) {
    const auto language = set(request, "chinese") ? wording::Language::chinese : wording::Language::english;
    return why_json(parts.store, parts.board, SubmissionId{request.captures.at(0)}, diagnosis::Audience::staff, language, sys::to_ms(parts.clock.wall()));
}

// As it is stored: what graders printed and why they failed is for staff.
Result<std::string> show_report(Parts& parts, const http::Request& request, const std::string&) {
    return whole_report_json(parts.store, SubmissionId{request.captures.at(0)});
}

Result<std::string> list_keys(Parts& parts, const http::Request&, const std::string&) { return keys_json(parts.store); }

Result<std::string> rotate(Parts& parts, const http::Request& request, const std::string&) {
    const auto use = model::parse<model::KeyUse>(request.captures.at(0));
    if (!use) return Error{Fault::missing, "there are keys of receipts and of commitments"};
    return rotate_key(parts.store, parts.keys, *use, parts.clock, set(request, "json"));
}

template <ModuleCommand what>
Result<std::string> on_module(Parts& parts, const http::Request& request, const std::string&) {
    return act_on(parts.store, what, CourseId{request.captures.at(0)}, ModuleId{request.captures.at(1)}, sys::to_ms(parts.clock.wall()));
}

Result<std::string> rejudge_module(Parts& parts, const http::Request& request, const std::string&) {
    return rejudge_all(parts.store, CourseId{request.captures.at(0)}, ModuleId{request.captures.at(1)},
                       request.parameter("verdict").value_or(""));
}

template <SubmissionCommand what>
Result<std::string> on_submission(Parts& parts, const http::Request& request, const std::string&) {
    return act_on(parts.store, what, SubmissionId{request.captures.at(0)}, sys::to_ms(parts.clock.wall()));
}

Result<std::string> cancel_submission(Parts& parts, const http::Request& request, const std::string&) {
    ASSAY_TRY(queue::Cancelled done,
              cancel(parts.store, SubmissionId{request.captures.at(0)}, sys::to_ms(parts.clock.wall())));
    if (done.lease && parts.on_cancelled) parts.on_cancelled(*done.lease);
    return std::move(done.said);
}

enum class For { staff, everybody };

loop::Task<http::Response> command(Parts& parts, http::Request request, http::Reader& reader, Act act, std::size_t body_max,
                                   std::string type, For whom = For::staff) {
    if (auto refused = not_staff(request, sys::effective_uid()); refused && whom == For::staff) co_return *refused;
    const auto body = co_await http::read_body(reader, body_max);
    if (!body) co_return http::problem_of(body.error());
    const auto work = [&] { return act(parts, request, *body); };
    auto done = co_await parts.disk.run(work);
    if (!done) {
        const int status = http::status_of(done.error().fault());
        if (status >= 500) log::error("admin.failed", {{"request", request.id}, {"error", done.error().text()}});
        co_return http::problem_of(done.error());
    }
    if (request.method == "POST") {  // Whatever it was, work may have become startable and pages may differ.
        parts.board.changed();
        parts.board.feed().all_changed();
    }
    http::Response response;
    response.with("Content-Type", std::move(type)).body = std::move(done).value();
    co_return response;
}

}  // namespace

void add_admin_routes(http::Router& router, Parts& parts) {
    const auto add = [&](const char* method, const char* pattern, Act act, std::size_t body_max, const char* type) {
        router.add(method, pattern, [&parts, act, body_max, type](http::Request request, http::Reader& reader) {
            return command(parts, std::move(request), reader, act, body_max, type);
        });
    };
    constexpr const char* text = "text/plain; charset=utf-8";
    add("POST", "/admin/course/apply", apply_course, tar_bytes_max, text);
    add("GET", "/admin/courses", list_courses, 0, "application/json");
    add("POST", "/admin/roster/{course}", import_roster, course::roster_bytes_max, text);
    add("GET", "/admin/grades/{course}", export_grades, 0, text);
    add("GET", "/admin/archives/{course}", list_archives, 0, "application/json");
    add("GET", "/admin/roster/{course}", export_roster, 0, "text/csv; charset=utf-8");
    add("POST", "/admin/roster/{course}/preview", preview_sync, course::roster_bytes_max, text);
    add("POST", "/admin/roster/{course}/token-reset", reset_secret<course::Secret::token>, 0, text);
    add("POST", "/admin/roster/{course}/key-reset", reset_secret<course::Secret::key>, 0, text);
    add("POST", "/admin/roster/{course}/extend", extend, 0, text);
    add("GET", "/admin/keys", list_keys, 0, "application/json");
    add("POST", "/admin/keys/{use}/rotate", rotate, 0, text);
    add("GET", "/admin/images", list_images, 0, "application/json");
    add("POST", "/admin/images/{name}/remove", remove_one_image, 0, text);
    add("GET", "/admin/queue", list_queue, 0, "application/json");
    add("POST", "/admin/modules/{course}/{module}/pause", on_module<ModuleCommand::pause>, 0, text);
    add("POST", "/admin/modules/{course}/{module}/resume", on_module<ModuleCommand::resume>, 0, text);
    add("POST", "/admin/modules/{course}/{module}/rejudge", rejudge_module, 0, text);
    add("POST", "/admin/submissions/{id}/hold", on_submission<SubmissionCommand::hold>, 0, text);
    add("POST", "/admin/submissions/{id}/release", on_submission<SubmissionCommand::release>, 0, text);
    add("POST", "/admin/submissions/{id}/cancel", cancel_submission, 0, text);
    add("POST", "/admin/submissions/{id}/rejudge", on_submission<SubmissionCommand::rejudge>, 0, text);
    add("GET", "/admin/submissions/{id}/why", show_why, 0, "application/json");
    add("GET", "/admin/submissions/{id}/report", show_report, 0, "application/json");
    add("GET", "/metrics", show_metrics, 0, metrics_type);
    add_health_routes(router, parts);
}

void add_ops_routes(http::Router& router, Parts& parts) {
    router.add("GET", "/metrics", [&parts](http::Request request, http::Reader& reader) {
        return command(parts, std::move(request), reader, show_metrics, 0, metrics_type, For::everybody);
    });
    add_health_routes(router, parts);
}

}  // namespace assay::api
