#include "api/log_text.hh"

#include <fmt/format.h>

#include "base/shown.hh"
#include "base/text.hh"

namespace assay::api {

namespace {

void append_stream(std::string& log, std::string_view name, const std::string& text) {
    if (text.empty()) return;
    log += fmt::format("--- {}\n{}", shown(name), shown(text));
    if (!log.ends_with('\n')) log += '\n';
}

}  // namespace

std::string log_text(const model::Report& report) {
    std::string log;
    for (const model::StageReport& stage : report.stages) {
        log += fmt::format("=== {}: {}\n", stage.name, to_string(stage.verdict));
        append_stream(log, "stdout", stage.output);
        append_stream(log, "stderr", stage.errors);
        if (stage.output_dropped_bytes > 0 && !stage.trusted) {
            log += fmt::format("--- {} more were printed and not kept\n", size_text(stage.output_dropped_bytes));
        }
        append_stream(log, "message", stage.message);
        for (const model::TestReport& test : stage.tests) append_stream(log, "stderr of test " + test.name, test.errors);
    }
    return log;
}

}  // namespace assay::api
