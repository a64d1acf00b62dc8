#include "runner/fitting.hh"

#include "grade/grade.hh"

namespace assay::runner {
namespace {

constexpr std::size_t stage_text_share = 4;  // a stage's text may be this much longer than a test's
constexpr std::size_t worth_keeping_bytes = 64;

void shorten(std::string& text, std::size_t size_max) {
    if (size_max < worth_keeping_bytes) {
        text.clear();
    } else if (text.size() > size_max) {
        text = grade::kept_text(text, size_max);
    }
}

void shorten_texts(model::Report& report, std::size_t size_max) {
    for (model::StageReport& stage : report.stages) {
        for (std::string* text : {&stage.output, &stage.errors, &stage.message, &stage.fault}) {
            shorten(*text, size_max * stage_text_share);
        }
        for (model::TestReport& test : stage.tests) {
            for (std::string* text : {&test.input, &test.expected, &test.got, &test.errors, &test.message}) {
                shorten(*text, size_max);
            }
        }
    }
}

}  // namespace

std::string fitting_json(model::Report report, std::size_t size_max) {
    std::string json = model::to_json(report);
    for (std::size_t kept = model::test_output_kept_max / 2; json.size() > size_max && kept >= worth_keeping_bytes / 2; kept /= 2) {
        shorten_texts(report, kept);
        json = model::to_json(report);
    }
    if (json.size() <= size_max) return json;
    for (model::StageReport& stage : report.stages) {
        if (!stage.trusted || stage.tests.empty()) continue;
        stage.tests_left_out = static_cast<std::int64_t>(stage.tests.size());
        stage.tests.clear();
    }
    return model::to_json(report);
}

}  // namespace assay::runner
