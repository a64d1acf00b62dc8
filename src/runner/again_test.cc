// What is run again, and how: whole evaluations over a scripted sandbox, so that what the machine did meanwhile can be said.
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/text.hh"
#include "runner/bounds.hh"
#include "runner/runner.hh"
#include "sandbox/protocol.hh"
#include "sys/file.hh"

namespace assay::runner {
namespace {

using model::Verdict;
using namespace std::chrono_literals;

constexpr auto patience = 10s;  // far more than anything here takes

// How one command ends.
struct End {
    std::string output;
    bool cpu_exceeded = false;
    bool wall_exceeded = false;
    int trustworthy = 1;  // as FromKeeper has it
    double wall_ms = 100;
    std::string report;  // of a trusted stage
};
constexpr auto slowed = [] {
    return End{.output = "", .wall_exceeded = true, .trustworthy = 0, .wall_ms = 1000, .report = ""};
};
constexpr auto prints = [](std::string text) { return End{.output = std::move(text), .report = ""}; };

// The other end of a sandbox client: answers each command as `end` says.
class ScriptedSandbox {
public:
    using Answer = std::function<End(const sandbox::ToKeeper&)>;
    explicit ScriptedSandbox(Answer end) : end_{std::move(end)} {
        auto pair = sys::socket_pair(sys::PairKind::seqpacket).value();
        client_.emplace(std::move(pair.first));
        helper_ = std::jthread{[this, socket = std::move(pair.second)] { serve(socket); }};
    }
    ~ScriptedSandbox() { client_.reset(); }  // Its socket closes, which ends the thread.
    sandbox::Client& client() { return *client_; }

private:
    void serve(const sys::Fd& socket) const {
        for (;;) {
            auto order = sandbox::receive<sandbox::ToHelper>(socket);
            if (!order || order->descriptors.size() != 1) return;
            keep(order->descriptors.front());
        }
    }
    void keep(const sys::Fd& job) const {
        sandbox::FromKeeper opened{};
        opened.kind = sandbox::FromKeeper::Kind::opened;
        (void)sandbox::send(job, opened);
        for (;;) {
            const auto order = sandbox::receive<sandbox::ToKeeper>(job);
            if (!order || order->message.kind == sandbox::ToKeeper::Kind::close) return;
            if (order->message.kind == sandbox::ToKeeper::Kind::run) answer(job, order->message);
        }
    }
    void answer(const sys::Fd& job, const sandbox::ToKeeper& order) const {
        const End end = end_(order);
        auto out = sys::make_pipe().value(), errors = sys::make_pipe().value();
        (void)sys::write_all(out.second, end.output);
        sandbox::FromKeeper started{};
        started.kind = sandbox::FromKeeper::Kind::started;
        const int streams[] = {out.first.get(), errors.first.get()};
        if (order.guests == 0) (void)sandbox::send(job, started, streams);
        for (sys::Fd* const ours : {&out.second, &errors.second}) ours->reset();
        sandbox::FromKeeper finished{};
        finished.kind = sandbox::FromKeeper::Kind::finished;
        finished.started = 1;
        finished.cpu_exceeded = end.cpu_exceeded;
        finished.wall_exceeded = end.wall_exceeded;
        finished.signalled = end.cpu_exceeded || end.wall_exceeded;
        finished.code = finished.signalled != 0 ? 9 : 0;
        finished.trustworthy_timing = end.trustworthy;
        finished.wall_ms = end.wall_ms;
        finished.cpu_user_ms = end.wall_ms / 4;
        const sys::Fd report = sys::memory_file("report", bytes_of(end.report), true).value();
        const int kept[] = {report.get()};
        (void)sandbox::send(job, finished, std::span{kept}.first(end.report.empty() ? 0 : 1));
    }

