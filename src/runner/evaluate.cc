// One evaluation: a job in the sandbox, the plan's stages in order, every outcome handed to grade.
//
// The submission is unpacked once, into the first untrusted run. What that run leaves is sealed, and every later untrusted
// stage or test starts from the newest sealed state. Tests seal nothing, so no test sees another. When tests come first there
// is no state yet: a command that does nothing makes one under the stage's limits.
//
// Each command asks the floor for its turn. One that ran out of time while others kept the machine busy has another try, alone:
// its outcome takes the place of the first, which the report keeps beside it.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "base/assert.hh"
#include "base/text.hh"
#include "grade/grade.hh"
#include "grade/reports.hh"
#include "runner/bounds.hh"
#include "runner/runner.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace assay::runner {
namespace {

using model::Verdict;
using std::chrono::milliseconds;

constexpr std::string_view path_variable = "PATH=/usr/local/bin:/usr/bin:/bin";
constexpr std::string_view language_variable = "LANG=C.UTF-8";
const char* const grader_folder = "grader/";  // of a revision

struct Stop {
    const std::atomic<bool>& requested;
    int wake_fd;
};

std::vector<std::string> environment_of(const model::Plan& plan, bool trusted) {
    std::vector<std::string> all{std::string{path_variable}, std::string{language_variable}, "TZ=" + plan.timezone};
    if (trusted) {
        all.emplace_back("HOME=/out");
    } else {
        all.insert(all.end(), {"HOME=/work", "USER=student"});
    }
    return plan.image_pin ? model::environment_in(plan.image_pin->environment, std::move(all)) : all;
}

std::int64_t largest_memory_bytes(const model::Plan& plan) {
    std::int64_t largest = 0;
    for (const model::StagePlan& stage : plan.stages) {
        largest = std::max(largest, stage.limits.memory_bytes);
        for (const model::TestPlan& test : stage.tests) largest = std::max(largest, test.limits.memory_bytes);
    }
    return largest;
}

// Index of the first stage that gives points; the number of stages when none does.
std::size_t first_scoring_stage(const model::Plan& plan) {
    const auto scores = [](const model::StagePlan& stage) { return stage.has_tests() || stage.has_report(); };
    return static_cast<std::size_t>(std::ranges::find_if(plan.stages, scores) - plan.stages.begin());
}

// All of a stream that was kept; what was dropped between head and tail ends it.
std::string stream_of(const model::Captured& captured) {
    return captured.dropped_bytes == 0 ? captured.head + captured.tail : captured.head;
}

// Of a stream that was too long to be kept whole: its ends, and the true number of bytes between them.
std::string ends_of(const model::Captured& captured) {
    constexpr std::size_t half = model::test_output_kept_max / 2;
    model::Captured few{.head = captured.head.substr(0, half), .bytes = captured.bytes};
    few.tail = captured.tail.substr(captured.tail.size() - std::min(half, captured.tail.size()));
    few.dropped_bytes = captured.bytes - static_cast<std::int64_t>(few.head.size() + few.tail.size());
    return replace_invalid_utf8(few.text());
}

// Of two times together: false when one is, else not known when one is not.
std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
    if (a == false || b == false) return false;
    return a && b ? std::optional{true} : std::nullopt;
}

// A tree that did not fit into the limits of the run it was unpacked for.
Verdict unfit(const model::Outcome& outcome, bool trusted) {
    if (trusted) return Verdict::grader_fault;
    return outcome.oom_killed ? Verdict::memory_limit : Verdict::disk_limit;
}

// A command's end that counts, and the one before it, if it was run again.
struct Tried {
    sandbox::Finished finished;
    std::optional<model::FirstTry> first;
    std::string not_again;  // why it was not, though it should have been
};

class Evaluation {
public:
    Evaluation(sandbox::Job& job, Floor& floor, const Work& work, Stop stop,
               const std::function<void(const Progress&)>& told)
        : job_{job}, floor_{floor}, work_{work}, stop_{stop}, told_{told}, scoring_{first_scoring_stage(work.plan)} {}

    Result<model::Report> all() {
        model::Report report;
        for (std::size_t i = 0; i < work_.plan.stages.size(); ++i) {
            const model::StagePlan& stage = work_.plan.stages[i];
            begin(stage.name, "");
            auto done = stage.has_tests() ? tests(stage) : command(stage, i < scoring_);
            if (!done) return done.take_error().in("stage " + stage.name);
            report.stages.push_back(std::move(done).value());
            model::StageReport over = report.stages.back();
            if (std::exchange(tests_told_, false)) over.tests.clear();
            told_({.stage = stage.name, .test = "", .finished = std::move(over)});
            if (!grade::goes_on(work_.plan, i, report.stages.back().verdict)) break;
        }
        grade::conclude(work_.plan, report);
        return report;
    }

private:
    void begin(const std::string& stage, const std::string& test) {
        at_ = {.stage = stage, .test = test};
        told_(at_);
    }

