// Whole evaluations in real sandboxes: needs root and cgroups.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "archive/archive.hh"
#include "base/log.hh"
#include "base/text.hh"
#include "runner/runner.hh"
#include "sandbox/helper.hh"
#include "sandbox/sandbox.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/random.hh"

namespace assay::runner {
namespace {

using model::Verdict;
using archive::SourceFile;

constexpr std::int64_t mib = 1 << 20;

sys::Fd packed(std::vector<SourceFile> files) {
    return sys::memory_file("archive", bytes_of(archive::pack_tar(std::move(files)).value()), true).value();
}

model::Limits small_limits() {
    model::Limits limits;
    limits.cpu_ms = 5'000;
    limits.wall_ms = 10'000;
    limits.memory_bytes = 128 * mib;
    limits.disk_bytes = 16 * mib;
    limits.output_bytes = 64 << 10;
    return limits;
}

model::StagePlan command_stage(std::string name, std::string script) {
    model::StagePlan stage;
    stage.name = std::move(name);
    stage.command = {"/bin/sh", "-c", std::move(script)};
    stage.limits = small_limits();
    return stage;
}

model::StagePlan score_stage(std::string script) {
    model::StagePlan stage = command_stage("score", std::move(script));
    stage.trusted = true;
    stage.report = "results.json";
    stage.report_format = model::ReportFormat::results;
    return stage;
}

model::TestPlan test_of(std::string name, std::string script, std::optional<std::string> expected = std::nullopt) {
    model::TestPlan test;
    test.name = std::move(name);
    test.command = {"/bin/sh", "-c", std::move(script)};
    test.stdout_bytes = std::move(expected);
    test.limits = small_limits();
    return test;
}

model::StagePlan tests_stage(std::vector<model::TestPlan> tests) {
    model::StagePlan stage;
    stage.name = "tests";
    stage.limits = small_limits();
    stage.tests = std::move(tests);
    return stage;
}

class Evaluate : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (sys::effective_uid() != 0) return;
        id_ = to_hex(bytes_of(sys::random_bytes(8)));
        auto helper = sandbox::start_helper({.directory_id = id_, .first_uid = sandbox::first_uid_for(id_), .fill = archive::fill_main});
        if (!helper) {
            why_not_ = helper.error().text();
            return;
        }
        helper_ = std::make_unique<sandbox::Helper>(std::move(helper).value());
        client_ = std::make_unique<sandbox::Client>(sandbox::connect_client(*helper_).value());
    }
    static void TearDownTestSuite() {
        client_.reset();
        helper_.reset();
        if (!id_.empty()) EXPECT_TRUE(sandbox::clean_leftovers(id_));
    }
    void SetUp() override {
        if (!helper_) GTEST_SKIP() << "needs root and cgroups to build sandboxes: " << why_not_;
    }

    Result<model::Report> try_evaluate(const model::Plan& plan, const std::atomic<bool>& stop = never_, int wake_fd = -1) {
        const sys::Fd submission = packed(files);
        const sys::Fd revision = packed(grader);
        return try_with({plan, submission.get(), revision.get()}, stop, wake_fd);
    }
    Result<model::Report> try_with(const Work& work, const std::atomic<bool>& stop = never_, int wake_fd = -1) {
        return evaluate(*client_, floor_, 0, work, stop, wake_fd, [this](const Progress& progress) {
            told.push_back(progress.stage + "/" + progress.test);
            if (!progress.finished) return;
            const auto& one = *progress.finished;
            told.back() += " " + std::string{to_string(one.tests.empty() ? one.verdict : one.tests.front().verdict)};
        });
    }
    model::Report evaluated(std::vector<model::StagePlan> stages) {
        model::Plan plan;
        plan.timezone = "Asia/Shanghai";
        plan.stages = std::move(stages);
        auto report = try_evaluate(plan);
        if (!report) {
            ADD_FAILURE() << report.error().text();
            return {};
        }
        return std::move(report).value();
    }
    // Of one test in a stage of its own.
    model::TestReport tested(model::TestPlan plan) {
        const model::Report report = evaluated({tests_stage({std::move(plan)})});
        if (report.stages.size() != 1 || report.stages[0].tests.size() != 1) return {};
        EXPECT_EQ(report.stages[0].verdict, report.stages[0].tests[0].verdict);
        return report.stages[0].tests[0];
    }

