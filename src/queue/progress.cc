#include "queue/progress.hh"

#include <array>
#include <utility>

namespace assay::queue {
namespace {

constexpr std::size_t around_a_test = sizeof(model::TestReport);

std::array<std::string*, 6> texts_of(model::TestReport& test) {
    return {&test.input, &test.expected, &test.got, &test.errors, &test.message, &test.fault};
}
std::array<std::string*, 4> texts_of(model::StageReport& stage) { return {&stage.output, &stage.errors, &stage.message, &stage.fault}; }

template <class T>
std::size_t bytes_in(T& of) {
    std::size_t bytes = of.name.size();
    for (const std::string* text : texts_of(of)) bytes += text->size();
    return bytes;
}

// Whether `it` may be kept, without its texts if need be. `bytes` counts what is.
template <class T>
bool fits(T& it, std::size_t& bytes) {
    if (bytes + around_a_test + bytes_in(it) > progress_bytes_max) {
        for (std::string* text : texts_of(it)) text->clear();
        if constexpr (requires { it.difference; }) it.difference.reset();
    }
    const std::size_t needed = around_a_test + bytes_in(it);
    if (bytes + needed > progress_bytes_max) return false;
    bytes += needed;
    return true;
}

}  // namespace

void ProgressTable::begin(const Token& token, std::int64_t tests_all) {
    const std::lock_guard lock{mutex_};
    held_.insert_or_assign(token.job, Held{.token = token, .progress = {.tests_all = tests_all}});
}

void ProgressTable::end(const Token& token) {
    const std::lock_guard lock{mutex_};
    const auto found = held_.find(token.job);
    if (found != held_.end() && found->second.token == token) held_.erase(found);
}

void ProgressTable::note(const Token& token, const std::string& stage, const std::string& test,
                         std::optional<model::Report> finished, std::optional<model::Reason> reason) {
    const std::lock_guard lock{mutex_};
    const auto found = held_.find(token.job);
    if (found == held_.end() || found->second.token != token) return;
    Progress& progress = found->second.progress;
    std::size_t& bytes = found->second.bytes;
    progress.stage_over = finished.has_value() && test.empty();
    progress.stage = stage;
    progress.test = test;
    progress.reason = reason;
    if (!finished || finished->stages.empty()) return;

    auto& stages = progress.report.stages;
    model::StageReport fresh = std::move(finished->stages.front());
    auto tests = std::exchange(fresh.tests, {});
    if (!fresh.trusted) progress.tests_done += static_cast<std::int64_t>(tests.size());
    if (stages.empty() || stages.back().name != stage) {
        if (!fits(fresh, bytes)) return;
        stages.push_back(std::move(fresh));
    } else if (progress.stage_over && fits(fresh, bytes)) {
        fresh.tests = std::move(stages.back().tests);
        stages.back() = std::move(fresh);
    }
    for (model::TestReport& one : tests) {
        if (fits(one, bytes)) stages.back().tests.push_back(std::move(one));
    }
}

std::optional<Progress> ProgressTable::at(JobId job) const {
    const std::lock_guard lock{mutex_};
    const auto found = held_.find(job);
    return found == held_.end() ? std::nullopt : std::optional{found->second.progress};
}

std::string ProgressTable::partial(const Token& token) const {
    std::optional<Progress> progress;
    {
        const std::lock_guard lock{mutex_};
        const auto found = held_.find(token.job);
        if (found != held_.end() && found->second.token == token) progress = found->second.progress;
    }
    if (!progress || progress->report.stages.empty()) return {};
    model::Report& report = progress->report;
    report.verdict = model::Verdict::system_fault;
    report.partial = true;
    // The stage that our fault cut is no failure of the program.
    if (!progress->stage_over && report.stages.back().name == progress->stage) report.stages.back().verdict = model::Verdict::system_fault;
    return model::to_json(report);
}

}  // namespace assay::queue
