// assay module: the author's commands. They need no server; `check` needs what `run` needs.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>

#include "api/images.hh"
#include "archive/archive.hh"
#include "base/ids.hh"
#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/module_folder.hh"
#include "course/course.hh"
#include "course/samples.hh"
#include "runner/check.hh"
#include "runner/runner.hh"
#include "sandbox/helper.hh"
#include "sandbox/rootless.hh"
#include "serve/rooms.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/random.hh"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int runs = 3;
constexpr std::chrono::seconds helper_end_max{40};

struct Subject {
    course::CompiledModule module;
    std::vector<course::Sample> samples;
    std::vector<std::string> notes;
};

Result<Subject> read_subject(const std::string& folder, const std::string& data) {
    ASSAY_TRY(ModuleFolder read, read_module(folder));
    Subject subject;
    ASSAY_TRY(subject.samples, course::read_samples(read.name, read.files));
    subject.module = std::move(read.module);
    const image::Library images{data + "/images"};
    ASSAY_CHECK(course::pin_image(subject.module, api::images_of(images)));
    subject.notes = std::move(read.notes);
    ASSAY_CHECK(course::check_fits(subject.module, serve::this_machine()));
    return subject;
}

struct Tried {
    std::string name;
    std::string refused;               // why it would not even be accepted; empty: it was run
    std::vector<model::Report> reports;
    std::vector<runner::Concern> concerns;
    bool as_expected = false;
};

class Checker {
public:
    Checker(const course::CompiledModule& module, sandbox::Client client) : module_{module}, client_{std::move(client)} {}

    Result<Tried> sample(const course::Sample& sample) {
        Tried tried{.name = sample.name, .refused = {}, .reports = {}, .concerns = {}};
        ASSAY_CHECK(run(tried, sample.files, runs));
        tried.as_expected = tried.refused.empty();
        for (const model::Report& report : tried.reports) tried.as_expected = tried.as_expected && runner::ends_as(sample.verdict, sample.score, report);
        if (!tried.reports.empty()) tried.concerns = runner::unsteady(module_.plan, tried.reports);
        return tried;
    }

    // Whether a submission of empty files earns anything.
    Result<std::optional<runner::Concern>> hollow() {
        std::vector<archive::SourceFile> files;
        for (const std::string& path : runner::hollow_paths(module_.plan.upload)) files.push_back({path, false, ""});
        Tried tried{.name = "(empty files)", .refused = {}, .reports = {}, .concerns = {}};
        ASSAY_CHECK(run(tried, files, 1));
        if (tried.reports.empty()) return std::optional<runner::Concern>{};
        const model::Report& report = tried.reports.front();
        if (report.verdict != model::Verdict::passed && report.score.value_or(0) <= 0) return std::optional<runner::Concern>{};
        return std::optional{runner::Concern{"empty_scores", fmt::format("a submission of empty files ends as {} with a score of {:g}",
                                                                         model::to_string(report.verdict), report.score.value_or(0))}};
    }

private:
    Result<> run(Tried& tried, const std::vector<archive::SourceFile>& files, int times) {
        ASSAY_TRY(const std::string tar, archive::pack_tar(files));
        ASSAY_TRY(const sys::Fd submission, sys::memory_file("submission", bytes_of(tar), true));
        ASSAY_TRY(const archive::Verdict looked, archive::verify(submission, module_.plan.upload));
        if (looked.refused) {
            tried.refused = model::to_string(looked.refused->code());
            return ok;
        }
        ASSAY_TRY(const sys::Fd revision, sys::memory_file("revision", bytes_of(module_.revision_tar), true));
        for (int i = 1; i <= times; ++i) {
            fmt::print(stderr, "assay: {}: run {} of {}\n", tried.name, i, times);
            auto report = runner::evaluate(client_, floor_, 0, {module_.plan, submission.get(), revision.get()},
                                           never_stop_, -1, [](const auto&) {});
            if (!report) return report.take_error().in("sample " + tried.name);
            tried.reports.push_back(std::move(report).value());
        }
        return ok;
    }

    const course::CompiledModule& module_;
    sandbox::Client client_;
    runner::Floor floor_;
    const std::atomic<bool> never_stop_{false};
};

