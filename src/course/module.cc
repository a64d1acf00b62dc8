// module.toml: dates and counts, what an upload must respect, and the stages.
#include "course/module.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "base/text.hh"

namespace assay::course {
namespace {

constexpr std::int64_t size_max_bytes = 4LL << 30;
constexpr std::int64_t unpacked_max_bytes = 1LL << 40;
constexpr std::int64_t entries_max_count = 1'000'000;
constexpr std::int64_t submissions_max_count = 1'000'000;
constexpr double points_max = 1e6;
constexpr std::int64_t rate_count_max = 10'000;
constexpr std::int64_t grace_max_ms = 30LL * 24 * 3600 * 1000;
constexpr std::size_t globs_max = 100;
constexpr std::string_view file_name = "module.toml";

class Reader {
public:
    Reader(const ModuleFolder& folder, const std::string& timezone) : folder_{folder}, file_{folder.shown(file_name)} {
        out_.plan.timezone = timezone;
    }

    Result<ModulePlan> read() {
        ASSAY_TRY(const Value root, parse_toml(file_, folder_.files.find(file_name)->second));
        constexpr std::string_view known[] = {"module", "upload", "environment", "stage"};
        ASSAY_TRY(const Section top, Section::open(file_, root, "module.toml", known));
        ASSAY_CHECK(top.require("module"));
        ASSAY_CHECK(read_module(*top.find("module")));
        if (const Value* upload = top.find("upload")) ASSAY_CHECK(read_upload(*upload));
        if (const Value* environment = top.find("environment")) ASSAY_CHECK(read_environment(*environment));
        ASSAY_TRY(const auto stages, tables(file_, std::get<Table>(root.is), "stage"));
        if (stages.empty()) return problem_at(file_, 1, "a module needs at least one [[stage]]");
        if (stages.size() > model::plan_stages_max) {
            return problem_at(file_, stages[model::plan_stages_max]->line,
                              fmt::format("a module has at most {} stages", model::plan_stages_max));
        }
        for (const Value* stage : stages) ASSAY_CHECK(read_stage(*stage));
        warn_of_points();
        warn_of_memory();
        return std::move(out_);
    }

private:
    Result<> read_module(const Value& value) {
        constexpr std::string_view known[] = {"id",   "title",        "opens",           "due",       "closes", "late",
                                              "pass", "upload_grace", "submissions_max", "supersede", "counts"};
        ASSAY_TRY(const Section module, Section::open(file_, value, "[module]", known));
        ASSAY_CHECK(module.require("id"));
        ASSAY_TRY(auto id, module.text("id"));
        if (!valid_name(*id))
            return module.problem("id", "must be 1 to 64 of A-Z a-z 0-9 . _ - and not begin with a dot");
        out_.id = ModuleId{*id};
        model::Plan& plan = out_.plan;
        ASSAY_TRY(const auto title, module.text("title"));
        plan.title = title.value_or(*id);
        ASSAY_TRY(plan.opens_ms, module.time_ms("opens", plan.timezone, Section::Day::begins));
        ASSAY_TRY(plan.due_ms, module.time_ms("due", plan.timezone, Section::Day::ends));
        ASSAY_TRY(plan.closes_ms, module.time_ms("closes", plan.timezone, Section::Day::ends));
        if (!plan.closes_ms) plan.closes_ms = plan.due_ms;
        if (plan.due_ms && *plan.closes_ms < *plan.due_ms) return module.problem("closes", "must not be before `due`");
        if (plan.opens_ms && plan.closes_ms && *plan.closes_ms <= *plan.opens_ms) {
            return module.problem("opens", "must be before `due` and `closes`");
        }
        ASSAY_CHECK(read_late(module));
        ASSAY_TRY(const auto upload_grace, module.duration_ms("upload_grace", 0, grace_max_ms));
        plan.upload_grace_ms = upload_grace.value_or(plan.upload_grace_ms);
        ASSAY_TRY(plan.submissions_max, module.whole("submissions_max", 1, submissions_max_count));
        ASSAY_TRY(const auto supersede, module.flag("supersede"));
        plan.supersede = supersede.value_or(true);
        constexpr std::string_view counts_words[] = {"last", "best", "last_on_time"};
        ASSAY_TRY(const auto counts, module.word("counts", counts_words));
        if (counts) plan.counts = *model::parse<model::Counts>(*counts);
        ASSAY_TRY(plan.pass, module.number("pass", 0, points_max * 1000));
        return ok;
    }

