#include "grade/reports.hh"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/text.hh"

namespace assay::grade {
namespace {

using model::Verdict;

// "one passed 1/1; two failed 0/2 (why)"
std::string told(const Result<Results>& results) {
    if (!results) return "refused: " + results.error().text();
    std::string text;
    for (const model::TestReport& test : results->tests) {
        text += fmt::format("{}{} {} {}/{}", text.empty() ? "" : "; ", test.name, to_string(test.verdict), test.score, test.score_max);
        if (!test.message.empty()) text += fmt::format(" ({})", escaped(test.message));
    }
    return text;
}

TEST(ParseResults, ReadsWhatGradersWrite) {
    const auto results = parse_results(R"({"score": 44.5, "output": "hello", "leaderboard": [{"name": "x", "value": 1}], "visibility": null,
        "tests": [{"score": 2, "max_score": 2, "name": "one", "number": "1.1", "output": "fine", "visibility": "visible", "tags": ["a"]},
                  {"score": 1, "max_score": 2, "visibility": "after_due_date"},
                  {"status": "passed", "name": "three", "visibility": "after_published"},
                  {"score": 5, "max_score": 5, "status": "failed", "number": 4, "visibility": "hidden"}]})");
    ASSERT_TRUE(results) << results.error().text();
    EXPECT_EQ(results->score, 44.5);
    EXPECT_EQ(results->score_max, 9);
    EXPECT_EQ(results->output, "hello");
    EXPECT_EQ(results->notes, (std::vector<std::string>{"the leaderboard was read over: there is none here"}));
    ASSERT_EQ(results->tests.size(), 4u);
    EXPECT_EQ(results->tests[0].name, "1.1 one");
    EXPECT_EQ(results->tests[0].message, "fine");
    EXPECT_EQ(results->tests[0].verdict, Verdict::passed);
    EXPECT_EQ(results->tests[1].name, "test 2");
    EXPECT_EQ(results->tests[1].verdict, Verdict::failed);
    EXPECT_EQ(results->tests[1].visibility, model::Visibility::after_due);
    EXPECT_EQ(results->tests[2].verdict, Verdict::passed);
    EXPECT_EQ(results->tests[3].verdict, Verdict::failed);
    EXPECT_EQ(results->tests[3].name, "4");
    EXPECT_EQ(results->tests[3].visibility, model::Visibility::hidden);