    std::vector<SourceFile> files{{"hello.txt", false, "hello\n"}};
    std::vector<SourceFile> grader{{"module.toml", false, ""}, {"grader/answer", false, "42\n"}};
    std::vector<std::string> told;

private:
    static inline const std::atomic<bool> never_{false};
    Floor floor_;
    static inline std::string id_;
    static inline std::string why_not_ = "not root";
    static inline std::unique_ptr<sandbox::Helper> helper_;
    static inline std::unique_ptr<sandbox::Client> client_;
};

TEST_F(Evaluate, BuildsTestsAndScoresACProject) {
    files = {{"Makefile", false, "add: add.c\n\tcc -O1 -Wall -o $@ $<\n"},
             {"add.c", false, "#include <stdio.h>\nint main(void) { int a, b; if (scanf(\"%d %d\", &a, &b) != 2) return 3;\n"
                              "  printf(\"%d\\n\", a + b); return 0; }\n"}};
    model::StagePlan build = command_stage("build", "");
    build.command = {"make"};
    build.limits.memory_bytes = 384 * mib;
    build.limits.disk_bytes = 64 * mib;
    model::TestPlan adds = test_of("adds", "./add", "5\n");
    adds.stdin_bytes = "2 3";
    model::TestPlan refuses = test_of("refuses", "./add", "");
    refuses.stdin_bytes = "two";
    refuses.exit_code = 3;
    model::StagePlan tests = tests_stage({adds, refuses});
    tests.points = 60;
    model::StagePlan score = score_stage("test -f /submission/add.c && test -f /stages/build/add && read answer < /grader/answer &&"
                                         " echo '{\"score\": '$answer'}' > results.json");
    score.points = 42;

    const model::Report report = evaluated({build, tests, score});
    ASSERT_EQ(report.stages.size(), 3u);
    for (const model::StageReport& stage : report.stages) {
        EXPECT_EQ(stage.verdict, Verdict::passed) << stage.name << ": " << stage.output << stage.errors << stage.fault;
        EXPECT_GT(stage.usage.wall_ms, 0) << stage.name;
        EXPECT_GT(stage.usage.memory_peak_bytes, 0) << stage.name;
    }
    EXPECT_EQ(report.verdict, Verdict::passed);
    EXPECT_EQ(report.score, 102);
    EXPECT_EQ(report.score_max, 102);
    EXPECT_EQ(report.stages[0].exit_code, 0);
    EXPECT_EQ(report.stages[0].limits.memory_bytes, 384 * mib);  // As the kernel said.
    EXPECT_TRUE(report.stages[0].output.contains("cc -O1")) << report.stages[0].output;
    EXPECT_EQ(report.stages[1].tests.at(0).input, "$ /bin/sh -c ./add\n2 3");
    EXPECT_EQ(report.stages[1].tests.at(0).got, "5\n");
    EXPECT_EQ(report.stages[2].score, 42);
    EXPECT_FALSE(report.kernel.empty());
    EXPECT_EQ(told, (std::vector<std::string>{
                        "build/", "build/ passed", "tests/", "tests/adds", "tests/adds passed", "tests/refuses", "tests/refuses passed",
                        "tests/ passed", "score/", "score/ passed"}));
}

TEST_F(Evaluate, ABuildThatFailsEndsTheJob) {
    const model::Report report = evaluated({command_stage("build", "echo no rule >&2; exit 2"), tests_stage({test_of("one", "true")})});
    ASSERT_EQ(report.stages.size(), 1u);
    EXPECT_EQ(report.stages[0].verdict, Verdict::build_failed);
    EXPECT_EQ(report.stages[0].exit_code, 2);
    EXPECT_EQ(report.stages[0].errors, "no rule\n");
    EXPECT_EQ(report.verdict, Verdict::build_failed);
}

