// JUnit's XML by a streaming parser: depth, tests and kept text are bounded while it reads, and a document type is refused where
// it begins, so that no entity is ever defined.
#include <expat.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/grade.hh"
#include "grade/reports.hh"

namespace assay::grade {
namespace {

constexpr double milliseconds_per_second = 1000;

std::string_view attribute(const char** attributes, std::string_view name) {
    for (; attributes != nullptr && *attributes != nullptr; attributes += 2) {
        if (attributes[0] == name) return attributes[1];
    }
    return {};
}

struct Case {
    model::TestReport report;
    bool failed = false;
    bool skipped = false;
    std::string skip_reason;
    std::optional<double> points, points_max;
};

class Reader {
public:
    explicit Reader(XML_Parser parser) : parser_{parser} {}

    void begin(std::string_view name, const char** attributes) {
        if (++depth_ > report_depth_max) return stop(fmt::format("elements nest deeper than {}", report_depth_max));
        if (depth_ == 1 && name != "testsuites" && name != "testsuite") {
            return stop(fmt::format("begins with <{}>, not <testsuites> or <testsuite>", escaped(name, 40)));
        }
        if (name == "testcase") return begin_case(attributes);
        if (!case_) return;
        if (name == "failure" || name == "error") {
            case_->failed = true;
            say(attribute(attributes, "type"), ": ");
            say(attribute(attributes, "message"), "\n");
            in_text_ = depth_;
        } else if (name == "skipped") {
            case_->skipped = true;
            case_->skip_reason = attribute(attributes, "message");
        } else if (name == "property") {
            begin_property(attributes);
        }
    }

    void end(std::string_view name) {
        if (in_text_ == depth_) in_text_ = 0;
        --depth_;
        if (name == "testcase" && case_) end_case();
    }

    void text(std::string_view text) {
        if (case_ && in_text_ != 0) say(text, "");
    }

    void stop(std::string why) {
        if (!problem_.empty()) return;
        problem_ = std::move(why);
        XML_StopParser(parser_, XML_FALSE);
    }

    const std::string& problem() const { return problem_; }
    std::vector<model::TestReport> tests;

private:
    void begin_case(const char** attributes) {
        if (case_) return stop("a <testcase> inside another");
        if (tests.size() == report_tests_max) return stop(fmt::format("more than {} tests", report_tests_max));
        case_.emplace();
        const std::string_view group = attribute(attributes, "classname"), name = attribute(attributes, "name");
        case_->report.name = report_name(group.empty() || name.empty() ? std::string{name} : fmt::format("{}.{}", group, name), tests.size() + 1);
        case_->report.usage.wall_ms = std::max(0.0, report_number(attribute(attributes, "time")).value_or(0)) * milliseconds_per_second;
    }

    void begin_property(const char** attributes) {
        const std::string_view name = attribute(attributes, "name");
        if (name != "points" && name != "max_points") return;
        const auto number = report_number(attribute(attributes, "value"));
        if (!number || *number < 0) return stop(fmt::format("{} of {} is no number", name, case_->report.name));
        (name == "points" ? case_->points : case_->points_max) = number;
    }

    void end_case() {
        if (case_->skipped && !case_->failed) {
            skip_test(case_->report, "skipped", case_->skip_reason);
        } else {
            score_test(case_->report, !case_->failed, case_->points, case_->points_max);
        }
        case_->report.message = kept_text(trimmed(case_->report.message), model::test_output_kept_max);
        tests.push_back(std::move(case_->report));
        case_.reset();
    }

    // What a page shows of it is cut anyway; here it only must not grow without bound.
    void say(std::string_view text, std::string_view end) {
        std::string& message = case_->report.message;
        if (text.empty() || message.size() > 2 * model::test_output_kept_max) return;
        message += text.substr(0, 2 * model::test_output_kept_max);
        message += end;
    }

    XML_Parser parser_;
    std::optional<Case> case_;
    std::size_t depth_ = 0;
    std::size_t in_text_ = 0;  // depth of the failure whose text is read; 0 = none
    std::string problem_;
};

Reader& reader_of(void* data) { return *static_cast<Reader*>(data); }

void on_begin(void* data, const char* name, const char** attributes) { reader_of(data).begin(name, attributes); }
void on_end(void* data, const char* name) { reader_of(data).end(name); }
void on_text(void* data, const char* text, int size) { reader_of(data).text({text, static_cast<std::size_t>(size)}); }
void on_document_type(void* data, const char*, const char*, const char*, int) { reader_of(data).stop("has a document type"); }

Error wrong(std::string_view what) { return {Fault::invalid, fmt::format("JUnit: {}", what)}; }

}  // namespace

Result<Results> parse_junit(std::string_view xml) {
    if (xml.size() > report_bytes_max) return wrong(fmt::format("{} bytes; at most {}", xml.size(), report_bytes_max));
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser{XML_ParserCreate(nullptr), &XML_ParserFree};
    if (!parser) return Error{Fault::internal, "XML_ParserCreate: no memory"};
    Reader reader{parser.get()};
    XML_SetUserData(parser.get(), &reader);
    XML_SetElementHandler(parser.get(), on_begin, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
    const XML_Status status = XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
    const auto line = XML_GetCurrentLineNumber(parser.get());
    if (!reader.problem().empty()) return wrong(fmt::format("line {}: {}", line, reader.problem()));
    if (status != XML_STATUS_OK) return wrong(fmt::format("line {}: {}", line, XML_ErrorString(XML_GetErrorCode(parser.get()))));
    if (reader.tests.empty()) return wrong("has no <testcase>");
    Results results;
    results.tests = std::move(reader.tests);
    results.score_max = sum_of_maxima(results.tests);
    return results;
}

}  // namespace assay::grade