std::string outcome_of(const model::Report& report) {
    std::string text{model::to_string(report.verdict)};
    if (report.score) text += fmt::format(" {:g} / {:g}", *report.score, report.score_max.value_or(0));
    return text;
}

// What an author needs to see of a run that did not end as it should.
void print_details(const model::Report& report) {
    for (const model::StageReport& stage : report.stages) {
        fmt::print("    {}: {}{}\n", stage.name, model::to_string(stage.verdict), stage.fault.empty() ? "" : " (" + escaped(stage.fault) + ")");
        for (const model::TestReport& test : stage.tests) {
            if (test.verdict == model::Verdict::passed) continue;
            const std::string& why = test.fault.empty() ? test.message : test.fault;
            fmt::print("        {}: {}, {:g} of {:g}{}\n", escaped(test.name, 80), model::to_string(test.verdict), test.score, test.score_max,
                       why.empty() ? "" : ": " + escaped(trimmed(why), 200));
        }
        if (stage.verdict != model::Verdict::passed && !stage.errors.empty()) fmt::print("        stderr: {}\n", escaped(trimmed(stage.errors), 400));
    }
}

void print_text(const Subject& subject, const std::vector<Tried>& all, const std::vector<runner::Concern>& concerns) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Tried& tried = all[i];
        const course::Sample& sample = subject.samples[i];
        if (tried.as_expected) {
            fmt::print("{}: {}, as expected\n", tried.name, outcome_of(tried.reports.front()));
        } else {
            fmt::print("{}: expected {}{}\n", tried.name, model::to_string(sample.verdict), sample.score ? fmt::format(" with {:g}", *sample.score) : "");
            if (!tried.refused.empty()) fmt::print("    it would be refused: {}\n", tried.refused);
            for (const model::Report& report : tried.reports) {
                if (runner::ends_as(sample.verdict, sample.score, report)) continue;
                fmt::print("    it ended as {}\n", outcome_of(report));
                print_details(report);
                break;
            }
        }
        for (const runner::Concern& concern : tried.concerns) fmt::print("    warning: {}\n", concern.text);
    }
    for (const runner::Concern& concern : concerns) fmt::print("warning: {}\n", concern.text);
    for (const std::string& note : subject.notes) fmt::print("note: {}\n", note);
}

Json json_of(const runner::Concern& concern, const std::string& sample) {
    return {{"code", concern.code}, {"sample", sample.empty() ? Json(nullptr) : Json(sample)}, {"text", concern.text}};
}

Json json_of(std::optional<double> number) { return number ? Json(*number) : Json(nullptr); }

void print_json(const Subject& subject, const std::vector<Tried>& all, const std::vector<runner::Concern>& concerns, bool fine) {
    Json json{{"module", subject.module.id.text()}, {"ok", fine}, {"samples", Json::array()}, {"warnings", Json::array()}, {"notes", subject.notes}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        Json one{{"name", all[i].name}, {"ok", all[i].as_expected}};
        one["expected"] = {{"verdict", model::to_string(subject.samples[i].verdict)}, {"score", json_of(subject.samples[i].score)}};
        one["refused"] = all[i].refused.empty() ? Json(nullptr) : Json(all[i].refused);
        one["runs"] = Json::array();
        for (const model::Report& report : all[i].reports) one["runs"].push_back(Json::parse(model::to_json(report)));
        json["samples"].push_back(std::move(one));
        for (const runner::Concern& concern : all[i].concerns) json["warnings"].push_back(json_of(concern, all[i].name));
    }
    for (const runner::Concern& concern : concerns) json["warnings"].push_back(json_of(concern, ""));
    fmt::print("{}\n", json.dump(2));
}

// Once the helper is there we are nobody: what the samples print is parsed without rights.
Result<sandbox::Client> begin(sandbox::Helper& helper, const std::string& data) {
    const std::string id = to_hex(bytes_of(sys::random_bytes(8)));
    ASSAY_TRY(helper, sandbox::start_helper({.directory_id = id,
                                             .first_uid = sandbox::first_uid_for(id),
                                             .fill = archive::fill_main,
                                             .disk_scratch = own_disk_scratch(data),
                                             .data = data}));
    ASSAY_TRY(sys::Fd socket, sandbox::connect_client(helper));
    const std::uint32_t uid = sandbox::first_uid_for(id) + sandbox::runner_uid_offset;
    ASSAY_CHECK(sys::become(uid, uid));
    return sandbox::Client{std::move(socket)};
}

