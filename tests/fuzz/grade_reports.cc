// JUnit, TAP and Autolab: what a trusted stage's grader left, which may have run the submission's code beside it. The first byte
// says which: j, t or a.
#include <cmath>
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "grade/reports.hh"

namespace assay {
namespace {

Result<grade::Results> parse(char which, std::string_view text) {
    if (which == 'j') return grade::parse_junit(text);
    if (which == 't') return grade::parse_tap(text);
    return grade::parse_autolab(text);
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    auto results = parse(input.front(), input.substr(1));
    if (!results) {
        ASSAY_ASSERT(valid_utf8(results.error().text()));
        return;
    }
    ASSAY_ASSERT(std::isfinite(results->score.value_or(0)));
    ASSAY_ASSERT(std::isfinite(results->score_max.value_or(0)));
    ASSAY_ASSERT(results->tests.size() <= grade::report_tests_max);
    ASSAY_ASSERT(valid_utf8(results->output));
    for (const model::TestReport& test : results->tests) {
        ASSAY_ASSERT(std::isfinite(test.score) && std::isfinite(test.score_max));
        ASSAY_ASSERT(test.score_max >= 0);
        ASSAY_ASSERT(!test.name.empty() && valid_utf8(test.name) && valid_utf8(test.message));
    }
    model::Report report;
    grade::take(std::move(*results), report.stages.emplace_back());
    const std::string json = model::to_json(report);
    const auto again = model::report_from_json(json);
    if (json.size() <= model::report_size_max) ASSAY_ASSERT(again && model::to_json(*again) == json);
}

}  // namespace assay
