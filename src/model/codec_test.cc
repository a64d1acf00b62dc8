#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/json.hh"
#include "model/plan.hh"
#include "model/receipt.hh"
#include "model/report.hh"

namespace assay::model {
namespace {

Plan sample_plan() {
    Plan plan;
    plan.title = "编程作业一";
    plan.timezone = "Asia/Shanghai";
    plan.upload.required = {"Makefile", "src/*.c"};
    plan.pass = 60;
    plan.due_ms = 1'760'000'000'000;
    plan.submissions_max = 3;
    plan.counts = Counts::best;
    plan.stages.resize(3);
    plan.stages[0].name = "build";
    plan.stages[0].command = {"make", "-j1"};
    plan.stages[1].name = "tests";
    plan.stages[1].required = false;
    TestPlan& test = plan.stages[1].tests.emplace_back();
    test.name = "adds";
    test.command = {"./calc", "1 + 2"};
    test.stdin_bytes = std::string("\xff\x00\n", 3);
    test.stdout_bytes = "3\n";
    test.exit_code = -1;
    test.compare = Compare::whitespace;
    test.points = 2.5;
    test.visibility = Visibility::after_due;
    plan.stages[2].name = "score";
    plan.stages[2].trusted = true;
    plan.stages[2].command = {"python3"};
    plan.stages[2].report = "results.json";
    plan.stages[2].report_format = ReportFormat::results;
    plan.stages[2].points = 40;
    return plan;
}

TEST(PlanJson, GoesBothWaysWithBytesThatAreNoText) {
    const Plan plan = sample_plan();
    const std::string json = to_json(plan);
    const auto back = plan_from_json(json);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(to_json(*back), json);
    const TestPlan& test = back->stages.at(1).tests.at(0);
    EXPECT_EQ(test.stdin_bytes, std::string("\xff\x00\n", 3));
    EXPECT_EQ(test.stdout_bytes, "3\n");
    EXPECT_EQ(test.visibility, Visibility::after_due);
    EXPECT_EQ(back->stages.at(2).points, 40.0);
    EXPECT_FALSE(back->opens_ms);
    EXPECT_EQ(back->upload.required, plan.upload.required);
}

// What an older version stored has fewer keys; it means what the defaults say.
TEST(PlanJson, MissingKeysKeepTheirDefaults) {
    const auto plan = plan_from_json(R"({"stages":[{"name":"build"}]})");
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->stages.at(0).limits, Limits{});
    EXPECT_EQ(plan->image, "host");
    EXPECT_FALSE(plan->stages.at(0).tests.size());
}

TEST(PlanJson, WrongTypesAreRefusedWithTheirPath) {
    struct Case {
        const char* json;
        const char* path;
    };
    for (const auto& [json, path] : {
             Case{R"({"stages":[{"name":7}]})", "/stages/0/name"},
             Case{R"({"stages":[{"limits":{"cpu_ms":1.5}}]})", "/stages/0/limits/cpu_ms"},
             Case{R"({"stages":[{"limits":{"cpu_ms":18446744073709551615}}]})", "/stages/0/limits/cpu_ms"},
             Case{R"({"stages":[{"tests":[{"stdin_base64":"%%"}]}]})", "/stages/0/tests/0/stdin_base64"},
             Case{R"({"stages":[{"tests":[{"exit_code":4294967296}]}]})", "/stages/0/tests/0/exit_code"},
             Case{R"({"counts":"sometimes"})", "/counts"},
             Case{R"({"colour":"red"})", "/colour"},
             Case{R"({"stages":{}})", "/stages"},
             Case{R"([])", "/"},
         }) {
        const auto plan = plan_from_json(json);
        ASSERT_FALSE(plan) << json;
        EXPECT_EQ(plan.error().fault(), Fault::invalid);
        EXPECT_NE(plan.error().text().find(path), std::string::npos) << plan.error().text();
    }
    EXPECT_FALSE(plan_from_json("{"));
    EXPECT_FALSE(plan_from_json(""));
}

// Depth and count are known before a tree is built, so hostile text costs its own size and no more.
TEST(Json, BoundsHoldBeforeAnythingIsBuilt) {
    const JsonBounds bounds{.size_max = 1 << 20, .depth_max = 32, .values_max = 100};
    EXPECT_EQ(parse_json(std::string(1000, '['), bounds).error().fault(), Fault::too_large);
    EXPECT_EQ(parse_json("[" + std::string(200, ',') + "]", bounds).error().fault(), Fault::too_large);
    EXPECT_EQ(parse_json(std::string((1 << 20) + 1, ' '), bounds).error().fault(), Fault::too_large);
    EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']'), bounds));
    EXPECT_TRUE(parse_json(R"(["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["])", bounds));
    for (const char* bad : {"NaN", "[Infinity]", "[1e999]", "\"\xff\"", "[1]x", "{\"a\":}"}) {
        EXPECT_EQ(parse_json(bad, bounds).error().fault(), Fault::invalid) << bad;
    }
}

