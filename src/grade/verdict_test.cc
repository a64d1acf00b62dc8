#include <gtest/gtest.h>

#include <functional>

#include "base/text.hh"
#include "grade/grade.hh"

namespace assay::grade {
namespace {

using model::Outcome;
using model::Verdict;

Outcome exited(int code) {
    Outcome outcome;
    outcome.started = true;
    outcome.exit_code = code;
    return outcome;
}

Outcome killed(int signal) {
    Outcome outcome;
    outcome.started = true;
    outcome.signal = signal;
    return outcome;
}

TEST(VerdictOf, TakesTheFirstRuleThatApplies) {
    struct Case {
        const char* what;
        Outcome outcome;
        std::function<void(Outcome&)> change;
        Verdict untrusted;
        Verdict trusted;
    };
    const Case cases[] = {
        {"clean", exited(0), [](Outcome&) {}, Verdict::passed, Verdict::passed},
        {"exit 1", exited(1), [](Outcome&) {}, Verdict::failed, Verdict::grader_fault},
        {"signal", killed(11), [](Outcome&) {}, Verdict::crashed, Verdict::grader_fault},
        {"not started", exited(0), [](Outcome& o) { o.started = false; }, Verdict::system_fault, Verdict::system_fault},
        {"our fault", killed(9), [](Outcome& o) { o.fault = "mount failed"; o.oom_killed = true; }, Verdict::system_fault, Verdict::system_fault},
        {"cancelled", killed(9), [](Outcome& o) { o.cancelled = true; }, Verdict::system_fault, Verdict::system_fault},
        {"oom whatever the exit code", exited(0), [](Outcome& o) { o.oom_killed = true; }, Verdict::memory_limit, Verdict::memory_limit},
        {"oom before cpu", killed(9), [](Outcome& o) { o.oom_killed = o.cpu_exceeded = true; }, Verdict::memory_limit, Verdict::grader_fault},
        {"cpu before wall", killed(9), [](Outcome& o) { o.cpu_exceeded = o.wall_exceeded = true; }, Verdict::time_limit, Verdict::grader_fault},
        {"cpu over though it exited", exited(0), [](Outcome& o) { o.cpu_exceeded = true; }, Verdict::time_limit, Verdict::grader_fault},
        {"wall before output", killed(9), [](Outcome& o) { o.wall_exceeded = o.output_exceeded = true; }, Verdict::wall_limit, Verdict::grader_fault},
        {"output before crash", killed(9), [](Outcome& o) { o.output_exceeded = true; }, Verdict::output_limit, Verdict::grader_fault},
        {"filter", killed(31), [](Outcome& o) { o.forbidden = true; }, Verdict::forbidden, Verdict::grader_fault},
        {"crash before processes", killed(6), [](Outcome& o) { o.processes_hit = true; }, Verdict::crashed, Verdict::grader_fault},
        {"processes", exited(2), [](Outcome& o) { o.processes_hit = o.disk_full = true; }, Verdict::process_limit, Verdict::grader_fault},
        {"processes but exit 0", exited(0), [](Outcome& o) { o.processes_hit = o.disk_full = true; }, Verdict::passed, Verdict::passed},
        {"disk", exited(1), [](Outcome& o) { o.disk_full = true; }, Verdict::disk_limit, Verdict::grader_fault},
    };
    for (const Case& c : cases) {
        Outcome outcome = c.outcome;
        c.change(outcome);
        EXPECT_EQ(to_string(verdict_of(outcome, false, false)), to_string(c.untrusted)) << c.what;
        EXPECT_EQ(to_string(verdict_of(outcome, true, false)), to_string(c.trusted)) << c.what;
        const Verdict building = c.untrusted == Verdict::failed ? Verdict::build_failed : c.untrusted;
        EXPECT_EQ(to_string(verdict_of(outcome, false, true)), to_string(building)) << c.what;
    }
}

TEST(Compare, SaysWhereTheFirstDifferenceIs) {
    struct Case {
        model::Compare how;
        std::string expected, got, message;  // empty message: equal
    };
    using enum model::Compare;
    const Case cases[] = {
        {exact, "", "", ""},
        {exact, "a\nb\n", "a\nb\n", ""},
        {exact, "a\nb\n", "a\nb", "the newline at the end is missing"},
        {exact, "a", "a\n", "there is a newline too many at the end"},
        {exact, "one\ntwo\n", "one\ntwx\n", R"(line 2, column 3: expected "o", got "x")"},
        {exact, "one\ntwo\n", "one\n", R"(line 2, column 1: expected "two", got the end)"},
        {exact, "one\n", "one\ntwo\n", R"(line 2, column 1: expected the end, got "two")"},
        {exact, "one\ntwo\n", "one\r\ntwo\r\n", R"(line 1, column 4: expected the end of the line, got "\x0d")"},
        {exact, "中文\n", "中丈\n", R"(line 1, column 2: expected "文", got "丈")"},
        {exact, "a", "\x1b[2J", R"(line 1, column 1: expected "a", got "\x1b[2J")"},
        {exact, "a b", "a  b", R"(line 1, column 3: expected "b", got " b")"},
        {whitespace, " a\t b\n\n", "a b", ""},
        {whitespace, "", " \n", ""},
        {whitespace, "a b\nc", "a b\nd", R"(word 3 (line 2 of what was expected): expected "c", got "d")"},
        {whitespace, "a b", "ab", R"(word 1 (line 1 of what was expected): expected "a", got "ab")"},
        {whitespace, "a b", "a", R"(word 2 (line 1 of what was expected): expected "b", got the end)"},
        {whitespace, "a", "a b", R"(word 2 (line 1 of what was expected): expected the end, got "b")"},
    };
    for (const Case& c : cases) {
        const Compared compared = compare(c.how, c.expected, c.got);
        EXPECT_EQ(compared.equal, c.message.empty()) << escaped(c.expected) << " | " << escaped(c.got);
        EXPECT_EQ(compared.message, c.message);
    }
    // A message stays short however long the line is, and no bytes can break it.
    EXPECT_LT(compare(exact, std::string(1 << 20, 'a'), std::string(1 << 20, 'b')).message.size(), 300u);
    EXPECT_TRUE(valid_utf8(compare(exact, "\xff\xfe", "\xff\xfd").message));
}

model::TestPlan adds() {
    model::TestPlan plan;
    plan.name = "adds";
    plan.command = {"./calc", "1 + 2"};
    plan.stdin_bytes = "in\xff";
    plan.stdout_bytes = "3\n";
    plan.points = 2;
    plan.visibility = model::Visibility::after_due;
    return plan;
}

TEST(GradeTest, GivesPointsForTheRightOutputAndExitCode) {
    const auto passed = grade_test(adds(), exited(0), "3\n");
    EXPECT_EQ(passed.verdict, Verdict::passed);
    EXPECT_EQ(passed.score, 2);
    EXPECT_EQ(passed.score_max, 2);
    EXPECT_EQ(passed.message, "");
    EXPECT_EQ(passed.input, "$ ./calc '1 + 2'\nin\xEF\xBF\xBD");
    EXPECT_EQ(passed.expected, "3\n");
    EXPECT_EQ(passed.visibility, model::Visibility::after_due);

    const auto wrong = grade_test(adds(), exited(0), "4\n");
    EXPECT_EQ(wrong.verdict, Verdict::failed);
    EXPECT_EQ(wrong.score, 0);
    EXPECT_EQ(wrong.message, R"(line 1, column 1: expected "3", got "4")");

    const auto code = grade_test(adds(), exited(2), "3\n");
    EXPECT_EQ(code.verdict, Verdict::failed);
    EXPECT_EQ(code.message, "exit code 2, expected 0");
    EXPECT_EQ(grade_test(adds(), killed(11), "3\n").verdict, Verdict::crashed);
}

TEST(GradeTest, JudgesByTheExitCodeTheTestExpects) {
    model::TestPlan plan = adds();
    plan.exit_code = 3;
    EXPECT_EQ(grade_test(plan, exited(3), "3\n").verdict, Verdict::passed);
    EXPECT_EQ(grade_test(plan, exited(3), "x").verdict, Verdict::failed);
    EXPECT_EQ(grade_test(plan, exited(0), "3\n").message, "exit code 0, expected 3");
    Outcome forked = exited(3);
    forked.processes_hit = true;
    EXPECT_EQ(grade_test(plan, forked, "3\n").verdict, Verdict::passed);
    plan.stdout_bytes.reset();
    EXPECT_EQ(grade_test(plan, exited(3), "anything").verdict, Verdict::passed);
}

TEST(GradeTest, KeepsLongTextsShortAndValid) {
    const auto report = grade_test(adds(), exited(0), std::string(1 << 20, '\xff'));
    EXPECT_LT(report.got.size(), 4 * model::test_output_kept_max);
    EXPECT_TRUE(valid_utf8(report.got));
    EXPECT_NE(report.got.find("bytes left out"), std::string::npos);
    std::string chinese;
    for (int i = 0; i < 5000; ++i) chinese += "中";
    EXPECT_EQ(kept_text(chinese, 1000).find("\xEF\xBF\xBD"), std::string::npos) << "a character was cut in half";
}

TEST(VerdictOfTests, IsTheFirstFailingOnesButFaultsComeFirst) {
    const auto of = [](std::initializer_list<Verdict> verdicts) {
        std::vector<model::TestReport> tests;
        for (const Verdict verdict : verdicts) tests.emplace_back().verdict = verdict;
        return verdict_of_tests(tests);
    };
    EXPECT_EQ(of({}), Verdict::passed);
    EXPECT_EQ(of({Verdict::passed, Verdict::passed}), Verdict::passed);
    EXPECT_EQ(of({Verdict::passed, Verdict::failed, Verdict::crashed}), Verdict::failed);
    EXPECT_EQ(of({Verdict::failed, Verdict::system_fault}), Verdict::system_fault);
}

}  // namespace
}  // namespace assay::grade