TEST_F(Evaluate, AStageThatIsNotRequiredEndsNothing) {
    model::StagePlan lint = command_stage("lint", "exit 1");
    lint.required = false;
    const model::Report report = evaluated({lint, tests_stage({test_of("one", "cat hello.txt", "hello\n")})});
    ASSERT_EQ(report.stages.size(), 2u);
    EXPECT_EQ(report.verdict, Verdict::passed);
}

struct Case {
    const char* name;
    const char* script;
    Verdict verdict;
    void (*change)(model::Limits&) = [](model::Limits&) {};
    friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.script; }
};
class EvaluateVerdict : public Evaluate, public testing::WithParamInterface<Case> {};

TEST_P(EvaluateVerdict, OfATest) {
    model::TestPlan plan = test_of("one", GetParam().script, "right\n");
    plan.points = 3;
    GetParam().change(plan.limits);
    const model::TestReport report = tested(plan);
    EXPECT_EQ(report.verdict, GetParam().verdict) << report.got << report.errors << report.message;
    EXPECT_EQ(report.score, GetParam().verdict == Verdict::passed ? 3 : 0);
    EXPECT_EQ(report.score_max, 3);
}

INSTANTIATE_TEST_SUITE_P(
    All, EvaluateVerdict,
    testing::Values(Case{"passed", "echo right", Verdict::passed},
                    Case{"wrong_text", "echo left", Verdict::failed},
                    Case{"wrong_exit", "echo right; exit 1", Verdict::failed},
                    Case{"missing_program", "exec ./nothing-here", Verdict::failed},
                    Case{"crashed", "kill -SEGV $$", Verdict::crashed},
                    Case{"time_limit", "while :; do :; done", Verdict::time_limit, [](model::Limits& l) { l.cpu_ms = 200; }},
                    Case{"wall_limit", "exec sleep 5", Verdict::wall_limit, [](model::Limits& l) { l.wall_ms = 200; }},
                    Case{"output_limit", "exec yes", Verdict::output_limit},
                    Case{"memory_limit", "exec python3 -c 'b = bytearray(200 << 20)'", Verdict::memory_limit,
                         [](model::Limits& l) { l.memory_bytes = 64 * mib; }},
                    Case{"process_limit", "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; exit 1", Verdict::process_limit,
                         [](model::Limits& l) { l.processes = 4; }},
                    Case{"disk_limit", "head -c 40M /dev/zero > big || exit 1", Verdict::disk_limit}),
    [](const auto& info) { return std::string{info.param.name}; });

// Each test starts from what the stages before left, and from nothing that another test wrote.
TEST_F(Evaluate, TestsSeeTheBuildAndNotEachOther) {
    const auto tries = [](std::string name) { return test_of(std::move(name), "cat built && cat hello.txt && echo x > built && echo y > new", "made\nhello\n"); };
    const auto looks = test_of("looks", "cat built; test ! -e new", "made\n");
    const model::Report report = evaluated({command_stage("build", "echo made > built; echo gone > /tmp/scratch"),
                                            tests_stage({tries("first"), tries("second"), looks, test_of("scratch", "ls -A /tmp", "")})});
    ASSERT_EQ(report.stages.size(), 2u);
    for (const model::TestReport& test : report.stages[1].tests) EXPECT_EQ(test.verdict, Verdict::passed) << test.name << test.got << test.errors;
}

TEST_F(Evaluate, TestsThatComeFirstStartFromTheSubmission) {
    const model::TestReport report = tested(test_of("reads", "cat hello.txt; ls -A", "hello\nhello.txt\n"));
    EXPECT_EQ(report.verdict, Verdict::passed) << report.got << report.errors;
}

