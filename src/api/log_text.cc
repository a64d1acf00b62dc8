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

// What is to be known of its times.
template <class Part>
std::string timing_text(const Part& part) {
    std::string text;
    if (part.first_try) {
        text += fmt::format(
            "--- the first try ended as {} after {} while the machine was busy; it was run once more, alone\n",
            to_string(part.first_try->verdict), duration_text(part.first_try->usage.wall_ms));
    }
    if (part.usage.trustworthy_timing == false)
        text += "--- the machine was busy while this ran: its times say little\n";
    return text;
}

std::string log_text(const model::Report& report) {
    std::string log;
    for (const model::StageReport& stage : report.stages) {
        log += fmt::format("=== {}: {}\n", stage.name, to_string(stage.verdict));
        log += timing_text(stage);
        append_stream(log, "stdout", stage.output);
        append_stream(log, "stderr", stage.errors);
        if (stage.output_dropped_bytes > 0 && !stage.trusted) {
            log += fmt::format("--- {} more were printed and not kept\n", size_text(stage.output_dropped_bytes));
        }
        append_stream(log, "message", stage.message);
        for (const model::TestReport& test : stage.tests) {
            if (const std::string timing = timing_text(test); !timing.empty())
                log += fmt::format("--- test {}\n{}", shown(test.name), timing);
            append_stream(log, "stderr of test " + test.name, test.errors);
        }
    }
    return log;
}

}  // namespace assay::api