    Result<> read_late(const Section& module) {
        const Value* value = module.find("late");
        if (value == nullptr) return ok;
        constexpr std::string_view known[] = {"grace", "per_day", "cap"};
        ASSAY_TRY(const Section section, Section::open(file_, *value, "late", known));
        model::Plan& plan = out_.plan;
        if (!plan.due_ms) return module.problem("late", "without `due` nothing is late");
        model::Late late;
        ASSAY_TRY(const auto grace, section.duration_ms("grace", 0, grace_max_ms));
        ASSAY_TRY(const auto per_day, section.number("per_day", 0, 1));
        ASSAY_TRY(const auto cap, section.number("cap", 0, 1));
        late.grace_ms = grace.value_or(late.grace_ms);
        late.per_day = per_day.value_or(late.per_day);
        late.cap = cap.value_or(late.cap);
        plan.late = late;
        if (plan.closes_ms == plan.due_ms) {
            out_.warnings.push_back(fmt::format("{}: `closes` is `due`, so that `late` is for extensions alone; set `closes` later to "
                                                "accept what is late", file_));
        }
        return ok;
    }

    Result<> read_upload(const Value& value) {
        constexpr std::string_view known[] = {"size_max", "formats", "unpacked_max", "entries_max",
                                              "symlinks", "names",   "ignore",       "required", "rate"};
        ASSAY_TRY(const Section upload, Section::open(file_, value, "[upload]", known));
        model::UploadRules& rules = out_.plan.upload;
        ASSAY_TRY(const auto size_max, upload.size("size_max", 1, size_max_bytes));
        ASSAY_TRY(const auto unpacked_max, upload.size("unpacked_max", 1, unpacked_max_bytes));
        ASSAY_TRY(const auto entries_max, upload.whole("entries_max", 1, entries_max_count));
        rules.size_max = size_max.value_or(rules.size_max);
        rules.unpacked_max = unpacked_max.value_or(rules.unpacked_max);
        rules.entries_max = entries_max.value_or(rules.entries_max);
        ASSAY_CHECK(read_formats(upload, rules));
        ASSAY_TRY(rules.rate, read_rate(upload));
        ASSAY_TRY(auto required, upload.texts("required", globs_max));
        // With a slash at the end it means folders alone.
        const auto pattern = [](std::string_view glob) { return inside(glob.substr(0, glob.size() - glob.ends_with('/'))); };
        if (required && !std::ranges::all_of(*required, pattern)) {
            return upload.problem(
                "required", fmt::format("each must be a relative path or glob of at most {} bytes, without . or ..",
                                        path_bytes_max));
        }
        rules.required = std::move(required).value_or(std::vector<std::string>{});

        constexpr std::string_view symlink_words[] = {"inside", "refuse"};
        ASSAY_TRY(const auto symlinks, upload.word("symlinks", symlink_words));
        if (symlinks) rules.symlinks = *model::parse<model::Symlinks>(*symlinks);
        constexpr std::string_view name_words[] = {"utf-8", "gb18030"};
        ASSAY_TRY(const auto names, upload.word("names", name_words));
        if (names) rules.names = *model::parse<model::NameEncoding>(*names);
        ASSAY_TRY(auto ignore, upload.texts("ignore", globs_max));
        if (ignore && !std::ranges::all_of(*ignore, pattern)) {
            return upload.problem("ignore", "each must be a name or glob, or a relative path of them, without . or ..");
        }
        if (ignore) rules.ignore = std::move(*ignore);
        if (archive::fill_argument(rules).size() > archive::fill_argument_bytes_max) {
            return upload.problem("ignore", fmt::format("the patterns must not be longer than {} bytes altogether",
                                                        archive::fill_argument_bytes_max - 30));
        }
        return ok;
    }

