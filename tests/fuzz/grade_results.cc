// results.json: what a trusted stage's grader left, which may have run the submission's code beside it.
#include <cmath>
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "grade/reports.hh"

namespace assay {

void fuzz(std::string_view input) {
    auto results = grade::parse_results(input);
    if (!results) {
        ASSAY_ASSERT(valid_utf8(results.error().text()));
        return;
    }
    ASSAY_ASSERT(std::isfinite(results->score.value_or(0)));
    ASSAY_ASSERT(std::isfinite(results->score_max.value_or(0)));
    ASSAY_ASSERT(results->tests.size() <= grade::report_tests_max);
    for (const model::TestReport& test : results->tests) {
        ASSAY_ASSERT(std::isfinite(test.score) && std::isfinite(test.score_max));
        ASSAY_ASSERT(valid_utf8(test.name) && valid_utf8(test.message));
    }
    // A report that takes them can be written and read again.
    model::Report report;
    grade::take(std::move(*results), report.stages.emplace_back());
    const std::string json = model::to_json(report);
    const auto again = model::report_from_json(json);
    if (json.size() <= model::report_size_max) ASSAY_ASSERT(again && model::to_json(*again) == json);
}

}  // namespace assay