    sandbox::Request request(const model::StagePlan& stage) const {
        sandbox::Request request;
        request.trust = stage.trusted ? sandbox::Trust::trusted : sandbox::Trust::untrusted;
        request.stage = stage.name;
        request.command = stage.command;
        request.environment = environment_of(work_.plan, stage.trusted);
        request.limits = stage.limits;
        request.scratch = stage.scratch.value_or(model::Scratch::memory);
        request.output_kept_max = model::stage_output_kept_max;
        return request;
    }

    // Its turn on the floor, by `enter`; says so while it waits.
    template <class Enter>
    Result<Floor::Place> turn(Enter enter) {
        bool waited = false;
        const std::function<void()> waits = [&] {
            waited = true;
            Progress waiting = at_;
            waiting.reason = model::Reason::pressure;
            told_(waiting);
        };
        ASSAY_TRY(Floor::Place place, enter(waits));
        if (waited) told_(at_);
        return place;
    }

    Result<sandbox::Finished> alongside(sandbox::Request& request) {
        const auto enter = [&](const auto& waits) {
            return floor_.enter(sys::system_clock().now() + floor_wait_max, stop_.requested, waits);
        };
        ASSAY_TRY(const Floor::Place place, turn(enter));
        return once(request);
    }

    // Errors: as `once`.
    Result<Tried> run(sandbox::Request& request) {
        Tried tried;
        ASSAY_TRY(tried.finished, alongside(request));
        const model::Outcome& outcome = tried.finished.outcome;
        if (!grade::deserves_another_try(outcome)) return tried;
        const auto enter = [&](const auto& waits) {
            return floor_.enter_alone(milliseconds{request.limits.wall_ms}, sys::system_clock().now() + lone_wait_max,
                                      stop_.requested, waits);
        };
        const Result<Floor::Place> alone = turn(enter);
        if (!alone && alone.error().fault() == Fault::interrupted) return alone.error();
        if (!alone) {
            tried.not_again = alone.error().text();
            return tried;
        }
        tried.first = {.verdict = grade::verdict_of(outcome, request.trust == sandbox::Trust::trusted, false),
                       .usage = grade::usage_of(outcome)};
        request.again = request.seal;
        ASSAY_TRY(tried.finished, once(request));
        return tried;
    }

    static std::string note(const std::string& what, const Tried& tried) {
        return fmt::format("{} ran out of time while the machine was busy, and was not run again: {}", what,
                           tried.not_again);
    }

    // Errors: interrupted (told to stop), else ours: the sandbox failed. A tree that did not fit is no error.
    Result<sandbox::Finished> once(sandbox::Request& request) {
        if (stop_.requested) return Error{Fault::interrupted, "the evaluation was stopped"};
        const bool trusted = request.trust == sandbox::Trust::trusted;
        if ((trusted || !sealed_) && !request.submission) request.submission = sandbox::Fill{work_.submission, archive::fill_argument(work_.plan.upload)};
        if (trusted && work_.revision >= 0 && !request.grader) request.grader = sandbox::Fill{work_.revision, grader_folder};
        ASSAY_TRY(sandbox::Finished finished, job_.run(request, &stop_.requested, stop_.wake_fd));
        const model::Outcome& outcome = finished.outcome;
        if (outcome.cancelled || stop_.requested) return Error{Fault::interrupted, "the evaluation was stopped"};
        if (finished.fill_failed && (outcome.disk_full || outcome.oom_killed)) return finished;
        if (finished.fill_failed) return Error{Fault::internal, "unpack the submission: " + outcome.fault};
        if (!outcome.started || !outcome.fault.empty()) {
            return Error{Fault::internal, outcome.fault.empty() ? "the command did not start" : outcome.fault};
        }
        if (!trusted && request.seal) sealed_ = true;
        return finished;
    }

    static model::StageReport described(const model::StagePlan& stage, const model::Outcome& outcome) {
        model::StageReport report;
        report.name = stage.name;
        report.trusted = stage.trusted;
        report.limits = outcome.limits;
        report.guarantees = outcome.guarantees;
        report.scratch = stage.scratch;
        return report;
    }