Result<bool> check(const Subject& subject, sandbox::Client client, bool json) {
    Checker checker{subject.module, std::move(client)};
    std::vector<Tried> all;
    std::vector<runner::Concern> concerns = runner::forgeable(subject.module.plan);
    for (const course::Sample& sample : subject.samples) {
        ASSAY_TRY(Tried tried, checker.sample(sample));
        all.push_back(std::move(tried));
    }
    ASSAY_TRY(auto hollow, checker.hollow());
    if (hollow) concerns.push_back(std::move(*hollow));
    const auto ending = [&](bool passed) {
        return std::ranges::any_of(subject.samples, [&](const auto& sample) { return (sample.verdict == model::Verdict::passed) == passed; });
    };
    if (!ending(true)) concerns.push_back({"no_passing_sample", "no sample passes: nothing shows that the work can be done"});
    if (!ending(false)) concerns.push_back({"no_failing_sample", "every sample passes: nothing shows that wrong work is noticed"});
    const bool fine = std::ranges::all_of(all, &Tried::as_expected);
    if (json) print_json(subject, all, concerns, fine);
    else print_text(subject, all, concerns);
    return fine;
}

}  // namespace

ExitCode module_new(const std::string& folder) {
    const auto path = whole_path(folder);
    if (!path) return fail(path.error());
    const std::string name = path->filename();
    if (!valid_name(name)) {
        return fail({Fault::invalid, fmt::format("'{}' cannot be a module's id: 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot", escaped(name, 80))});
    }
    std::error_code failure;
    if (std::filesystem::exists(*path, failure) && !std::filesystem::is_empty(*path, failure)) {
        return fail({Fault::conflict, fmt::format("{} exists already and is not empty", escaped(folder))});
    }
    for (const archive::SourceFile& file : course::new_module(name)) {
        const std::filesystem::path target = *path / file.path;
        std::filesystem::create_directories(target.parent_path(), failure);
        if (failure) return fail({Fault::system, fmt::format("{}: {}", target.parent_path().string(), failure.message())});
        auto made = sys::create_exclusive(target, 0644);
        auto written = made ? sys::write_all(*made, file.content) : Result<>{made.take_error()};
        if (!written) return fail(written.error());
    }
    fmt::print("{0}: a module that passes its own check; try it with `assay module check {0}`\n", folder);
    return ExitCode::done;
}

ExitCode module_check(const StaffOptions& options, const std::string& folder) {
    auto subject = read_subject(folder, options.data);
    if (!subject) return fail(subject.error());
    if (subject->samples.empty()) return fail({Fault::invalid, fmt::format("{} has no samples; put one in samples/NAME with src/ and expect.toml", escaped(folder))});
    if (sys::effective_uid() != 0) return fail(sandbox::become_own_root().in("assay module check without root"));
    if (const sandbox::HostCheck host = sandbox::check_host(); host.guarantees.disk != model::Guarantee::exact) {
        return fail({Fault::unsupported, "this host makes no sandboxes: " + (host.missing.empty() ? std::string{"a guarantee is missing"} : host.missing.front())});
    } else if (!host.can_grade) {
        subject->notes.emplace_back("no control groups can be used here, so the limits of memory, processes and CPU time are approximate: a sample that ends at "
                                    "one of them may end otherwise on the server");
    }
    sys::ignore_broken_pipes();
    sandbox::Helper helper;
    auto client = begin(helper, subject->module.plan.image_pin ? std::filesystem::absolute(options.data).string() : "");
    auto done = client ? check(*subject, std::move(client).value(), options.json) : Result<bool>{client.take_error()};
    if (helper.control) sandbox::stop_helper(std::move(helper), sys::system_clock().now() + helper_end_max);
    if (!done) return fail(done.error());
    return *done ? ExitCode::done : ExitCode::failed;
}

}  // namespace assay::cli
