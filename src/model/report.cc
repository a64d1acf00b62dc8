#include "model/report.hh"

#include "model/codec.inc"
#include "model/json.hh"
#include "model/limits_fields.inc"

namespace assay::model {
namespace {

constexpr JsonBounds report_bounds{.size_max = report_size_max, .depth_max = 16, .values_max = 1'000'000};

}  // namespace

template <class V, Of<Usage> T>
void fields(V& visit, T& it) {
    visit("cpu_ms", it.cpu_ms);
    visit("wall_ms", it.wall_ms);
    visit("memory_peak_bytes", it.memory_peak_bytes);
    visit("processes_peak", it.processes_peak);
    visit("trustworthy_timing", it.trustworthy_timing);
    visit("memory_stalled_ms", it.memory_stalled_ms);
}

template <class V, Of<FirstTry> T>
void fields(V& visit, T& it) {
    visit("verdict", it.verdict);
    fields(visit, it.usage);
}

template <class V, Of<Difference> T>
void fields(V& visit, T& it) {
    visit("kind", it.kind);
    visit("line", it.line);
    visit("column", it.column);
    visit("word", it.word);
    visit("expected", it.expected);
    visit("got", it.got);
    visit("file", it.file);
}

template <class V, Of<TestReport> T>
void fields(V& visit, T& it) {
    visit("name", it.name);
    visit("verdict", it.verdict);
    visit("score", it.score);
    visit("score_max", it.score_max);
    visit("visibility", it.visibility);
    visit("exit_code", it.exit_code);
    visit("signal", it.signal);
    fields(visit, it.usage);
    visit("first_try", it.first_try);
    visit("input", it.input);
    visit("expected", it.expected);
    visit("got", it.got);
    visit("errors", it.errors);
    visit("message", it.message);
    visit("fault", it.fault);
    visit("difference", it.difference);
}

template <class V, Of<StageReport> T>
void fields(V& visit, T& it) {
    visit("name", it.name);
    visit("trusted", it.trusted);
    visit("verdict", it.verdict);
    visit("exit_code", it.exit_code);
    visit("signal", it.signal);
    fields(visit, it.usage);
    visit("first_try", it.first_try);
    visit("output", it.output);
    visit("errors", it.errors);
    visit("output_dropped_bytes", it.output_dropped_bytes);
    visit("errors_dropped_bytes", it.errors_dropped_bytes);
    visit("fault", it.fault);
    visit("message", it.message);
    visit("message_visibility", it.message_visibility);
    visit("notes", it.notes);
    visit("score", it.score);
    visit("score_max", it.score_max);
    visit("limits", it.limits);
    visit("guarantees", it.guarantees);
    visit("scratch", it.scratch);
    visit("tests", it.tests);
    visit("tests_left_out", it.tests_left_out);
}

template <class V, Of<Report> T>
void fields(V& visit, T& it) {
    visit("verdict", it.verdict);
    visit.or_null("score", it.score);
    visit.or_null("score_max", it.score_max);
    visit("stages", it.stages);
    visit("partial", it.partial);
    visit("runner", it.runner);
    visit("kernel", it.kernel);
}

std::string to_json(const Report& report) { return JsonWriter::text_of_struct(report); }
std::string to_json(const Difference& difference) { return JsonWriter::text_of_struct(difference); }

Result<Report> report_from_json(std::string_view text) {
    ASSAY_TRY(const nlohmann::json json, parse_json(text, report_bounds));
    auto report = JsonReader::read<Report>(json);
    if (!report) return report.take_error().in("report");
    return report;
}

std::optional<FaultFound> first_fault(const Report& report) {
    for (const StageReport& stage : report.stages) {
        if (!stage.fault.empty()) return FaultFound{stage.name, {}, stage.fault};
        for (const TestReport& test : stage.tests) {
            if (!test.fault.empty()) return FaultFound{stage.name, test.name, test.fault};
        }
    }
    return std::nullopt;
}

Report for_participant(Report report, bool due_passed) {
    const auto open = [due_passed](Visibility visibility) {
        return visibility == Visibility::visible || (visibility == Visibility::after_due && due_passed);
    };
    report.kernel.clear();
    for (StageReport& stage : report.stages) {
        stage.fault.clear();
        stage.notes.clear();
        if (!open(stage.message_visibility)) stage.message.clear();
        if (stage.trusted) {
            stage.output.clear();
            stage.errors.clear();
            stage.output_dropped_bytes = 0;
            stage.errors_dropped_bytes = 0;
        }
        for (TestReport& test : stage.tests) {
            test.fault.clear();
            if (open(test.visibility)) continue;
            for (std::string* text : {&test.input, &test.expected, &test.got, &test.errors, &test.message}) text->clear();
            test.difference.reset();
        }
    }
    return report;
}

}  // namespace assay::model
