// Staff commands: through DIR/admin.sock while a server holds the directory's lock, directly under the same lock when none
// does. Files named on the command line are read here, with the caller's rights.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

#include "api/images.hh"
#include "api/keys.hh"
#include "api/staff.hh"
#include "archive/archive.hh"
#include "cli/act.hh"
#include "cli/commands.hh"
#include "course/course.hh"
#include "http/client.hh"
#include "serve/data_directory.hh"
#include "serve/rooms.hh"
#include "serve/serve.hh"
#include "sys/file.hh"
#include "sys/socket.hh"
#include "sys/zone.hh"

namespace assay::cli {
namespace {

constexpr std::chrono::seconds admin_timeout{60};

// The `detail` of a problem document; the document itself when it is none.
std::string problem_detail(const std::string& body) {
    const auto problem = nlohmann::json::parse(body, nullptr, false);
    if (!problem.is_object() || !problem.contains("detail") || !problem["detail"].is_string()) return escaped(body);
    return problem["detail"].get<std::string>();
}

Result<std::string> ask_server(const std::string& data, const Call& call) {
    ASSAY_TRY(sys::Fd socket, sys::connect_unix(data + "/admin.sock"));
    http::Client client{std::move(socket)};
    ASSAY_TRY(http::Answer answer, client.request(call.method, call.target, call.content_type, bytes_of(call.body), admin_timeout));
    if (answer.status >= 200 && answer.status < 300) return std::move(answer.body);
    const Fault fault = answer.status >= 500 ? Fault::internal : Fault::invalid;
    return Error{fault, problem_detail(answer.body)};
}

Result<std::string> act_directly(const std::string& data, const Direct& direct, serve::Opening opening) {
    ASSAY_TRY(serve::DataDirectory directory, serve::DataDirectory::open(data, "", opening));
    ASSAY_CHECK(directory.enter());
    ASSAY_TRY(const auto rooms, serve::open_rooms(directory, 0));
    return direct(*rooms);
}

std::int64_t now_ms() { return sys::to_ms(sys::system_clock().wall()); }

ExitCode on_module(const StaffOptions& options, api::ModuleCommand what, const char* name, const std::string& course,
                   const std::string& module) {
    const Call call{"POST", fmt::format("/admin/modules/{}/{}/{}", segment(course), segment(module), name), "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) {
        return api::act_on(*rooms.store, what, CourseId{course}, ModuleId{module}, now_ms());
    }));
}

ExitCode on_submission(const StaffOptions& options, api::SubmissionCommand what, const char* name, const std::string& id) {
    const Call call{"POST", fmt::format("/admin/submissions/{}/{}", segment(id), name), "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) { return api::act_on(*rooms.store, what, SubmissionId{id}, now_ms()); }));
}

}  // namespace

Result<std::string> act(const std::string& data, const Call& call, const Direct& direct, serve::Opening opening) {
    ASSAY_TRY(const auto server, serve::server_of(data));
    if (server) return ask_server(data, call);
    return act_directly(data, direct, opening);
}

ExitCode print(Result<std::string> answer) {
    if (!answer) return fail(answer.error());
    std::fwrite(answer->data(), 1, answer->size(), stdout);
    if (!answer->empty() && !answer->ends_with('\n')) std::fputc('\n', stdout);
    return std::fflush(stdout) == 0 ? ExitCode::done : ExitCode::failed;
}

std::string segment(const std::string& text) { return text.empty() ? "-" : http::percent_encoded(text); }

ExitCode serve_command(const serve::Config& config) {
    if (auto served = serve::serve(config); !served) return fail(served.error());
    return ExitCode::done;
}

ExitCode course_apply(const StaffOptions& options, const std::string& folder, bool dry_run) {
    auto files = course::read_folder(folder);
    if (!files) return fail(std::move(files).take_error().in("read " + folder));
    auto packed = archive::pack_tar(*files);
    if (!packed) return fail(packed.error());
    // A course that is wrong shall not be what data begins with.
    auto compiled = course::compile(std::move(files).value(), sys::server_zone());
    if (!compiled) return fail(compiled.error());
    const Call call{"POST", fmt::format("/admin/course/apply?dry_run={}&json={}", dry_run ? 1 : 0, options.json ? 1 : 0),
                    "application/x-tar", std::move(packed).value()};
    const auto apply = [&](serve::Rooms& rooms) -> Result<std::string> {
        ASSAY_CHECK(course::pin_images(*compiled, api::images_of(rooms.images)));
        course::Machine machine = serve::this_machine();
        machine.scratch_disk_bytes_max = std::int64_t{options.scratch_disk_mib_max} << 20U;
        ASSAY_TRY(const course::Applied applied,
                  course::apply(*rooms.store, rooms.revisions, *compiled, machine, dry_run, now_ms()));
        return options.json ? applied.json : fmt::format("{}", fmt::join(applied.lines, "\n"));
    };
    // The one thing that data can begin with, apart from an image.
    return print(act(options.data, call, apply, dry_run ? serve::Opening::existing : serve::Opening::or_new));
}