Report sample_report() {
    Report report;
    report.score = 1.5;
    report.score_max = 3;
    report.runner = "local";
    report.kernel = "6.1";
    report.partial = true;
    report.stages.resize(2);
    StageReport& tests = report.stages[0];
    tests.name = "tests";
    tests.exit_code = 0;
    for (const auto visibility : {Visibility::visible, Visibility::after_due, Visibility::hidden}) {
        TestReport& test = tests.tests.emplace_back();
        test.name = to_string(visibility);
        test.verdict = Verdict::crashed;
        test.score_max = 1;
        test.visibility = visibility;
        test.signal = 11;
        test.input = "in";
        test.expected = "want";
        test.got = "got";
        test.errors = "err";
        test.message = "from the grader";
        test.difference = {.kind = DifferenceKind::character, .line = 1, .column = 4, .expected = "", .got = {}};
    }
    StageReport& score = report.stages[1];
    score.name = "score";
    score.trusted = true;
    score.verdict = Verdict::grader_fault;
    score.output = "secret";
    score.errors = "secret";
    score.output_dropped_bytes = 9;
    score.errors_dropped_bytes = 7;
    score.fault = "no report";
    score.message = "for you";
    return report;
}

TEST(ReportJson, GoesBothWaysAndFlattensUsage) {
    Report report = sample_report();
    report.stages[0].usage = {.cpu_ms = 1.25,
                              .wall_ms = 2,
                              .memory_peak_bytes = 4096,
                              .processes_peak = 3,
                              .trustworthy_timing = true,
                              .memory_stalled_ms = 1.5};
    report.stages[0].tests[1].first_try = {.verdict = Verdict::wall_limit,
                                           .usage = {.cpu_ms = 3, .wall_ms = 1000, .trustworthy_timing = false}};
    const std::string json = to_json(report);
    const auto back = report_from_json(json);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(to_json(*back), json);
    const auto document = nlohmann::json::parse(json);
    EXPECT_EQ(document["stages"][0]["cpu_ms"], 1.25);
    EXPECT_EQ(document["stages"][0]["tests"][0]["signal"], 11);
    EXPECT_FALSE(document["stages"][0]["tests"][0].contains("exit_code"));
    EXPECT_EQ(document["stages"][0]["tests"][0]["difference"].dump(), R"({"column":4,"expected":"","kind":"character","line":1})");
    EXPECT_EQ(back->stages[0].tests[0].difference, report.stages[0].tests[0].difference);
    EXPECT_EQ(document["stages"][0]["trustworthy_timing"], true);
    EXPECT_EQ(document["stages"][0]["memory_stalled_ms"], 1.5);
    EXPECT_FALSE(document["stages"][1].contains("memory_stalled_ms"));
    EXPECT_FALSE(
        document["stages"][1].contains("trustworthy_timing"));  // Not known, as in reports from before it was told.
    EXPECT_FALSE(document["stages"][0]["tests"][0].contains("first_try"));
    EXPECT_EQ(document["stages"][0]["tests"][1]["first_try"]["verdict"], "wall_limit");
    EXPECT_EQ(document["stages"][0]["tests"][1]["first_try"]["trustworthy_timing"], false);
    report.score.reset();
    EXPECT_TRUE(nlohmann::json::parse(to_json(report))["score"].is_null());
}

// Reports are kept for years: one from before the errors were counted says that none are missing.
TEST(ReportJson, OfBeforeErrorsWereCountedIsRead) {
    EXPECT_EQ(report_from_json(to_json(sample_report()))->stages.at(1).errors_dropped_bytes, 7);
    const auto old = report_from_json(
        R"({"verdict":"passed","stages":[{"name":"build","verdict":"passed","output_dropped_bytes":9}]})");
    ASSERT_TRUE(old) << old.error().text();
    EXPECT_EQ(old->stages.at(0).output_dropped_bytes, 9);
    EXPECT_EQ(old->stages.at(0).errors_dropped_bytes, 0);
}

TEST(FirstFault, IsTheStagesOwnOrOneOfItsTests) {
    Report report = sample_report();
    EXPECT_EQ(first_fault(report)->stage, "score");
    EXPECT_EQ(first_fault(report)->text, "no report");
    report.stages[0].tests[2].fault = "the checker: exit code 9";
    EXPECT_EQ(first_fault(report)->stage, "tests");
    EXPECT_EQ(first_fault(report)->test, "hidden");
    EXPECT_FALSE(first_fault({}));
}

// Whatever bytes slipped into a text, the document is valid and can be read back.
TEST(ReportJson, IsAlwaysValidUtf8) {
    Report report = sample_report();
    report.stages[0].output = "a\xff" "b";
    EXPECT_EQ(report_from_json(to_json(report))->stages[0].output, "a\xEF\xBF\xBD" "b");
}

