#include "api/limits.hh"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/auth.hh"
#include "api/submission.hh"
#include "course/identity.hh"
#include "course/plan_cache.hh"
#include "queue/policy.hh"
#include "sys/zone.hh"
#include "wording/wording.hh"

namespace assay::api {
namespace {

using Json = nlohmann::ordered_json;

struct Limits {
    Parts& parts;
    course::PlanCache plans;
};

Json time_json(std::optional<std::int64_t> ms, const std::string& timezone) {
    return ms ? Json(sys::rfc3339(sys::wall_from_ms(*ms), timezone)) : Json(nullptr);
}

http::Response refused(const http::Request& request, int status, model::Refusal code) {
    const auto language = wording::choose(request.header("accept-language"));
    return http::problem(status, model::to_string(code), wording::meaning(language, code), wording::next_step(language, code));
}

// The module's dates as they are for whoever asks, and whether he may send now.
struct Terms {
    grade::Dates dates;
    bool open = false;
};

// A token that is nobody's is no reason to say nothing: the dates are everybody's then.
Result<Terms> terms_of(Parts& parts, store::Reading& reading, const store::Course& course, const store::Module& module, const model::Plan& plan,
                       const std::optional<std::string>& token, std::int64_t now_ms) {
    std::optional<std::int64_t> extended_ms;
    std::vector<store::Commitment> made;
    if (token) {
        ASSAY_TRY(const auto people, course::who(reading, parts.keys, *token));
        const auto person = std::ranges::find(people, course.id, &store::Participant::course);
        if (person != people.end()) {
            ASSAY_TRY(extended_ms, reading.extension(course.id, module.id, person->id));
            ASSAY_TRY(made, reading.commitments(course.id, module.id, person->id, now_ms));
        }
    }
    const grade::Dates dates = grade::dates_of(plan, extended_ms);
    return Terms{dates, !queue::closed_to_bytes(dates, made, now_ms)};
}

Json module_json(const store::Course& course, const store::Module& module, const model::Plan& plan, const Terms& terms, std::int64_t now_ms) {
    const model::UploadRules& rules = plan.upload;
    Json json{
        {"course", course.id.text()},
        {"module", module.id.text()},
        {"size_max", rules.size_max},
        {"formats", rules.formats},
        {"unpacked_max", rules.unpacked_max},
        {"entries_max", rules.entries_max},
        {"required", rules.required},
        {"ignore", rules.ignore},
        {"symlinks", model::to_string(rules.symlinks)},
        {"names", model::to_string(rules.names)},
        {"rate", nullptr},
        {"submissions_max", plan.submissions_max ? Json(*plan.submissions_max) : Json(nullptr)},
        {"timezone", course.timezone},
        {"opens", time_json(terms.dates.opens_ms, course.timezone)},
        {"due", time_json(terms.dates.due_ms, course.timezone)},
        {"closes", time_json(terms.dates.closes_ms, course.timezone)},
        {"late", nullptr},
        {"pass", plan.pass ? Json(*plan.pass) : Json(nullptr)},
        {"upload_grace_ms", plan.upload_grace_ms},
        {"now", time_json(now_ms, course.timezone)},
    };
    if (rules.rate) json["rate"] = {{"count", rules.rate->count}, {"per_ms", rules.rate->per_ms}};
    if (plan.late) json["late"] = {{"grace_ms", plan.late->grace_ms}, {"per_day", plan.late->per_day}, {"cap", plan.late->cap}};
    json["open"] = terms.open;
    return json;
}

Result<Json> server_json(Limits& limits, store::Reading& reading, std::int64_t now_ms) {
    std::int64_t size_max = 0;
    ASSAY_TRY(const auto courses, reading.courses());
    for (const store::Course& course : courses) {
        ASSAY_TRY(const auto modules, reading.modules(course.id));
        for (const store::Module& module : modules) {
            if (module.archived) continue;
            ASSAY_TRY(const auto plan, limits.plans.get(reading, module.revision));
            if (!queue::closed_at(*plan, now_ms)) size_max = std::max(size_max, plan->upload.size_max);
        }
    }
    return Json{{"size_max", size_max > 0 ? size_max : size_max_default},
                {"formats", model::UploadRules{}.formats},
                {"now", time_json(now_ms, "UTC")}};
}

Result<http::Response> look(Limits& limits, const http::Request& request) {
    const auto course_id = request.parameter("course");
    const auto module_id = request.parameter("module");
    if (course_id.has_value() != module_id.has_value()) return refused(request, 400, model::Refusal::missing_field);
    const std::int64_t now_ms = sys::to_ms(limits.parts.clock.wall());
    http::Response response;
    ASSAY_CHECK(limits.parts.store.read([&](store::Reading& reading) -> Result<> {
        Json json;
        if (!course_id) {
            ASSAY_TRY(json, server_json(limits, reading, now_ms));
        } else {
            ASSAY_TRY(const auto course, reading.course(CourseId{*course_id}));
            if (!course) {
                response = refused(request, 404, model::Refusal::unknown_course);
                return ok;
            }
            ASSAY_TRY(const auto module, reading.module(course->id, ModuleId{*module_id}));
            if (!module || module->archived) {
                response = refused(request, 404, model::Refusal::unknown_module);
                return ok;
            }
            ASSAY_TRY(const auto plan, limits.plans.get(reading, module->revision));
            ASSAY_TRY(const Terms terms, terms_of(limits.parts, reading, *course, *module, *plan, http::bearer_token(request), now_ms));
            json = module_json(*course, *module, *plan, terms, now_ms);
        }
        json["version"] = ASSAY_VERSION;
        response = http::Response::json(200, json.dump(-1, ' ', false, Json::error_handler_t::replace));
        response.with("Cache-Control", "no-cache").with("Vary", "Authorization");
        return ok;
    }));
    return response;
}

loop::Task<http::Response> answer(std::shared_ptr<Limits> limits, http::Request request) {
    const auto work = [&] { return look(*limits, request); };
    auto response = co_await limits->parts.pages.run(work);
    if (!response) co_return error_answer(request, response.error());
    co_return std::move(*response);
}

}  // namespace

void add_limits_route(http::Router& router, Parts& parts) {
    const auto limits = std::make_shared<Limits>(parts);
    router.add("GET", "/api/v1/limits", [limits](http::Request request, http::Reader&) { return answer(limits, std::move(request)); });
}

}  // namespace assay::api