TEST_F(Evaluate, TheEnvironmentIsExactlyTheContracts) {
    const model::Report report = evaluated({command_stage("look", "pwd; env -u PWD -u OLDPWD -u SHLVL -u _ | sort"),
                                            score_stage("pwd; env -u PWD -u OLDPWD -u SHLVL -u _ | sort; echo '{\"score\":100}' > results.json")});
    ASSERT_EQ(report.stages.size(), 2u);
    EXPECT_EQ(report.stages[0].output, "/work\nHOME=/work\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nTZ=Asia/Shanghai\nUSER=student\n");
    EXPECT_EQ(report.stages[1].output, "/out\nHOME=/out\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nTZ=Asia/Shanghai\n");
}

TEST_F(Evaluate, ASubmissionThatDoesNotFitIsItsStagesVerdict) {
    files.push_back({"big", false, std::string(20 * mib, 'x')});
    const model::Report built = evaluated({command_stage("build", "true"), tests_stage({test_of("one", "true")})});
    ASSERT_EQ(built.stages.size(), 1u);
    EXPECT_EQ(built.stages[0].verdict, Verdict::disk_limit);
    EXPECT_EQ(built.verdict, Verdict::disk_limit);

    const model::Report tested = evaluated({tests_stage({test_of("one", "true"), test_of("two", "true")})});
    ASSERT_EQ(tested.stages.size(), 1u);
    EXPECT_EQ(tested.stages[0].verdict, Verdict::disk_limit);
    EXPECT_EQ(tested.stages[0].tests.size(), 2u);
    EXPECT_EQ(tested.score, 0);
    EXPECT_EQ(tested.score_max, 2);
}

struct GraderCase {
    const char* name;
    const char* script;
    const char* fault;  // a part of what staff are told
    friend std::ostream& operator<<(std::ostream& out, const GraderCase& c) { return out << c.script; }
};
class EvaluateGrader : public Evaluate, public testing::WithParamInterface<GraderCase> {};

TEST_P(EvaluateGrader, ThatFailsIsNeverTheParticipantsFault) {
    const model::Report report = evaluated({command_stage("build", "true"), score_stage(GetParam().script)});
    ASSERT_EQ(report.stages.size(), 2u);
    EXPECT_EQ(report.stages[1].verdict, Verdict::grader_fault);
    EXPECT_TRUE(report.stages[1].fault.contains(GetParam().fault)) << report.stages[1].fault;
    EXPECT_EQ(report.verdict, Verdict::grader_fault);
}

INSTANTIATE_TEST_SUITE_P(All, EvaluateGrader,
                         testing::Values(GraderCase{"exits", "echo '{\"score\":1}' > results.json; exit 3", "exit code 3"},
                                         GraderCase{"crashes", "kill -ABRT $$", "signal 6"},
                                         GraderCase{"leaves_nothing", "true", "results.json"},
                                         GraderCase{"leaves_nonsense", "echo nonsense > results.json", "results.json"},
                                         GraderCase{"leaves_a_link", "ln -s /grader/answer results.json", "results.json"},
                                         GraderCase{"leaves_a_pipe", "mkfifo results.json", "results.json"},
                                         GraderCase{"leaves_too_much", "head -c 5M /dev/zero > results.json", "results.json"},
                                         GraderCase{"talks_without_end", "exec yes", "printed more"}),
                         [](const auto& info) { return std::string{info.param.name}; });