    Answer end_;
    std::optional<sandbox::Client> client_;
    std::jthread helper_;
};

model::StagePlan stage_of(std::string name) {
    model::StagePlan stage;
    stage.name = std::move(name);
    stage.command = {"/bin/true"};
    return stage;
}
model::StagePlan tests_of(std::vector<std::string> names) {
    model::StagePlan stage = stage_of("tests");
    for (std::string& name : names) {
        model::TestPlan& test = stage.tests.emplace_back();
        test.name = std::move(name);
        test.command = {"/bin/true"};
        test.stdin_bytes = "in";
        test.stdout_bytes = "right\n";
    }
    return stage;
}

class Again : public testing::Test {
protected:
    // Commands end as `ends` says, in this order.
    Result<model::Report> evaluated(std::vector<model::StagePlan> stages, std::vector<End> ends) {
        std::size_t next = 0;
        ScriptedSandbox sandbox{[&](const sandbox::ToKeeper& order) {
            orders.push_back(order);
            return next < ends.size() ? ends[next++] : prints("one command too many");
        }};
        auto report = evaluated_in(sandbox, std::move(stages));
        EXPECT_EQ(next, ends.size());
        EXPECT_EQ(orders.size(), ends.size());
        return report;
    }
    Result<model::Report> evaluated_in(
        ScriptedSandbox& sandbox, std::vector<model::StagePlan> stages,
        const std::function<void(const Progress&)>& told = [](const auto&) {}) {
        const sys::Fd archive = sys::memory_file("archive", {}, true).value();
        Work work{.plan = {}, .submission = archive.get(), .revision = archive.get()};
        work.plan.stages = std::move(stages);
        return evaluate(sandbox.client(), floor, 0, work, stop, -1, told);
    }

    Floor floor;
    std::atomic<bool> stop{false};
    std::vector<sandbox::ToKeeper> orders;
};

TEST_F(Again, ATestThatTheMachineSlowedDownHasASecondTryAndBothAreKept) {
    const auto report = evaluated({stage_of("build"), tests_of({"adds", "loops"})},
                                  {prints(""), slowed(), prints("right\n"), prints("right\n")});
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->verdict, Verdict::passed);
    EXPECT_EQ(report->score, 2);
    const model::StageReport& stage = report->stages.at(1);
    const model::TestReport& test = stage.tests.at(0);
    EXPECT_EQ(test.verdict, Verdict::passed);
    EXPECT_EQ(test.usage.trustworthy_timing, true);
    EXPECT_EQ(test.got, "right\n");
    ASSERT_TRUE(test.first_try);
    EXPECT_EQ(test.first_try->verdict, Verdict::wall_limit);
    EXPECT_EQ(test.first_try->usage.wall_ms, 1000);
    EXPECT_EQ(test.first_try->usage.trustworthy_timing, false);
    EXPECT_FALSE(stage.tests.at(1).first_try);
    EXPECT_EQ(stage.usage.trustworthy_timing, true);
    EXPECT_EQ(stage.usage.wall_ms, 200);  // Of what counts.
    for (const auto& order : orders) EXPECT_EQ(order.again, 0u);  // Tests leave no state to be dropped.
}

// Once, whatever comes of it: pressure is the machine's, and a loop that never ends is the program's.
TEST_F(Again, ThereIsNoThirdTry) {
    const auto report = evaluated({stage_of("build"), tests_of({"adds"})}, {prints(""), slowed(), slowed()});
    ASSERT_TRUE(report) << report.error().text();
    const model::TestReport& test = report->stages.at(1).tests.at(0);
    EXPECT_EQ(test.verdict, Verdict::wall_limit);
    EXPECT_EQ(test.usage.trustworthy_timing, false);
    EXPECT_EQ(test.first_try->verdict, Verdict::wall_limit);
    EXPECT_EQ(report->stages[1].usage.trustworthy_timing, false);
}

TEST_F(Again, WhatEndedOtherwiseOrOnAQuietMachineStands) {
    End quiet = slowed(), unknown = slowed(), wrong = prints("wrong\n");
    quiet.trustworthy = 1;
    unknown.trustworthy = -1;
    wrong.trustworthy = 0;
    const auto report =
        evaluated({stage_of("build"), tests_of({"quiet", "unknown", "wrong"})}, {prints(""), quiet, unknown, wrong});
    ASSERT_TRUE(report) << report.error().text();
    const auto& tests = report->stages.at(1).tests;
    for (const model::TestReport& test : tests) EXPECT_FALSE(test.first_try) << test.name;
    EXPECT_EQ(tests.at(1).usage.trustworthy_timing, std::nullopt);
    EXPECT_EQ(tests.at(2).usage.trustworthy_timing, false);
    EXPECT_EQ(report->stages[1].usage.trustworthy_timing, false);
}

// A build is judged by the second try as well, and what the first one left is nowhere.
TEST_F(Again, AStageComesInPlaceOfItself) {
    End out_of_cpu = slowed();
    out_of_cpu.cpu_exceeded = true;
    const auto report = evaluated({stage_of("build"), stage_of("second"), tests_of({"adds"})},
                                  {out_of_cpu, prints("built"), prints(""), prints("right\n")});
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->verdict, Verdict::passed);
    EXPECT_EQ(report->stages.at(0).output, "built");
    EXPECT_EQ(report->stages[0].first_try->verdict, Verdict::time_limit);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        EXPECT_EQ(orders[i].again, i == 1 ? 1u : 0u) << i;
        EXPECT_EQ(orders[i].has_submission, i < 2 ? 1u : 0u) << i;
    }
}