    Result<model::StageReport> command(const model::StagePlan& stage, bool before_scoring) {
        sandbox::Request asked = request(stage);
        asked.seal = !stage.trusted;
        asked.report = stage.trusted ? stage.report : "";
        if (stage.trusted) asked.guests = sandbox::GuestRules{.environment = environment_of(work_.plan, false)};
        ASSAY_TRY(const Tried tried, run(asked));
        const sandbox::Finished& finished = tried.finished;
        const model::Outcome& outcome = finished.outcome;

        model::StageReport report = described(stage, outcome);
        report.first_try = tried.first;
        report.exit_code = outcome.exit_code;
        report.signal = outcome.signal;
        report.usage = grade::usage_of(outcome);
        report.output = replace_invalid_utf8(outcome.output.text());
        report.errors = replace_invalid_utf8(outcome.errors.text());
        report.output_dropped_bytes = outcome.output.dropped_bytes;
        report.errors_dropped_bytes = outcome.errors.dropped_bytes;
        if (finished.fill_failed) {
            report.verdict = unfit(outcome, stage.trusted);
            if (stage.trusted) {
                report.fault = "the submission or the grader did not fit into the stage's memory";
            } else {
                report.errors = replace_invalid_utf8(outcome.fault);
            }
        } else if (stage.trusted) {
            grade::judge_trusted(stage, outcome, left_report(stage, finished.report), report);
        } else {
            report.verdict = grade::verdict_of(outcome, false, before_scoring);
        }
        if (!tried.not_again.empty()) report.notes.push_back(note("the stage", tried));
        return report;
    }

    static Result<std::string> left_report(const model::StagePlan& stage, const sys::Fd& file) {
        if (!file) return Error{Fault::missing, fmt::format("there is no regular file /out/{}", stage.report)};
        return sys::read_all(file, grade::report_bytes_max);
    }

    Result<model::StageReport> tests(const model::StagePlan& stage) {
        if (stage.trusted) return Error{Fault::invalid, "a stage of tests cannot be trusted"};
        if (!sealed_) {
            ASSAY_TRY(model::StageReport prepared, prepare(stage));
            if (prepared.verdict != Verdict::passed) return prepared;
        }
        std::optional<model::StageReport> report;
        for (const model::TestPlan& plan : stage.tests) {
            begin(stage.name, plan.name);
            auto done = test(stage, plan, report);
            if (!done) return done.take_error().in("test " + plan.name);
            model::StageReport alone;
            alone.name = stage.name;
            alone.tests.push_back(report->tests.back());
            tests_told_ = true;
            told_({.stage = stage.name, .test = plan.name, .finished = std::move(alone)});
        }
        ASSAY_ASSERT(report);
        report->verdict = grade::verdict_of_tests(report->tests);
        return std::move(*report);
    }

    // Makes the state that tests without a stage before them start from. Not passed: the submission does not fit.
    Result<model::StageReport> prepare(const model::StagePlan& stage) {
        sandbox::Request asked = request(stage);
        asked.command = {"/bin/true"};
        asked.seal = true;
        ASSAY_TRY(const sandbox::Finished finished, alongside(asked));
        model::StageReport report = described(stage, finished.outcome);
        report.verdict = finished.fill_failed ? unfit(finished.outcome, false) : Verdict::passed;
        if (!finished.fill_failed) return report;
        report.errors = replace_invalid_utf8(finished.outcome.fault);
        for (const model::TestPlan& plan : stage.tests) {
            model::TestReport test;
            test.name = plan.name;
            test.verdict = report.verdict;
            test.score_max = plan.points;
            test.visibility = plan.visibility;
            report.tests.push_back(std::move(test));
        }
        return report;
    }

    // Appends to `report`, which the first test begins.
    Result<> test(const model::StagePlan& stage, const model::TestPlan& plan, std::optional<model::StageReport>& report) {
        sandbox::Request asked = request(stage);
        asked.command = plan.command;
        asked.limits = plan.limits;
        // One more than the limit, so that everything a program inside its limits prints is there to compare.
        const auto all = static_cast<std::size_t>(std::max<std::int64_t>(plan.limits.output_bytes, 0)) + 1;
        asked.output_kept_max = std::clamp(all, model::test_output_kept_max, test_output_compared_max);
        sys::Fd input;
        if (!plan.stdin_bytes.empty()) {
            ASSAY_TRY(input, sys::memory_file("stdin", bytes_of(plan.stdin_bytes), true));
            asked.stdin_fd = input.get();
        }
        for (const model::ExpectedFile& file : plan.files) asked.files.push_back(file.path);
        ASSAY_TRY(const Tried tried, run(asked));
        const sandbox::Finished& finished = tried.finished;
        const model::Outcome& outcome = finished.outcome;
        const std::string got = stream_of(outcome.output);
        ASSAY_TRY(const auto files, contents_of(finished.files));
        model::TestReport done = grade::grade_test(plan, outcome, got, files);
        if (grade::wants_checker(plan, done)) {
            ASSAY_TRY(done, checked(stage, plan, std::move(done), got));
        }
        if (outcome.output.dropped_bytes > 0) done.got = ends_of(outcome.output);
        if (outcome.errors.dropped_bytes > 0) done.errors = ends_of(outcome.errors);
        done.first_try = tried.first;
        if (!report) {
            report = described(stage, outcome);
            report->usage.trustworthy_timing = true;
        }
        if (!tried.not_again.empty() && report->notes.empty())
            report->notes.push_back(note("test " + plan.name, tried));
        report->usage.trustworthy_timing = both(report->usage.trustworthy_timing, done.usage.trustworthy_timing);
        if (done.usage.memory_stalled_ms)
            report->usage.memory_stalled_ms =
                report->usage.memory_stalled_ms.value_or(0) + *done.usage.memory_stalled_ms;
        report->usage.cpu_ms += done.usage.cpu_ms;
        report->usage.wall_ms += done.usage.wall_ms;
        report->usage.memory_peak_bytes = std::max(report->usage.memory_peak_bytes, done.usage.memory_peak_bytes);
        report->usage.processes_peak = std::max(report->usage.processes_peak, done.usage.processes_peak);
        report->tests.push_back(std::move(done));
        return ok;
    }