    static Result<std::optional<model::Rate>> read_rate(const Section& upload) {
        ASSAY_TRY(const auto text, upload.text("rate"));
        if (!text) return std::optional<model::Rate>{};
        constexpr std::pair<std::string_view, std::int64_t> units[] = {{"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
        const std::size_t slash = std::min(text->find('/'), text->size());
        std::int64_t count = 0;
        const auto [end, failure] = std::from_chars(text->data(), text->data() + slash, count);
        const auto* const unit = std::ranges::find(units, std::string_view{*text}.substr(std::min(slash + 1, text->size())),
                                                   &std::pair<std::string_view, std::int64_t>::first);
        if (failure != std::errc{} || end != text->data() + slash || count < 1 || count > rate_count_max || unit == std::end(units)) {
            return upload.problem("rate", fmt::format("must be like \"30/min\": 1 to {} uploads per s, min, h or d", rate_count_max));
        }
        return std::optional{model::Rate{count, unit->second}};
    }

    static Result<> read_formats(const Section& upload, model::UploadRules& rules) {
        ASSAY_TRY(auto formats, upload.texts("formats", globs_max));
        if (!formats) return ok;
        for (const std::string& format : *formats) {
            if (std::ranges::find(rules.formats, format) == rules.formats.end()) {  // Still the default: all there are.
                return upload.problem(
                    "formats",
                    fmt::format("'{}' is none of tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip", escaped(format, 64)));
            }
        }
        if (formats->empty()) return upload.problem("formats", "must name one format at least");
        rules.formats = std::move(*formats);
        return ok;
    }

    Result<> read_environment(const Value& value) {
        constexpr std::string_view known[] = {"image"};
        ASSAY_TRY(const Section environment, Section::open(file_, value, "[environment]", known));
        ASSAY_TRY(const auto image, environment.text("image"));
        if (image && *image != model::host_image && !model::valid_image_name(*image))
            return environment.problem("image", "must be \"host\" or the name of an imported image: letters, digits and ._:-");
        if (image) out_.plan.image = *image;
        return ok;
    }

    Result<> read_stage(const Value& value) {
        constexpr std::string_view known[] = {"name",   "run",     "tests",  "trusted", "required",
                                              "limits", "scratch", "report", "format",  "points"};
        constexpr Later later[] = {
            {"cores", "this version cannot give a stage a number of cores yet; leave it out"},
            {"image", "all stages of a module run in one image: name it in [environment]"},
            {"network", "stages have no network"},
            {"data", "this version cannot mount data sets yet"},
        };
        ASSAY_TRY(const Section section, Section::open(file_, value, "[[stage]]", known, later));
        model::StagePlan stage;
        ASSAY_CHECK(read_stage_name(section, stage));
        const std::string name = fmt::format("stage '{}'", stage.name);
        ASSAY_TRY(const auto trusted, section.flag("trusted"));
        ASSAY_TRY(const auto required, section.flag("required"));
        ASSAY_TRY(const LimitKeys limits, read_limits(section, "limits of " + name));
        ASSAY_TRY(stage.points, section.number("points", 0, points_max));
        ASSAY_TRY(stage.command, read_command(section));
        stage.trusted = trusted.value_or(false);
        stage.required = required.value_or(true);
        ASSAY_CHECK(read_scratch(section, stage));
        stage.limits = merge_limits({limits}, stage.scratch_on_disk());
        if (stage.trusted && out_.plan.stages.empty()) {
            return section.problem("trusted",
                                   "the first stage cannot be trusted: it is the one that receives the submission");
        }
        if (section.has("run") == section.has("tests")) {
            return problem_at(file_, section.line(),
                              fmt::format("{} needs either 'run' or 'tests', and not both", name));
        }
        ASSAY_CHECK(read_report(section, stage));
        if (section.has("tests")) ASSAY_CHECK(read_tests(section, {limits, stage.scratch_on_disk()}, stage));
        if (stage.points && !stage.has_tests() && !stage.has_report()) {
            return section.problem("points", "only a stage with tests or with a report gives points");
        }
        out_.plan.stages.push_back(std::move(stage));
        return ok;
    }

    Result<> read_stage_name(const Section& section, model::StagePlan& stage) const {
        ASSAY_CHECK(section.require("name"));
        ASSAY_TRY(auto name, section.text("name", 64));
        const bool good = !name->empty() && std::ranges::all_of(*name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        });
        if (!good) return section.problem("name", "must be 1 to 64 of a-z 0-9 _ -");
        if (std::ranges::find(out_.plan.stages, *name, &model::StagePlan::name) != out_.plan.stages.end()) {
            return section.problem("name", fmt::format("there is a stage '{}' already", *name));
        }
        stage.name = std::move(*name);
        return ok;
    }

    // What is in memory, as almost all are, is left out, so that what was compiled before stays what it was.
    static Result<> read_scratch(const Section& section, model::StagePlan& stage) {
        constexpr std::string_view words[] = {"memory", "disk"};
        ASSAY_TRY(const auto scratch, section.word("scratch", words));
        if (scratch != "disk") return ok;
        if (stage.trusted)
            return section.problem(
                "scratch",
                "a trusted stage and its guests write to memory; leave it out, or ask for it in an untrusted stage");
        stage.scratch = model::Scratch::disk;
        return ok;
    }

    static Result<> read_report(const Section& section, model::StagePlan& stage) {
        constexpr std::string_view formats[] = {"results", "junit", "tap", "autolab", "exit"};
        ASSAY_TRY(auto report, section.text("report", 255));
        ASSAY_TRY(const auto format, section.word("format", formats));
        if (!report && !format) return ok;
        const std::string_view key = report ? "report" : "format";
        if (!stage.trusted) {
            return section.problem(key, "only a trusted stage reports: what the participant's code can write is no result");
        }
        if (format) stage.report_format = model::parse<model::ReportFormat>(*format);
        if (stage.report_format == model::ReportFormat::exit) {
            if (report) return section.problem(key, "an exit code needs no file; leave out `report` or `format`");
            return ok;
        }
        if (!report) return section.problem(key, "it needs `report`, the name of the file in /out");
        if (report->empty() || report->contains('/') || report->starts_with('.')) {
            return section.problem(key, "must be a file name, not a path; it is looked for in /out");
        }
        if (!format) stage.report_format = format_of(*report);
        if (!stage.report_format) {
            return section.problem(key, fmt::format("the name '{}' does not tell its format (.json is results, .xml junit, .tap tap); "
                                                    "say `format`", escaped(*report)));
        }
        stage.report = std::move(*report);
        return ok;
    }

    static std::optional<model::ReportFormat> format_of(std::string_view name) {
        if (name.ends_with(".json")) return model::ReportFormat::results;
        if (name.ends_with(".xml")) return model::ReportFormat::junit;
        if (name.ends_with(".tap")) return model::ReportFormat::tap;
        return std::nullopt;
    }

    Result<> read_tests(const Section& section, const StageLimits& limits, model::StagePlan& stage) {
        if (stage.trusted)
            return section.problem("tests", "tests run the participant's program, so their stage cannot be trusted");
        ASSAY_TRY(const auto glob, section.text("tests"));
        if (!inside(*glob)) return section.problem("tests", "must be a relative path or glob such as tests/*.toml");
        ASSAY_TRY(stage.tests, compile_tests(folder_, section, *glob, limits, tests_max - tests_));
        tests_ += stage.tests.size();
        return ok;
    }

    void warn_of_points() {
        const auto reports = [](const model::StagePlan& stage) { return stage.has_report(); };
        const auto reporting = std::ranges::find_if(out_.plan.stages, reports);
        if (reporting == out_.plan.stages.end()) return;
        for (const model::StagePlan& stage : out_.plan.stages) {
            if (!stage.has_tests() || stage.points) continue;
            out_.warnings.push_back(
                fmt::format("{}: the tests of stage '{}' count 0 points, because stage '{}' has a report; set `points` "
                            "if they count",
                            file_, stage.name, reporting->name));
        }
    }

    // A submission that does not fit would be called the grader's fault.
    void warn_of_memory() {
        const std::int64_t unpacked_max = out_.plan.upload.unpacked_max;
        for (const model::StagePlan& stage : out_.plan.stages) {
            if (!stage.trusted || stage.limits.memory_bytes > unpacked_max) continue;
            out_.warnings.push_back(fmt::format(
                "{}: stage '{}' finds the submission in its memory, {}, and that may be as large as unpacked_max, {}",
                file_, stage.name, size_text(stage.limits.memory_bytes), size_text(unpacked_max)));
        }
    }

    const ModuleFolder& folder_;
    const std::string file_;
    ModulePlan out_;
    std::size_t tests_ = 0;
};

}  // namespace

bool inside(std::string_view path) {
    if (path.empty() || path.size() > path_bytes_max) return false;
    return std::ranges::none_of(split(path, '/'),
                                [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

Result<ModulePlan> compile_module(const ModuleFolder& folder, const std::string& timezone) {
    return Reader{folder, timezone}.read();
}

}  // namespace assay::course