    model::StageReport stage_report;
    take(*results, stage_report);
    EXPECT_EQ(stage_report.score, 44.5);
    EXPECT_EQ(stage_report.message, "hello");
    EXPECT_EQ(stage_report.tests.size(), 4u);
}

TEST(ParseResults, TheTopVisibilityIsTheTestsDefault) {
    const auto results = parse_results(R"({"visibility": "hidden", "output": "secret", "tests": [{"score": 1}, {"score": 1, "visibility": "visible"}]})");
    ASSERT_TRUE(results);
    EXPECT_EQ(results->output_visibility, model::Visibility::hidden);
    EXPECT_EQ(results->tests[0].visibility, model::Visibility::hidden);
    EXPECT_EQ(results->tests[1].visibility, model::Visibility::visible);
    EXPECT_FALSE(results->score);
    EXPECT_FALSE(results->score_max);
}

TEST(ParseResults, RefusesWithPlaceAndReason) {
    struct Case {
        std::string json;
        std::string text;
    };
    const Case cases[] = {
        {"", "not JSON"},
        {"[]", "must be an object"},
        {"{}", "/score: is needed"},
        {R"({"tests": []})", "/score: is needed"},
        {R"({"tests": [{"name": "a"}]})", "/score: is needed"},
        {R"({"score": "10"})", "/score: must be a number"},
        {R"({"score": true})", "/score: must be a number"},
        {R"({"score": NaN})", "not JSON"},
        {R"({"score": Infinity})", "not JSON"},
        {R"({"score": 1e999})", "not JSON"},
        {R"({"score": 1e10})", "/score: is too large"},
        {R"({"score": 1, "tests": {}})", "/tests: must be a list"},
        {R"({"score": 1, "tests": [7]})", "/tests/0: must be an object"},
        {R"({"tests": [{"score": 1}, {"score": 1, "max_score": -1}]})", "/tests/1/max_score: must not be negative"},
        {R"({"tests": [{"score": 1, "status": "ok"}]})", "/tests/0/status"},
        {R"({"tests": [{"score": 1, "visibility": "never"}]})", "/tests/0/visibility"},
        {R"({"tests": [{"score": 1, "name": 7}]})", "/tests/0/name: must be text"},
        {R"({"score": 1, "output": ["x"]})", "/output: must be text"},
        {R"({"score": 1, "output": ")" "\xff" R"("})", "not JSON"},
        {R"({"score": 1} x)", "not JSON"},
        {std::string(40, '['), "nested"},
        {std::string(report_bytes_max + 1, ' '), "bytes"},
    };
    for (const auto& [json, text] : cases) {
        const auto results = parse_results(json);
        ASSERT_FALSE(results) << json;
        EXPECT_EQ(results.error().fault(), Fault::invalid);
        EXPECT_NE(results.error().text().find(text), std::string::npos) << results.error().text();
        EXPECT_LT(results.error().text().size(), 500u);
    }
    std::string many = R"({"score": 1, "tests": [{})";
    for (std::size_t i = 0; i < report_tests_max; ++i) many += ",{}";
    EXPECT_NE(parse_results(many + "]}").error().text().find("at most 10000"), std::string::npos);
}

// What a grader writes lands on pages and terminals: names are one clean line, long outputs are cut.
TEST(ParseResults, KeepsTextsBounded) {
    const auto results = parse_results(fmt::format(R"({{"tests": [{{"score": 1, "name": "a\u001b[2J", "output": "{}"}}]}})", std::string(100'000, 'x')));
    ASSERT_TRUE(results) << results.error().text();
    EXPECT_EQ(results->tests[0].name, "a\\x1b[2J");
    EXPECT_LT(results->tests[0].message.size(), 2 * model::test_output_kept_max);
}

TEST(ParseResults, ReadsEveryKeyOfTheFormat) {
    const auto results = parse_results(R"({"execution_time": 1.5, "output": "<b>a</b> &amp; b<br/>c", "output_format": "html", "extra_data": {"x": 1},
        "visibility": "after_due_date", "stdout_visibility": "visible", "test_output_format": "ansi", "test_name_format": "text",
        "tests": [{"score": 1, "max_score": 1, "name": "a", "output": "\u001b[31mred\u001b[0m", "tags": ["x"], "extra_data": 3},
                  {"score": 0, "max_score": 1, "name": "<i>b</i>", "name_format": "html", "output": "*b*", "output_format": "md"}]})");
    ASSERT_TRUE(results) << results.error().text();
    EXPECT_EQ(results->output, "a & b\nc");
    EXPECT_EQ(results->output_visibility, model::Visibility::after_due);
    EXPECT_EQ(told(results), "a passed 1/1 (red); b failed 0/1 (*b*)");
    EXPECT_EQ(results->tests[0].visibility, model::Visibility::after_due);
    ASSERT_EQ(results->notes.size(), 1u);
    EXPECT_NE(results->notes[0].find("stdout_visibility"), std::string::npos);
    for (const char* wrong : {R"({"score": 1, "output_format": "pdf"})", R"({"tests": [{"score": 1, "tags": "x"}]})",
                              R"({"score": 1, "execution_time": "fast"})", R"({"score": 1, "stdout_visibility": "no"})"}) {
        EXPECT_FALSE(parse_results(wrong)) << wrong;
    }
}

TEST(ParseJunit, ReadsTheUnionOfItsDialects) {
    EXPECT_EQ(told(parse_junit(R"(<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="s" tests="5" failures="1" time="1,234.5">
  <properties><property name="points" value="99"/></properties>
  <testcase classname="m.T" name="adds" time="0.5"/>
  <testcase name="subtracts"><failure type="AssertionError" message="1 != 2">at &lt;x&gt; &#x41;<![CDATA[ & more]]></failure><system-out>noise</system-out></testcase>
  <testsuite><testcase name="weighs"><properties><property name="max_points" value="3"/></properties></testcase></testsuite>
  <testcase name="partly"><properties><property name="points" value="1.5"/><property name="max_points" value="2"/></properties><failure/></testcase>
  <testcase name="later"><skipped message="no network"/></testcase>
  <testcase name="breaks"><error message="boom"/></testcase>
  <testcase name="flaky"><flakyFailure message="once"/></testcase>
  <testcase/>
</testsuite></testsuites>)")),
              "m.T.adds passed 1/1; subtracts failed 0/1 (AssertionError: 1 != 2\\nat <x> A & more); weighs passed 3/3; "
              "partly failed 1.5/2; later passed 0/0 (skipped: no network); breaks failed 0/1 (boom); flaky passed 1/1; test 8 passed 1/1");
    const auto results = parse_junit("<testsuite><testcase name='a' time='1,000.5'/></testsuite>");
    ASSERT_TRUE(results);
    EXPECT_EQ(results->score_max, 1);
    EXPECT_FALSE(results->score);
    EXPECT_EQ(results->tests[0].usage.wall_ms, 1'000'500);
}

TEST(ParseJunit, RefusesWithPlaceAndReason) {
    std::string deep = "<testsuite>";
    for (int i = 0; i < 100; ++i) deep += "<testsuite>";
    std::string many = "<testsuite>";
    for (std::size_t i = 0; i <= report_tests_max; ++i) many += "<testcase/>";
    const std::pair<std::string, std::string> cases[] = {
        {"", "no element found"},
        {"<testsuite/>", "has no <testcase>"},
        {"<html/>", "line 1: begins with <html>"},
        {"<testsuite><testcase>", "line 1: no element found"},
        {"<testsuite>\n<testcase></testsuite>", "line 2: mismatched tag"},
        {"<!DOCTYPE x [<!ENTITY a \"b\">]><testsuite><testcase name=\"&a;\"/></testsuite>", "has a document type"},
        {"<testsuite><testcase name=\"&a;\"/></testsuite>", "undefined entity"},
        {"<testsuite><testcase><testcase/></testcase></testsuite>", "a <testcase> inside another"},
        {"<testsuite><testcase><property name='points' value='many'/></testcase></testsuite>", "points of test 1 is no number"},
        {"<testsuite><testcase><property name='points' value='-1'/></testcase></testsuite>", "is no number"},
        {"<testsuite><testcase name='\xff'/></testsuite>", "not well-formed"},
        {deep, "nest deeper than 32"},
        {many, "more than 10000 tests"},
        {std::string(report_bytes_max + 1, ' '), "bytes; at most"},
    };
    for (const auto& [xml, text] : cases) {
        const auto results = parse_junit(xml);
        ASSERT_FALSE(results) << text;
        EXPECT_NE(results.error().text().find(text), std::string::npos) << results.error().text();
    }
    const auto long_text = parse_junit(fmt::format("<testsuite><testcase><failure>{}</failure></testcase></testsuite>", std::string(1 << 20, 'x')));
    EXPECT_LT(long_text->tests[0].message.size(), 2 * model::test_output_kept_max);
}

TEST(ParseTap, ReadsVersions12To14) {
    EXPECT_EQ(told(parse_tap("1..2\nok\nnot ok\n")), "test 1 passed 1/1; test 2 failed 0/1");
    EXPECT_EQ(told(parse_tap("TAP version 14\r\n1..8 # all\r\nok 1 - adds\r\nnot ok 2 subtracts\n  ---\n  message: 'no'\n  points: 3\n  ...\n"
                             "# a comment\nok 3 - a \\# b # SKIP no network\nnot ok 4 # TODO later\n"
                             "# Subtest: inner\n    1..2\n    ok 1 - x\n    not ok 2 - y\n      ---\n      points: 9\n      ...\nok 5 - inner\n"
                             "what a program printed\nokay\nnot okay\nok 6\n  ---\n  points: 1.5\n  max_points: 4\n  ...\nok 7 - # nothing\n")),
              "adds passed 1/1; subtracts failed 0/3 (message: 'no'\\npoints: 3); a # b passed 0/0 (skipped: no network); "
              "test 4 passed 0/0 (to do: later); inner passed 1/1; test 6 passed 1.5/4 (points: 1.5\\nmax_points: 4); "
              "test 7 passed 1/1; test 8 failed 0/1 (it was not run)");
    EXPECT_EQ(told(parse_tap("ok 2\nok 1\n1..3\n")), "test 1 passed 1/1; test 2 passed 1/1; test 3 failed 0/1 (it was not run)");
    EXPECT_EQ(parse_tap("1..3\nok\n")->score_max, 3);
}

TEST(ParseTap, RefusesWhatDoesNotSayItIsWhole) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "has no plan"},
        {"ok 1\nok 2\n", "has no plan"},
        {"1..0 # SKIP all\n", "plans no test"},
        {"1..2\n1..2\n", "line 2: a second plan"},
        {"1..x\n", "a plan that is none"},
        {"1..99999999999999999999\n", "a plan that is none"},
        {"1..10001\n", "at most 10000 tests"},
        {"1..1\nok\nok\n", "more tests than the plan of 1"},
        {"1..1\nok 2\n", "more tests than the plan of 1"},
        {"1..2\nok 1\nnot ok 1\n", "line 3: test 1 a second time"},
        {"1..2\nok 0\n", "test 0 is outside"},
        {"1..2\nok 1\nBail out! the disk is gone\n", "line 3: the grader bailed out: the disk is gone"},
        {std::string(report_bytes_max + 1, ' '), "bytes; at most"},
    };
    for (const auto& [text, error] : cases) {
        const auto results = parse_tap(text);
        ASSERT_FALSE(results) << error;
        EXPECT_NE(results.error().text().find(error), std::string::npos) << results.error().text();
    }
}

TEST(ParseAutolab, TakesTheLastLine) {
    const auto plain = parse_autolab("built\nall fine\n{\"scores\": {\"correctness\": 10, \"style\": 2.5}}\n\n");
    ASSERT_TRUE(plain) << plain.error().text();
    EXPECT_EQ(plain->score, 12.5);
    EXPECT_FALSE(plain->score_max);
    EXPECT_EQ(plain->output, "correctness: 10\nstyle: 2.5\nbuilt\nall fine");

    const auto structured = parse_autolab(R"(hello
{"_presentation": "semantic", "stages": ["Test"], "Test": {"adds": {"passed": true}, "subtracts": {"passed": false, "hint": "look"}}, "Timing": {"all": 3}}
{"scores": {"p": 1}, "scoreboard": [1]})");
    EXPECT_EQ(told(structured), "Test: adds passed 0/0; Test: subtracts failed 0/0 (look)");
    EXPECT_EQ(structured->output, "p: 1\nhello");
    EXPECT_EQ(structured->notes.size(), 1u);

    for (const char* wrong : {"", "\n\n", "done", "{\"scores\": {}}", "{\"scores\": {\"a\": \"1\"}}", "{\"scores\": {\"a\": 1e300}}", "[]",
                              "{\"scores\": {\"a\": 1}}\nbye"}) {
        EXPECT_FALSE(parse_autolab(wrong)) << wrong;
    }
}

model::Outcome exited(int code) {
    model::Outcome outcome;
    outcome.started = true;
    outcome.exit_code = code;
    return outcome;
}

// What the verdict of a trusted stage says: the grader did its work, or it did not. How good the submission is, the score says.
TEST(JudgeTrusted, TellsTheGradersFaultFromTheSubmissions) {
    struct Case {
        const char* what;
        std::optional<model::ReportFormat> format;
        int code;
        std::optional<std::string> file;
        Verdict verdict;
        std::optional<double> score, score_max;
    };
    using enum model::ReportFormat;
    const std::nullopt_t none = std::nullopt;
    const Result<std::string> missing = Error{Fault::missing, "there is no regular file /out/r"};
    const Case cases[] = {
        {"no report asked for", {}, 0, none, Verdict::passed, {}, {}},
        {"no report, code 1", {}, 1, none, Verdict::grader_fault, {}, {}},
        {"results", results, 0, R"({"score": 3, "tests": [{"max_score": 4}]})", Verdict::passed, 3, 4},
        {"results, none left", results, 0, none, Verdict::grader_fault, {}, {}},
        {"results, not whole", results, 0, "{", Verdict::grader_fault, {}, {}},
        {"results, code 1", results, 1, R"({"score": 3})", Verdict::grader_fault, {}, {}},
        {"junit", junit, 0, "<testsuite><testcase/></testsuite>", Verdict::passed, {}, 1},
        {"tap", tap, 0, "1..2\nok\n", Verdict::passed, {}, 2},
        {"autolab", autolab, 0, "{\"scores\": {\"a\": 2}}", Verdict::passed, 2, {}},
        {"exit 0", exit, 0, none, Verdict::passed, 7, 7},
        {"exit 1", exit, 1, none, Verdict::passed, 0, 7},
        {"exit 2", exit, 2, none, Verdict::grader_fault, {}, {}},
    };
    for (const Case& c : cases) {
        model::StagePlan plan;
        plan.trusted = true;
        plan.report_format = c.format;
        plan.report = "r";
        if (c.format == exit) plan.points = 7;
        model::StageReport stage;
        judge_trusted(plan, exited(c.code), c.file ? Result<std::string>{*c.file} : missing, stage);
        EXPECT_EQ(to_string(stage.verdict), to_string(c.verdict)) << c.what << ": " << stage.fault;
        EXPECT_EQ(stage.score, c.score) << c.what;
        EXPECT_EQ(stage.score_max, c.score_max) << c.what;
        EXPECT_EQ(stage.fault.empty(), c.verdict == Verdict::passed) << c.what;
    }
    model::StagePlan plan;
    plan.report_format = exit;
    model::Outcome slow = exited(1);
    slow.wall_exceeded = true;
    model::StageReport stage;
    judge_trusted(plan, slow, missing, stage);
    EXPECT_EQ(stage.verdict, Verdict::grader_fault);
    EXPECT_NE(stage.fault.find("ran longer"), std::string::npos);
}

}  // namespace
}  // namespace assay::grade