    static Result<std::vector<std::optional<std::string>>> contents_of(const std::vector<sys::Fd>& files) {
        std::vector<std::optional<std::string>> contents;
        std::size_t left = test_files_bytes_max;
        for (const sys::Fd& file : files) {
            contents.emplace_back();
            if (!file) continue;
            Result<std::string> text = sys::read_all(file, left);
            if (!text && text.error().fault() == Fault::too_large) continue;
            if (!text) return text.take_error().in("a file of the test");
            left -= text->size();
            contents.back() = std::move(text).value();
        }
        return contents;
    }

    // The module's own program has the last word: trusted, under the stage's limits, with the whole module at /grader and what
    // it compares at /submission.
    Result<model::TestReport> checked(const model::StagePlan& stage, const model::TestPlan& plan, model::TestReport report, const std::string& got) {
        std::vector<archive::SourceFile> files{{"input", false, plan.stdin_bytes}, {"expected", false, plan.stdout_bytes.value_or("")}, {"got", false, got}};
        ASSAY_TRY(const std::string bytes, archive::pack_tar(std::move(files)));
        ASSAY_TRY(const sys::Fd submission, sys::memory_file("checked", bytes_of(bytes), true));
        sandbox::Request asked = request(stage);
        asked.trust = sandbox::Trust::trusted;
        asked.scratch = model::Scratch::memory;  // As of all that is trusted, and so no larger than it may be there.
        asked.limits.disk_bytes = std::min(asked.limits.disk_bytes, asked.limits.memory_bytes / 2);
        asked.stage = "checker";
        asked.environment = environment_of(work_.plan, true);
        asked.command = plan.checker;
        asked.command.insert(asked.command.end(), {"/submission/input", "/submission/expected", "/submission/got"});
        asked.submission = sandbox::Fill{submission.get(), ""};
        if (work_.revision >= 0) asked.grader = sandbox::Fill{work_.revision, ""};
        asked.report = "score";
        ASSAY_TRY(sandbox::Finished finished, alongside(asked));
        // Too much for the stage's memory, before the checker had a word.
        if (finished.fill_failed) finished.outcome.started = finished.outcome.oom_killed = true;
        std::optional<std::string> score;
        if (finished.report) {
            Result<std::string> text = sys::read_all(finished.report, grade::checker_score_max);
            if (!text && text.error().fault() != Fault::too_large) return text.take_error().in("/out/score");
            score = text ? std::move(text).value() : std::string(grade::checker_score_max + 1, '?');
        }
        return grade::judge_checked(plan, std::move(report), finished.outcome, score);
    }

    sandbox::Job& job_;
    Floor& floor_;
    const Work& work_;
    const Stop stop_;
    const std::function<void(const Progress&)>& told_;
    const std::size_t scoring_;
    Progress at_;  // what has begun
    bool tests_told_ = false;  // of this stage, each by itself
    bool sealed_ = false;  // an untrusted run left its state, with the submission in it
};

}  // namespace

Result<model::Report> evaluate(sandbox::Client& client, Floor& floor, int slot, const Work& work,
                               const std::atomic<bool>& stop, int wake_fd,
                               const std::function<void(const Progress&)>& told) {
    constexpr std::size_t release_bytes_max = 256;
    if (work.plan.stages.empty() || work.plan.stages.size() > model::plan_stages_max) {
        return Error{Fault::invalid, fmt::format("a plan has 1 to {} stages", model::plan_stages_max)};
    }
    ASSAY_TRY(sandbox::Job job, client.open_job(slot, largest_memory_bytes(work.plan), work.plan.image_pin ? work.plan.image_pin->digest : ""));
    Evaluation evaluation{job, floor, work, {stop, wake_fd}, told};
    ASSAY_TRY(model::Report report, evaluation.all());
    if (auto release = sys::read_file("/proc/sys/kernel/osrelease", release_bytes_max)) {
        report.kernel = std::string{trimmed(*release)};
    }
    return report;
}

}  // namespace assay::runner
