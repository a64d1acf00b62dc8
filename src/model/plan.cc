#include "model/plan.hh"

#include "model/codec.inc"
#include "model/json.hh"
#include "model/limits_fields.inc"

namespace assay::model {
namespace {

constexpr JsonBounds plan_bounds{.size_max = plan_size_max, .depth_max = 16, .values_max = 1'000'000};

}  // namespace

template <class V, Of<ExpectedFile> T>
void fields(V& visit, T& it) {
    visit("path", it.path);
    visit("base64", Bytes{it.bytes});
}

template <class V, Of<Rate> T>
void fields(V& visit, T& it) {
    visit("count", it.count);
    visit("per_ms", it.per_ms);
}

template <class V, Of<Late> T>
void fields(V& visit, T& it) {
    visit("grace_ms", it.grace_ms);
    visit("per_day", it.per_day);
    visit("cap", it.cap);
}

template <class V, Of<TestPlan> T>
void fields(V& visit, T& it) {
    visit("name", it.name);
    visit("command", it.command);
    visit("stdin_base64", Bytes{it.stdin_bytes});
    visit("stdout_base64", Bytes{it.stdout_bytes});
    visit("exit_code", it.exit_code);
    visit("files", it.files);
    visit("compare", it.compare);
    visit("tolerance", it.tolerance);
    visit("checker", it.checker);
    visit("points", it.points);
    visit("visibility", it.visibility);
    visit("limits", it.limits);
}

template <class V, Of<StagePlan> T>
void fields(V& visit, T& it) {
    visit("name", it.name);
    visit("trusted", it.trusted);
    visit("required", it.required);
    visit("command", it.command);
    visit("limits", it.limits);
    visit("scratch", it.scratch);
    visit("tests", it.tests);
    visit("report", it.report);
    visit("report_format", it.report_format);
    visit("points", it.points);
}

template <class V, Of<UploadRules> T>
void fields(V& visit, T& it) {
    visit("size_max", it.size_max);
    visit("formats", it.formats);
    visit("unpacked_max", it.unpacked_max);
    visit("entries_max", it.entries_max);
    visit("required", it.required);
    visit("symlinks", it.symlinks);
    visit("names", it.names);
    visit("rate", it.rate);
    visit("ignore", it.ignore);
}

template <class V, Of<ImagePin> T>
void fields(V& visit, T& it) {
    visit("digest", it.digest);
    visit("environment", it.environment);
}

template <class V, Of<Plan> T>
void fields(V& visit, T& it) {
    visit("title", it.title);
    visit("image", it.image);
    visit("image_pin", it.image_pin);
    visit("timezone", it.timezone);
    visit("upload", it.upload);
    visit("stages", it.stages);
    visit("files_sha256", it.files_sha256);
    visit("pass", it.pass);
    visit("opens_ms", it.opens_ms);
    visit("due_ms", it.due_ms);
    visit("closes_ms", it.closes_ms);
    visit("late", it.late);
    visit("upload_grace_ms", it.upload_grace_ms);
    visit("submissions_max", it.submissions_max);
    visit("supersede", it.supersede);
    visit("counts", it.counts);
}

std::string to_json(const Plan& plan) { return JsonWriter::text_of_struct(plan); }

Result<Plan> plan_from_json(std::string_view text) {
    ASSAY_TRY(const nlohmann::json json, parse_json(text, plan_bounds));
    auto plan = JsonReader::read<Plan>(json);
    if (!plan) return plan.take_error().in("plan");
    for (StagePlan& stage : plan->stages) {  // What an older version stored has a file and no format: there was one only.
        if (!stage.report.empty() && !stage.report_format) stage.report_format = ReportFormat::results;
    }
    if (plan->stages.size() > plan_stages_max) {
        return Error{Fault::invalid, fmt::format("plan: /stages: at most {} stages", plan_stages_max)};
    }
    return plan;
}

std::string to_json(const UploadRules& rules) { return JsonWriter::text_of_struct(rules); }

Result<UploadRules> upload_rules_from_json(std::string_view text) {
    ASSAY_TRY(const nlohmann::json json, parse_json(text, plan_bounds));
    auto rules = JsonReader::read<UploadRules>(json);
    if (!rules) return rules.take_error().in("upload rules");
    return rules;
}

}  // namespace assay::model