ExitCode course_list(const StaffOptions& options) {
    auto listed = act(options.data, {"GET", "/admin/courses", "", ""},
                      [](serve::Rooms& rooms) { return course::list_json(*rooms.store, now_ms()); });
    if (!listed || options.json) return print(std::move(listed));
    return print(course::list_text(*listed));
}

ExitCode queue_list(const StaffOptions& options) {
    auto listed = act(options.data, {"GET", "/admin/queue", "", ""}, [](serve::Rooms& rooms) {
        return api::queue_json(*rooms.store, queue::Board{now_ms()}, now_ms());
    });
    if (!listed || options.json) return print(std::move(listed));
    return print(queue::queue_text(*listed));
}

ExitCode export_grades(const StaffOptions& options, const std::string& course, const std::string& module) {
    const std::string target = fmt::format("/admin/grades/{}?json={}&module={}", segment(course), options.json ? 1 : 0, http::percent_encoded(module));
    return print(act(options.data, {"GET", target, "", ""}, [&](serve::Rooms& rooms) {
        return api::grades(*rooms.store, queue::Board{now_ms()}, CourseId{course}, module, options.json, now_ms());
    }));
}

ExitCode queue_pause(const StaffOptions& options, const std::string& course, const std::string& module) {
    return on_module(options, api::ModuleCommand::pause, "pause", course, module);
}

ExitCode queue_resume(const StaffOptions& options, const std::string& course, const std::string& module) {
    return on_module(options, api::ModuleCommand::resume, "resume", course, module);
}

ExitCode queue_hold(const StaffOptions& options, const std::string& submission) {
    return on_submission(options, api::SubmissionCommand::hold, "hold", submission);
}

ExitCode queue_release(const StaffOptions& options, const std::string& submission) {
    return on_submission(options, api::SubmissionCommand::release, "release", submission);
}

ExitCode queue_cancel(const StaffOptions& options, const std::string& submission) {
    const Call call{"POST", fmt::format("/admin/submissions/{}/cancel", segment(submission)), "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) -> Result<std::string> {
        ASSAY_TRY(queue::Cancelled done, api::cancel(*rooms.store, SubmissionId{submission}, now_ms()));
        return std::move(done.said);
    }));
}

ExitCode rejudge(const StaffOptions& options, const std::string& submission) {
    return on_submission(options, api::SubmissionCommand::rejudge, "rejudge", submission);
}

ExitCode rejudge_module(const StaffOptions& options, const std::string& course, const std::string& module, const std::string& verdict) {
    const std::string target = fmt::format("/admin/modules/{}/{}/rejudge?verdict={}", segment(course), segment(module), http::percent_encoded(verdict));
    return print(act(options.data, {"POST", target, "text/plain", ""}, [&](serve::Rooms& rooms) {
        return api::rejudge_all(*rooms.store, CourseId{course}, ModuleId{module}, verdict);
    }));
}

ExitCode keys_list(const StaffOptions& options) {
    auto listed = act(options.data, {"GET", "/admin/keys", "", ""}, [](serve::Rooms& rooms) { return api::keys_json(*rooms.store); });
    if (!listed || options.json) return print(std::move(listed));
    return print(api::keys_text(*listed));
}

ExitCode keys_rotate(const StaffOptions& options, const std::string& use) {
    const auto known = model::parse<model::KeyUse>(use);
    if (!known) return fail({Fault::invalid, "a key is one of receipts or one of commitments"});
    const Call call{"POST", fmt::format("/admin/keys/{}/rotate?json={}", segment(use), options.json ? 1 : 0), "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) {
        return api::rotate_key(*rooms.store, rooms.keys, *known, sys::system_clock(), options.json);
    }));
}

}  // namespace assay::cli
