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

// Only what the machine may have done to a program is its to make good, and only the end of a time can be that.
TEST(AnotherTry, IsForTimeoutsUnderPressureAlone) {
    struct Case {
        const char* what;
        std::function<void(Outcome&)> change;
        std::optional<bool> trustworthy;
        bool expected;
    };
    const Case cases[] = {
        {"out of CPU time", [](Outcome& o) { o.cpu_exceeded = true; }, false, true},
        {"out of time", [](Outcome& o) { o.wall_exceeded = true; }, false, true},
        {"out of time with too much output", [](Outcome& o) { o.wall_exceeded = o.output_exceeded = true; }, false,
         true},
        {"on a quiet machine", [](Outcome& o) { o.cpu_exceeded = true; }, true, false},
        {"where nothing is known of the machine", [](Outcome& o) { o.wall_exceeded = true; }, std::nullopt, false},
        {"out of memory as well", [](Outcome& o) { o.wall_exceeded = o.oom_killed = true; }, false, false},
        {"a crash", [](Outcome&) {}, false, false},
        {"too much output", [](Outcome& o) { o.output_exceeded = true; }, false, false},
        {"never started", [](Outcome& o) { o.wall_exceeded = true, o.started = false; }, false, false},
        {"a fault of ours", [](Outcome& o) { o.wall_exceeded = true, o.fault = "mount failed"; }, false, false},
        {"told to stop", [](Outcome& o) { o.wall_exceeded = o.cancelled = true; }, false, false},
    };
    for (const Case& c : cases) {
        Outcome outcome = killed(9);
        outcome.trustworthy_timing = c.trustworthy;
        c.change(outcome);
        EXPECT_EQ(deserves_another_try(outcome), c.expected) << c.what;
    }
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
        {"output before transfers", killed(9), [](Outcome& o) { o.output_exceeded = o.io_exceeded = true; }, Verdict::output_limit, Verdict::grader_fault},
        {"transfers before crash", killed(9), [](Outcome& o) { o.io_exceeded = true; }, Verdict::io_limit, Verdict::grader_fault},
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

// Each expected file as stdout is; the first that differs is named.
TEST(GradeTest, ComparesTheFilesTheProgramLeft) {
    model::TestPlan plan = adds();
    plan.compare = model::Compare::whitespace;
    plan.files = {{"out.txt", "1 2\n"}, {"log/b.txt", "x"}};
    const std::optional<std::string> good[] = {"1  2", "x\n"}, wrong[] = {"1 2", "y"}, gone[] = {std::nullopt, "x"};
    EXPECT_EQ(grade_test(plan, exited(0), "3", good).verdict, Verdict::passed);
    using model::DifferenceKind;
    const auto differs = grade_test(plan, exited(0), "3", wrong);
    EXPECT_EQ(differs.verdict, Verdict::failed);
    EXPECT_EQ(differs.difference,
              (model::Difference{.kind = DifferenceKind::word, .line = 1, .word = 1, .expected = "x", .got = "y", .file = "log/b.txt"}));
    EXPECT_EQ(grade_test(plan, exited(0), "3", gone).difference,
              (model::Difference{.kind = DifferenceKind::file_missing, .file = "out.txt"}));
    EXPECT_EQ(grade_test(plan, exited(0), "3").difference->file, "out.txt");
    EXPECT_EQ(grade_test(plan, exited(0), "4", gone).difference->file, std::nullopt);  // What was printed comes first.
}

TEST(JudgeChecked, TakesTheCheckersWordAndNeverItsFailure) {
    struct Case {
        const char* what;
        Outcome checker;
        std::function<void(Outcome&)> change;
        std::optional<std::string> score_text;
        Verdict verdict;
        double score;
    };
    const auto nothing = [](Outcome&) {};
    const Case cases[] = {
        {"0", exited(0), nothing, {}, Verdict::passed, 2},
        {"1", exited(1), nothing, {}, Verdict::failed, 0},
        {"2", exited(2), nothing, {}, Verdict::grader_fault, 0},
        {"signal", killed(11), nothing, {}, Verdict::grader_fault, 0},
        {"a share", exited(0), nothing, "0.25\n", Verdict::failed, 0.5},
        {"a share whatever the code", exited(1), nothing, "1", Verdict::passed, 2},
        {"none of it", exited(0), nothing, "0", Verdict::failed, 0},
        {"a share and a crash", killed(6), nothing, "1", Verdict::grader_fault, 0},
        {"a share and another code", exited(3), nothing, "1", Verdict::grader_fault, 0},
        {"too much", exited(0), nothing, "1.5", Verdict::grader_fault, 0},
        {"less than nothing", exited(0), nothing, "-0.1", Verdict::grader_fault, 0},
        {"no number", exited(0), nothing, "half", Verdict::grader_fault, 0},
        {"not a number", exited(0), nothing, "nan", Verdict::grader_fault, 0},
        {"empty", exited(0), nothing, "", Verdict::grader_fault, 0},
        {"long", exited(0), nothing, std::string(1000, '0'), Verdict::grader_fault, 0},
        {"cpu", exited(0), [](Outcome& o) { o.cpu_exceeded = true; }, {}, Verdict::grader_fault, 0},
        {"wall", killed(9), [](Outcome& o) { o.wall_exceeded = true; }, {}, Verdict::grader_fault, 0},
        {"memory", exited(0), [](Outcome& o) { o.oom_killed = true; }, {}, Verdict::grader_fault, 0},
        {"output", exited(0), [](Outcome& o) { o.output_exceeded = true; }, {}, Verdict::grader_fault, 0},
        {"not started", exited(0), [](Outcome& o) { o.started = false; }, {}, Verdict::system_fault, 0},
    };
    model::TestPlan plan = adds();
    plan.compare = model::Compare::checker;
    const auto program = grade_test(plan, exited(0), "anything");
    ASSERT_TRUE(wants_checker(plan, program));
    EXPECT_FALSE(wants_checker(plan, grade_test(plan, killed(11), "3\n"))) << "a program that died is not asked about";
    EXPECT_FALSE(wants_checker(adds(), program));
    for (const Case& c : cases) {
        Outcome checker = c.checker;
        c.change(checker);
        checker.output.head = "close, but \xff";
        const auto report = judge_checked(plan, program, checker, c.score_text);
        EXPECT_EQ(to_string(report.verdict), to_string(c.verdict)) << c.what;
        EXPECT_EQ(report.score, c.score) << c.what;
        const bool fault = c.verdict == Verdict::grader_fault || c.verdict == Verdict::system_fault;
        EXPECT_EQ(!report.fault.empty(), fault) << c.what << ": " << report.fault;
        EXPECT_EQ(report.message, fault ? "" : "close, but \xEF\xBF\xBD") << c.what;
    }
    Outcome talks = exited(1);
    talks.output.head = std::string(100'000, 'x');
    EXPECT_LE(judge_checked(plan, program, talks, {}).message.size(), checker_message_max);
}

TEST(GradeTest, KeepsLongTextsShortAndValid) {
    const auto report = grade_test(adds(), exited(0), std::string(1 << 20, '\xff'));
    EXPECT_LT(report.got.size(), 4 * model::test_output_kept_max);
    EXPECT_TRUE(valid_utf8(report.got));
    EXPECT_NE(report.got.find(" B …]"), std::string::npos);
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

// Less than a tenth of its time is not why it is slow.
TEST(Usage, SaysOfAWaitForMemoryOnlyWhatMatters) {
    Outcome outcome;
    outcome.wall_ms = 1000;
    EXPECT_EQ(usage_of(outcome).memory_stalled_ms, std::nullopt);
    for (const auto& [stalled_ms, told] : {std::pair{0.0, false}, {99.0, false}, {100.0, true}, {900.0, true}}) {
        outcome.memory_stalled_ms = stalled_ms;
        EXPECT_EQ(usage_of(outcome).memory_stalled_ms, told ? std::optional{stalled_ms} : std::nullopt);
    }
}

}  // namespace
}  // namespace assay::grade