TEST_F(Again, AGraderThatTheMachineSlowedDownIsNoFaultYet) {
    model::StagePlan score = stage_of("score");
    score.trusted = true;
    score.report = "results.json";
    score.report_format = model::ReportFormat::results;
    End graded = prints("");
    graded.report = R"({"score": 7, "tests": []})";
    const auto report = evaluated({stage_of("build"), score}, {prints(""), slowed(), graded});
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->stages.at(1).verdict, Verdict::passed);
    EXPECT_EQ(report->stages[1].first_try->verdict, Verdict::grader_fault);
    EXPECT_EQ(report->score, 7);
}

// The others must not stand still for long: what may run longer than that is left as it is, and staff can read why.
TEST_F(Again, WhatMayRunForTooLongIsNotRunAloneAndSaysSo) {
    model::StagePlan build = stage_of("build");
    build.required = false;
    build.limits.wall_ms = lone_credit_max.count() + 1;
    const auto report = evaluated({build, tests_of({"adds"})}, {slowed(), prints("right\n")});
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->stages.at(0).verdict, Verdict::wall_limit);
    EXPECT_FALSE(report->stages[0].first_try);
    ASSERT_EQ(report->stages[0].notes.size(), 1u);
    EXPECT_TRUE(report->stages[0].notes[0].contains("keep other commands waiting")) << report->stages[0].notes[0];
    const auto shown = model::for_participant(*report, true);
    EXPECT_TRUE(shown.stages[0].notes.empty());
}

// Two evaluations on one floor: the second try waits for the other's command, says so, and keeps its next one waiting.
TEST_F(Again, TheSecondTryIsAlone) {
    std::atomic<int> running{0};
    std::promise<void> other_runs, other_may_end, waits;
    std::mutex mutex;
    std::vector<std::string> events;
    ScriptedSandbox other{[&, first = true](const sandbox::ToKeeper&) mutable {
        ++running;
        if (std::exchange(first, false)) {
            other_runs.set_value();
            EXPECT_EQ(other_may_end.get_future().wait_for(patience), std::future_status::ready);
        }
        --running;
        return prints("right\n");
    }};
    ScriptedSandbox ours{[&, commands = 0](const sandbox::ToKeeper&) mutable {
        const int beside = ++running;
        ++commands;
        if (commands == 2) EXPECT_EQ(beside, 2);  // The first try, beside the other's.
        if (commands == 3) EXPECT_EQ(beside, 1);
        --running;
        return commands == 2 ? slowed() : prints("right\n");
    }};
    std::jthread beside{[&] {
        const auto report = evaluated_in(other, {stage_of("build"), tests_of({"one", "two", "three"})});
        EXPECT_TRUE(report && report->verdict == Verdict::passed);
    }};
    ASSERT_EQ(other_runs.get_future().wait_for(patience), std::future_status::ready);
    std::jthread helper{[&] {
        EXPECT_EQ(waits.get_future().wait_for(patience), std::future_status::ready);
        other_may_end.set_value();
    }};
    const auto report = evaluated_in(ours, {stage_of("build"), tests_of({"adds"})}, [&](const Progress& progress) {
        const std::lock_guard lock{mutex};
        events.push_back(progress.stage + "/" + progress.test + (progress.finished ? " finished" : "") +
                         (progress.reason ? " " + std::string{to_string(*progress.reason)} : ""));
        if (progress.reason && !progress.test.empty()) waits.set_value();
    });
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->verdict, Verdict::passed);
    EXPECT_TRUE(report->stages.at(1).tests.at(0).first_try);
    EXPECT_EQ(events,
              (std::vector<std::string>{"build/", "build/ finished", "tests/", "tests/adds", "tests/adds pressure",
                                        "tests/adds", "tests/adds finished", "tests/ finished"}));
}

TEST_F(Again, WhoWaitsForItsTurnCanBeStopped) {
    const auto in_the_way = floor.enter(sys::system_clock().now() + patience, stop, [] {});
    ASSERT_TRUE(in_the_way);
    ScriptedSandbox sandbox{[](const sandbox::ToKeeper&) { return slowed(); }};
    const auto report = evaluated_in(sandbox, {stage_of("build")}, [this](const Progress& progress) {
        if (progress.reason) stop = true;
    });
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().fault(), Fault::interrupted);
}

}  // namespace
}  // namespace assay::runner
