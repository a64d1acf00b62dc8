#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/compare.hh"
#include "grade/grade.hh"

namespace assay::grade {

using model::Verdict;

namespace {

constexpr double thrash_share = 0.1;  // of its time that a program waits for memory: less is not why it is slow

}  // namespace

model::Usage usage_of(const model::Outcome& outcome) {
    const double stalled_ms = outcome.memory_stalled_ms.value_or(0);
    const bool thrashed = stalled_ms > 0 && stalled_ms >= thrash_share * outcome.wall_ms;
    return {outcome.cpu_ms(),           outcome.wall_ms,
            outcome.memory_peak_bytes,  outcome.processes_peak,
            outcome.trustworthy_timing, thrashed ? outcome.memory_stalled_ms : std::nullopt};
}

std::string kept_text(std::string_view text, std::size_t size_max) {
    if (text.size() <= size_max) return replace_invalid_utf8(text);
    // Cut between characters: a continuation byte (10xxxxxx) never begins or ends what is kept.
    const auto inside = [&](std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    std::size_t head = size_max / 2, tail = text.size() - size_max / 2;
    for (int i = 0; i < 3 && inside(head); ++i) --head;
    for (int i = 0; i < 3 && inside(tail); ++i) ++tail;
    return replace_invalid_utf8(text.substr(0, head)) + model::cut_mark(static_cast<std::int64_t>(tail - head)) +
           replace_invalid_utf8(text.substr(tail));
}

namespace {

constexpr std::size_t file_name_shown_max = 200;

// The command line as a person would type it, and what was fed.
std::string input_text(const model::TestPlan& plan) {
    constexpr std::string_view harmless = "-_./=+:,@%0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string text = "$";
    for (const std::string& word : plan.command) {
        const bool bare = !word.empty() && word.find_first_not_of(harmless) == std::string::npos;
        text += bare ? " " + word : fmt::format(" '{}'", word);
    }
    text += '\n';
    return text + plan.stdin_bytes;
}

// Of what was printed, else of the first file that differs.
std::optional<model::Difference> difference_of(const model::TestPlan& plan, std::string_view got,
                                               std::span<const std::optional<std::string>> files) {
    const Comparison by{plan.compare, plan.tolerance};
    if (plan.stdout_bytes) {
        if (auto found = first_difference(by, *plan.stdout_bytes, got)) return found;
    }
    for (std::size_t i = 0; i < plan.files.size(); ++i) {
        const model::ExpectedFile& expected = plan.files[i];
        const bool left = i < files.size() && files[i].has_value();
        auto found = left ? first_difference(by, expected.bytes, *files[i])
                          : std::optional{model::Difference{.kind = model::DifferenceKind::file_missing}};
        if (!found) continue;
        found->file = escaped(expected.path, file_name_shown_max);
        return found;
    }
    return std::nullopt;
}

}  // namespace

model::TestReport grade_test(const model::TestPlan& plan, const model::Outcome& outcome, std::string_view got,
                             std::span<const std::optional<std::string>> files) {
    model::TestReport report;
    report.name = plan.name;
    report.score_max = plan.points;
    report.visibility = plan.visibility;
    report.exit_code = outcome.exit_code;
    report.signal = outcome.signal;
    report.usage = usage_of(outcome);
    report.input = kept_text(input_text(plan), model::test_output_kept_max);
    if (plan.stdout_bytes) report.expected = kept_text(*plan.stdout_bytes, model::test_output_kept_max);
    report.got = kept_text(got, model::test_output_kept_max);
    report.errors = kept_text(outcome.errors.text(), model::test_output_kept_max);

    // The rules speak of "exit 0"; for a test that is the exit code it expects.
    model::Outcome judged = outcome;
    if (judged.exit_code) judged.exit_code = *judged.exit_code == plan.exit_code ? 0 : 1;
    report.verdict = verdict_of(judged, false, false);
    if (report.verdict == Verdict::failed) {
        report.difference = {.kind = model::DifferenceKind::exit_code,
                             .expected = std::to_string(plan.exit_code),
                             .got = std::to_string(*outcome.exit_code)};
    } else if (report.verdict == Verdict::passed) {
        report.difference = difference_of(plan, got, files);
        if (report.difference) report.verdict = Verdict::failed;
    }
    if (report.verdict == Verdict::passed && plan.compare == model::Compare::checker) {
        report.verdict = Verdict::grader_fault;
        report.fault = "the checker was not run";
    }
    if (report.verdict == Verdict::passed) report.score = plan.points;
    return report;
}

Verdict verdict_of_tests(std::span<const model::TestReport> tests) {
    const auto with = [&](auto wanted) {
        const auto found = std::ranges::find_if(tests, [&](const auto& test) { return wanted(test.verdict); });
        return found == tests.end() ? Verdict::passed : found->verdict;
    };
    const Verdict fault = with([](Verdict v) { return v == Verdict::system_fault || v == Verdict::grader_fault; });
    return fault != Verdict::passed ? fault : with([](Verdict v) { return v != Verdict::passed; });
}

}  // namespace assay::grade