// Nobody takes the head and tail of a stream for all of it.
TEST_F(Evaluate, WhatIsNotKeptOfEitherStreamIsCounted) {
    model::StagePlan build =
        command_stage("build", "head -c 100000 /dev/zero | tr '\\0' e >&2; head -c 90000 /dev/zero | tr '\\0' o");
    build.limits.output_bytes = 1 << 20;
    const model::Report report = evaluated({build});
    ASSERT_EQ(report.stages.size(), 1u);
    EXPECT_EQ(report.stages[0].verdict, Verdict::passed);
    EXPECT_EQ(report.stages[0].errors_dropped_bytes, 100'000 - static_cast<std::int64_t>(model::stage_output_kept_max));
    EXPECT_EQ(report.stages[0].output_dropped_bytes, 90'000 - static_cast<std::int64_t>(model::stage_output_kept_max));
}

// What a participant's program prints or leaves behind must never become a score.
TEST_F(Evaluate, OnlyTheGradersOwnReportCounts) {
    files.push_back({"results.json", false, R"({"score": 100})"});
    const char* const forge = "echo '{\"score\": 100}' | tee results.json; mkdir -p /out 2>/dev/null; cp results.json /out/ 2>/dev/null;"
                              " (while :; do cp results.json /out/; done) >/dev/null 2>&1 & true";
    const model::Report report = evaluated({command_stage("build", forge), score_stage("ls -A > seen; cat seen; echo '{\"score\": 7}' > results.json")});
    ASSERT_EQ(report.stages.size(), 2u);
    EXPECT_EQ(report.stages[1].output, "seen\n");
    EXPECT_EQ(report.score, 7);
    EXPECT_EQ(report.score_max, 100);
    EXPECT_EQ(report.verdict, Verdict::failed);
}

TEST_F(Evaluate, BytesThatAreNoTextAreComparedAsTheyAre) {
    const model::TestReport report = tested(test_of("binary", "printf 'a\\377b'", "a\xFF" "b"));
    EXPECT_EQ(report.verdict, Verdict::passed) << report.message;
    EXPECT_TRUE(valid_utf8(report.got));
    EXPECT_TRUE(valid_utf8(report.expected));
}

// Output up to the limit is compared whole although only its ends are kept.
TEST_F(Evaluate, ComparesMoreThanItKeeps) {
    const model::TestReport report = tested(test_of("long", "head -c 60000 /dev/zero | tr '\\0' x", std::string(60'000, 'x')));
    EXPECT_EQ(report.verdict, Verdict::passed) << report.message;
    EXPECT_LT(report.got.size(), 5'000u);
    EXPECT_TRUE(report.got.contains(" B …]"));
}

TEST_F(Evaluate, AFloodKeepsItsEndsAndItsCount) {
    const model::TestReport report = tested(test_of("flood", "echo begin; head -c 300000 /dev/zero | tr '\\0' x; sleep 5"));
    EXPECT_EQ(report.verdict, Verdict::output_limit);
    EXPECT_TRUE(report.got.starts_with("begin\nxxx")) << report.got.substr(0, 100);
    EXPECT_TRUE(report.got.contains(" B …]"));
    EXPECT_LT(report.got.size(), 5'000u);
}

TEST_F(Evaluate, StopsWhenToldAndSaysSo) {
    std::atomic<bool> stop{false};
    auto [wake_read, wake_write] = sys::make_pipe().value();
    model::Plan plan;
    plan.stages = {command_stage("build", "exec sleep 9")};
    plan.stages[0].limits.wall_ms = 60'000;
    const auto begun = std::chrono::steady_clock::now();
    std::jthread stopper{[&] {
        stop = true;
        (void)sys::write_all(wake_write, std::string_view{"x"});
    }};
    const auto report = try_evaluate(plan, stop, wake_read.get());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().fault(), Fault::interrupted);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{8});
}

TEST_F(Evaluate, AnArchiveThatCannotBeUnpackedIsAFaultAndNoVerdict) {
    const sys::Fd submission = sys::memory_file("archive", bytes_of("no archive at all"), true).value();
    const sys::Fd revision = packed(grader);
    model::Plan plan;
    plan.stages = {command_stage("build", "true")};
    EXPECT_FALSE(try_with({plan, submission.get(), revision.get()}));
}

// After a test its files are compared; what is no regular file, or lies behind a link, is not there.
TEST_F(Evaluate, FilesOfATestAreCompared) {
    model::TestPlan right = test_of("right", "mkdir -p d; printf 'made\n' > d/out.txt");
    right.files = {{"d/out.txt", "made\n"}, {"hello.txt", "hello\n"}};
    model::TestPlan wrong = test_of("wrong", "printf 'other\n' > out.txt");
    wrong.files = {{"out.txt", "made\n"}};
    model::TestPlan missing = test_of("missing", "true");
    missing.files = {{"d/out.txt", "made\n"}};
    model::TestPlan linked = test_of("linked", "printf 'made\n' > real; ln -s real out.txt; ln -s . d");
    linked.files = {{"out.txt", "made\n"}};
    model::TestPlan below_link = linked;
    below_link.name = "below a link";
    below_link.files = {{"d/real", "made\n"}};
    model::TestPlan pipe = test_of("pipe", "mkfifo out.txt");
    pipe.files = {{"out.txt", "made\n"}};
    const model::Report report = evaluated({tests_stage({right, wrong, missing, linked, below_link, pipe})});
    ASSERT_EQ(report.stages.size(), 1U);
    std::vector<std::string> passed;
    for (const model::TestReport& test : report.stages[0].tests) {
        if (test.verdict == Verdict::passed) passed.push_back(test.name);
        else EXPECT_EQ(test.verdict, Verdict::failed) << test.name;
    }
    EXPECT_EQ(passed, std::vector<std::string>{"right"});
    EXPECT_EQ(report.stages[0].tests.size(), 6U) << "each is told";
}

// The checker sees the whole module and the three texts, and nothing of the participant's is executed beside it.
TEST_F(Evaluate, ACheckerJudgesWhatWasPrinted) {
    grader = {{"module.toml", false, ""},
              {"checkers/x.py", false, "import os, sys\ninput, expected, got = (open(p).read() for p in sys.argv[1:])\n"
                                       "assert os.path.exists('/grader/module.toml') and os.getcwd() == '/out'\n"
                                       "print('seen', input, expected, got)\n"
                                       "if got == 'half': open('score', 'w').write('0.5')\n"
                                       "if got == 'crash': os.abort()\n"
                                       "if got == 'nonsense': open('score', 'w').write('lots')\n"
                                       "sys.exit(0 if got in ('good', 'half') else 1)\n"}};
    const auto test_for = [](std::string got) {
        model::TestPlan test = test_of(got, "printf " + got, "wanted");
        test.compare = model::Compare::checker;
        test.stdin_bytes = "fed";
        test.points = 2;
        test.checker = {"python3", "/grader/checkers/x.py"};
        return test;
    };
    const auto judged = [&](const std::string& got) { return tested(test_for(got)); };
    const model::TestReport good = judged("good");
    EXPECT_EQ(good.verdict, Verdict::passed) << good.fault;
    EXPECT_EQ(good.message, "seen fed wanted good\n");
    EXPECT_EQ(judged("bad").verdict, Verdict::failed);
    EXPECT_EQ(judged("half").score, 1);
    EXPECT_EQ(judged("crash").verdict, Verdict::grader_fault);
    EXPECT_EQ(judged("nonsense").verdict, Verdict::grader_fault);
    model::TestPlan fails = test_for("good");
    fails.command = {"false"};
    EXPECT_EQ(tested(fails).verdict, Verdict::failed) << "a program that failed is not worth a checker";
}

// What was finished before stands, whatever a later test or stage did.
TEST_F(Evaluate, FinishedTestsSurviveALaterLimit) {
    model::TestPlan hungry = test_of("hungry", "exec python3 -c 'x = bytearray(500 << 20)'");
    hungry.limits.memory_bytes = 32 * mib;
    model::TestPlan slow = test_of("slow", "sleep 100");
    slow.limits.wall_ms = 100;
    model::TestPlan loud = test_of("loud", "yes");
    model::TestPlan many = test_of("many", "for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; exit 1");
    many.limits.processes = 3;
    const model::Report report = evaluated({tests_stage({test_of("first", "true"), hungry, slow, loud, many, test_of("last", "true")}), score_stage("exec false")});
    ASSERT_EQ(report.stages.size(), 2U);
    std::vector<Verdict> verdicts;
    for (const model::TestReport& test : report.stages[0].tests) verdicts.push_back(test.verdict);
    EXPECT_EQ(verdicts, (std::vector<Verdict>{Verdict::passed, Verdict::memory_limit, Verdict::wall_limit, Verdict::output_limit, Verdict::process_limit, Verdict::passed}));
    EXPECT_EQ(report.stages[1].verdict, Verdict::grader_fault);
}

}  // namespace
}  // namespace assay::runner