TEST(ForParticipant, LeavesOutWhatIsForStaff) {
    for (const bool due_passed : {false, true}) {
        const Report shown = for_participant(sample_report(), due_passed);
        const auto& tests = shown.stages.at(0).tests;
        EXPECT_EQ(tests.at(0).got, "got");
        EXPECT_EQ(tests.at(1).got, due_passed ? "got" : "");
        EXPECT_EQ(tests.at(1).message, due_passed ? "from the grader" : "");
        EXPECT_EQ(tests.at(1).difference.has_value(), due_passed);
        EXPECT_FALSE(tests.at(2).difference);
        EXPECT_EQ(tests.at(2).input + tests.at(2).expected + tests.at(2).got + tests.at(2).errors + tests.at(2).message, "");
        EXPECT_EQ(tests.at(2).verdict, Verdict::crashed);
        const StageReport& score = shown.stages.at(1);
        EXPECT_EQ(score.output + score.errors + score.fault, "");
        EXPECT_EQ(score.output_dropped_bytes, 0);
        EXPECT_EQ(score.errors_dropped_bytes, 0);
        EXPECT_EQ(score.message, "for you");
        EXPECT_EQ(shown.kernel, "");
    }
}

TEST(CapturedText, SaysWhatIsMissing) {
    EXPECT_EQ((Captured{.head = "ab", .tail = "cd", .bytes = 4}.text()), "abcd");
    EXPECT_EQ((Captured{.head = "ab", .tail = "cd", .bytes = 14, .dropped_bytes = 10}.text()), "ab\n[… 10 B …]\ncd");
}

TEST(Receipt, IsCanonical) {
    const Receipt receipt{.id = SubmissionId{"0123456789abcdef"},
                          .course = CourseId{"ICS2024"},
                          .module = ModuleId{"PA1"},
                          .participant = ParticipantId{"张\"三\\"},
                          .sha256 = "ab",
                          .size = 12,
                          .received_first_byte = "2026-10-15T23:59:58.000+08:00",
                          .received_last_byte = "2026-10-15T23:59:59.000+08:00",
                          .server = "http://127.0.0.1:8080",
                          .key_id = "0011223344556677"};
    const std::string canonical = canonical_json(receipt);
    EXPECT_EQ(canonical,
              R"({"course":"ICS2024","id":"0123456789abcdef","key_id":"0011223344556677","module":"PA1","participant":"张\"三\\",)"
              R"("received_first_byte":"2026-10-15T23:59:58.000+08:00","received_last_byte":"2026-10-15T23:59:59.000+08:00",)"
              R"("server":"http://127.0.0.1:8080","sha256":"ab","size":12,"type":"assay-receipt/1"})");
    // nlohmann sorts keys by bytes and escapes alike, so it is a second opinion; without the signature the signed bytes come back.
    auto document = nlohmann::json::parse(signed_json(receipt, "c2ln"));
    EXPECT_EQ(document.dump(), signed_json(receipt, "c2ln"));
    document.erase("signature");
    EXPECT_EQ(document.dump(), canonical);
}

TEST(Commitment, IsCanonical) {
    const Commitment commitment{.course = CourseId{"C"}, .module = ModuleId{"M"}, .participant = ParticipantId{"p"}, .sha256 = "ab", .size = 12,
                                .committed_at = "2026-10-15T23:59:58.000+08:00", .bytes_until = "2026-10-16T00:29:58.000+08:00",
                                .server = "http://127.0.0.1:8080", .key_id = "0011223344556677"};
    const std::string canonical = canonical_json(commitment);
    EXPECT_EQ(canonical, R"({"bytes_until":"2026-10-16T00:29:58.000+08:00","committed_at":"2026-10-15T23:59:58.000+08:00","course":"C",)"
                         R"("key_id":"0011223344556677","module":"M","participant":"p","server":"http://127.0.0.1:8080","sha256":"ab",)"
                         R"("size":12,"type":"assay-commitment/1"})");
    auto document = nlohmann::json::parse(signed_json(commitment, "c2ln"));
    EXPECT_EQ(document.dump(), signed_json(commitment, "c2ln"));
    document.erase("signature");
    EXPECT_EQ(document.dump(), canonical);
}

TEST(CanonicalString, EscapesExactlyWhatTheStandardEscapes) {
    EXPECT_EQ(canonical_string(std::string_view("\0\b\t\n\f\r\x1f\x7f/\"\\", 11)), "\"\\u0000\\b\\t\\n\\f\\r\\u001f\x7f/\\\"\\\\\"");
    EXPECT_EQ(canonical_string("\u20ac\u2028"), "\"\u20ac\u2028\"");
}

}  // namespace
}  // namespace assay::model
