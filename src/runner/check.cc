#include "runner/check.hh"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.hh"

namespace assay::runner {
namespace {

using model::Verdict;

// A program that does nothing but end passes it.
bool asks_nothing(const model::TestPlan& test) {
    if (test.compare == model::Compare::checker || !test.files.empty()) return false;
    return !test.stdout_bytes || (test.exit_code == 0 && trimmed(*test.stdout_bytes).empty());
}

bool near_limit(double used, double limit, double share) { return limit > 0 && used >= limit * share; }

std::string score_text(std::optional<double> score) { return score ? fmt::format("{:g}", *score) : "none"; }

// Collects each concern once, in order.
class Concerns {
public:
    void add(const char* code, std::string text) {
        Concern concern{code, std::move(text)};
        if (std::ranges::find(all_, concern) == all_.end()) all_.push_back(std::move(concern));
    }
    std::vector<Concern> take() { return std::move(all_); }

    void look(const std::string& what, Verdict verdict, const model::Usage& usage, const model::Limits& limits) {
        if (verdict != Verdict::passed) return;
        if (near_limit(usage.cpu_ms, static_cast<double>(limits.cpu_ms), near_share))
            add("near_limit", fmt::format("{} passed with more than {:.0f} % of its {} ms of CPU time", what, near_share * 100, limits.cpu_ms));
        if (near_limit(usage.wall_ms, static_cast<double>(limits.wall_ms), near_share))
            add("near_limit", fmt::format("{} passed after more than {:.0f} % of its {} ms", what, near_share * 100, limits.wall_ms));
        if (near_limit(static_cast<double>(usage.memory_peak_bytes), static_cast<double>(limits.memory_bytes), near_memory))
            add("near_limit", fmt::format("{} passed with more than {:.0f} % of its {} of memory", what, near_memory * 100, size_text(limits.memory_bytes)));
    }

private:
    std::vector<Concern> all_;
};

void compare(Concerns& concerns, const model::StageReport& first, const model::StageReport& other) {
    const std::string stage = fmt::format("stage '{}'", first.name);
    if (first.verdict != other.verdict)
        concerns.add("verdict_differs", fmt::format("{} ended as {} and as {}", stage, model::to_string(first.verdict), model::to_string(other.verdict)));
    if (first.output != other.output) concerns.add("output_differs", stage + " did not print the same twice");
    if (first.tests.size() != other.tests.size()) {
        concerns.add("tests_differ", fmt::format("{} had {} tests and {}", stage, first.tests.size(), other.tests.size()));
        return;
    }
    for (std::size_t i = 0; i < first.tests.size(); ++i) {
        const model::TestReport& a = first.tests[i];
        const model::TestReport& b = other.tests[i];
        const std::string test = fmt::format("{}, test '{}'", stage, escaped(a.name, 80));
        if (a.verdict != b.verdict)
            concerns.add("verdict_differs", fmt::format("{} ended as {} and as {}", test, model::to_string(a.verdict), model::to_string(b.verdict)));
        if (std::abs(a.score - b.score) > 1e-4) concerns.add("score_differs", fmt::format("{} got {:g} and {:g} points", test, a.score, b.score));
        // What a program printed until a limit ended it is chance.
        const bool ended = a.verdict == Verdict::passed || a.verdict == Verdict::failed;
        if (ended && (a.got != b.got || a.message != b.message)) concerns.add("output_differs", test + " did not print the same twice");
    }
}

}  // namespace

std::vector<Concern> forgeable(const model::Plan& plan) {
    Concerns concerns;
    const bool scores = std::ranges::any_of(plan.stages, [](const auto& stage) { return stage.has_tests() || stage.has_report(); });
    if (!scores) {
        concerns.add("exit_code_decides", "no stage has tests or a report: what the participant's own build exits with is the verdict, "
                                          "and a build can be made to exit with 0");
    }
    const bool reported = std::ranges::any_of(plan.stages, &model::StagePlan::has_report);
    std::size_t compared = 0;
    std::size_t unseen = 0;
    for (const model::StagePlan& stage : plan.stages) {
        const bool counts = stage.has_tests() && (!reported || stage.points);
        for (const model::TestPlan& test : stage.tests) {
            if (!counts || test.points <= 0) continue;
            ++compared;
            if (test.visibility != model::Visibility::visible) ++unseen;
            if (!asks_nothing(test)) continue;
            concerns.add("asks_nothing", fmt::format("stage '{}', test '{}' is passed by any program that exits with {}: nothing that it "
                                                     "prints or writes is compared", stage.name, escaped(test.name, 80), test.exit_code));
        }
    }
    if (compared > 0 && unseen == 0) {
        concerns.add("answers_seen", "participants see the expected output of every test: a program that only knows these answers gets all "
                                     "their points; give some of them visibility = \"hidden\"");
    }
    return concerns.take();
}

bool ends_as(Verdict verdict, std::optional<double> score, const model::Report& report) {
    if (report.verdict != verdict) return false;
    return !score || std::abs(report.score.value_or(0) - *score) <= 1e-4;
}

std::vector<Concern> unsteady(const model::Plan& plan, std::span<const model::Report> runs) {
    Concerns concerns;
    for (const model::Report& report : runs) {
        const model::Report& first = runs.front();
        if (report.verdict != first.verdict)
            concerns.add("verdict_differs", fmt::format("it ended as {} and as {}", model::to_string(first.verdict), model::to_string(report.verdict)));
        if (std::abs(report.score.value_or(-1) - first.score.value_or(-1)) > 1e-4)
            concerns.add("score_differs", fmt::format("its score was {} and {}", score_text(first.score), score_text(report.score)));
        for (std::size_t i = 0; i < std::min(first.stages.size(), report.stages.size()); ++i) compare(concerns, first.stages[i], report.stages[i]);
        for (std::size_t i = 0; i < std::min(plan.stages.size(), report.stages.size()); ++i) {
            const model::StagePlan& stage = plan.stages[i];
            const model::StageReport& done = report.stages[i];
            if (!stage.has_tests()) concerns.look(fmt::format("stage '{}'", stage.name), done.verdict, done.usage, stage.limits);
            for (std::size_t t = 0; t < std::min(stage.tests.size(), done.tests.size()); ++t) {
                const model::TestPlan& test = stage.tests[t];
                concerns.look(fmt::format("stage '{}', test '{}'", stage.name, escaped(test.name, 80)), done.tests[t].verdict, done.tests[t].usage, test.limits);
            }
        }
    }
    return concerns.take();
}

std::vector<std::string> hollow_paths(const model::UploadRules& rules) {
    std::set<std::string> paths;
    for (std::string path : rules.required) {
        std::ranges::replace_if(path, [](char c) { return c == '*' || c == '?'; }, 'x');
        paths.insert(std::move(path));
    }
    if (paths.empty()) paths.insert("x");
    return {paths.begin(), paths.end()};
}

}  // namespace assay::runner
