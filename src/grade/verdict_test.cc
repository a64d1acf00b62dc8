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

TEST(FirstDifference, IsWhereAReaderLooks) {
    struct Case {
        model::Compare how;
        std::string expected, got;
        std::optional<model::Difference> difference;
    };
    using enum model::Compare;
    using enum model::DifferenceKind;
    using Side = std::optional<std::string>;
    constexpr std::nullopt_t the_end = std::nullopt;
    const auto at = [](std::int64_t line, std::int64_t column, Side want, Side have) {
        return model::Difference{.kind = character, .line = line, .column = column, .expected = std::move(want), .got = std::move(have)};
    };
    const auto at_word = [](std::int64_t number, std::int64_t line, Side want, Side have) {
        return model::Difference{.kind = word, .line = line, .word = number, .expected = std::move(want), .got = std::move(have)};
    };
    const Case cases[] = {
        {exact, "", "", {}},
        {exact, "a\nb\n", "a\nb\n", {}},
        {exact, "a\nb\n", "a\nb", model::Difference{.kind = newline_missing}},
        {exact, "a", "a\n", model::Difference{.kind = newline_extra}},
        {exact, "one\ntwo\n", "one\ntwx\n", at(2, 3, "o", "x")},
        {exact, "one\ntwo\n", "one\n", at(2, 1, "two", the_end)},
        {exact, "one\n", "one\ntwo\n", at(2, 1, the_end, "two")},
        {exact, "one\ntwo\n", "one\r\ntwo\r\n", at(1, 4, "", "\\x0d")},
        {exact, "中文\n", "中丈\n", at(1, 2, "文", "丈")},
        {exact, "a", "\x1b[2J", at(1, 1, "a", "\\x1b[2J")},
        {exact, "a b", "a  b", at(1, 3, "b", " b")},
        {whitespace, " a\t b\n\n", "a b", {}},
        {whitespace, "", " \n", {}},
        {whitespace, "a b\nc", "a b\nd", at_word(3, 2, "c", "d")},
        {whitespace, "a b", "ab", at_word(1, 1, "a", "ab")},
        {whitespace, "a b", "a", at_word(2, 1, "b", the_end)},
        {whitespace, "a", "a b", at_word(2, 1, the_end, "b")},
    };
    const auto text = [](const std::optional<model::Difference>& it) { return it ? model::to_json(*it) : std::string{"equal"}; };
    for (const Case& c : cases) {
        const auto found = first_difference(c.how, c.expected, c.got);
        EXPECT_EQ(found, c.difference) << escaped(c.expected) << " | " << escaped(c.got) << ": " << text(found);
    }
    // It stays short however long the line is, and no bytes can break it.
    EXPECT_LT(first_difference(exact, std::string(1 << 20, 'a'), std::string(1 << 20, 'b'))->got->size(), 100u);
    EXPECT_TRUE(valid_utf8(*first_difference(exact, "\xff\xfe", "\xff\xfd")->got));
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
    EXPECT_FALSE(passed.difference);
    EXPECT_EQ(passed.input, "$ ./calc '1 + 2'\nin\xEF\xBF\xBD");
    EXPECT_EQ(passed.expected, "3\n");
    EXPECT_EQ(passed.visibility, model::Visibility::after_due);

    const auto wrong = grade_test(adds(), exited(0), "4\n");
    EXPECT_EQ(wrong.verdict, Verdict::failed);
    EXPECT_EQ(wrong.score, 0);
    ASSERT_TRUE(wrong.difference);
    EXPECT_EQ(wrong.difference->kind, model::DifferenceKind::character);
    EXPECT_EQ(wrong.difference->got, "4");
    EXPECT_EQ(wrong.message, "");  // Only graders write messages.

    const auto code = grade_test(adds(), exited(2), "3\n");
    EXPECT_EQ(code.verdict, Verdict::failed);
    EXPECT_EQ(code.difference, (model::Difference{.kind = model::DifferenceKind::exit_code, .expected = "0", .got = "2"}));
    const auto crashed = grade_test(adds(), killed(11), "4\n");
    EXPECT_EQ(crashed.verdict, Verdict::crashed);
    EXPECT_EQ(crashed.signal, 11);
    EXPECT_FALSE(crashed.difference);  // What it printed before it died is not what went wrong.
}

TEST(GradeTest, JudgesByTheExitCodeTheTestExpects) {
    model::TestPlan plan = adds();
    plan.exit_code = 3;
    EXPECT_EQ(grade_test(plan, exited(3), "3\n").verdict, Verdict::passed);
    EXPECT_EQ(grade_test(plan, exited(3), "x").verdict, Verdict::failed);
    EXPECT_EQ(grade_test(plan, exited(0), "3\n").difference->expected, "3");
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
