// A module's view as tests need it: one of everything, hostile texts included.
#pragma once

#include <string>

#include "queue/view.hh"

namespace assay::web::example {

constexpr std::int64_t now_ms = 1'795'000'000'000;  // 2026-11-18 11:06:40 UTC
inline const std::string hostile = "<script>alert('x')</script>\u202E\x1b[31m\"&";

inline model::TestReport test(std::string name, model::Verdict verdict, double score, double score_max) {
    model::TestReport made;
    made.name = std::move(name);
    made.verdict = verdict;
    made.score = score;
    made.score_max = score_max;
    made.exit_code = 0;
    made.usage = {.cpu_ms = 3.4, .wall_ms = 5, .memory_peak_bytes = 1'400'000, .processes_peak = 1};
    return made;
}

inline model::Report report() {
    model::Report made;
    made.verdict = model::Verdict::failed;
    made.score = 87;
    made.score_max = 100;
    model::StageReport build;
    build.name = "build";
    build.verdict = model::Verdict::passed;
    build.exit_code = 0;
    build.usage = {.cpu_ms = 812, .wall_ms = 1043, .memory_peak_bytes = 41'000'000, .processes_peak = 4};
    build.output = "cc -O2 -o calc calc.c\nmake: 警告：时钟错误\n" + hostile + "\n";
    build.errors = "calc.c:12:5: warning: unused variable 'x'\n";
    build.output_dropped_bytes = 4096;
    build.errors_dropped_bytes = 2048;
    model::StageReport tests;
    tests.name = "tests";
    tests.verdict = model::Verdict::failed;
    tests.score = 37;
    tests.score_max = 50;
    tests.usage = {.cpu_ms = 2310, .wall_ms = 2500, .memory_peak_bytes = 9'000'000, .processes_peak = 2};
    tests.tests.push_back(test("adds", model::Verdict::passed, 20, 20));
    tests.tests.push_back(test(hostile, model::Verdict::passed, 17, 17));
    auto wrong = test("precedence", model::Verdict::failed, 0, 8);
    wrong.input = "1 + 2 * 3\n";
    wrong.expected = "7\n";
    wrong.got = "9\n";
    wrong.difference = {.kind = model::DifferenceKind::character, .line = 1, .column = 1, .expected = "7", .got = "9"};
    tests.tests.push_back(wrong);
    auto slow = test("long-chain", model::Verdict::time_limit, 0, 5);
    slow.exit_code.reset();
    slow.signal = 9;
    slow.visibility = model::Visibility::hidden;
    slow.usage.cpu_ms = 1001;
    tests.tests.push_back(slow);
    model::StageReport score;
    score.name = "score";
    score.trusted = true;
    score.verdict = model::Verdict::passed;
    score.exit_code = 0;
    score.score = 50;
    score.score_max = 50;
    score.message = "Layout and comments: good.";
    made.stages = {build, tests, score};
    return made;
}

inline queue::SubmissionView submission(const std::string& id, model::State state, std::int64_t at_ms) {
    queue::SubmissionView made;
    made.submission.id = SubmissionId{id};
    made.submission.state = state;
    made.submission.size = 48'213;
    made.submission.last_byte_ms = at_ms;
    made.submission.receipt = "{}";
    made.revision_number = 2;
    return made;
}

inline queue::SubmissionView graded(const std::string& id, std::int64_t at_ms, model::Verdict verdict, double score) {
    auto made = submission(id, model::State::graded, at_ms);
    made.verdict = verdict;
    made.score = score;
    made.score_max = 100;
    made.report = report();
    return made;
}

inline queue::ModuleView module_view() {
    queue::ModuleView made;
    made.course = {.id = CourseId{"ICS2026"}, .title = "Computer systems", .timezone = "Asia/Shanghai", .language = "zh", .contact = "ta@example.edu"};
    made.module.course = made.course.id;
    made.module.id = ModuleId{"PA1"};
    made.module.title = "An expression evaluator";
    made.plan.title = made.module.title;
    made.plan.due_ms = now_ms + 86'400'000;
    made.plan.submissions_max = 40;
    made.participant.course = made.course.id;
    made.participant.id = ParticipantId{"s2026001"};
    made.participant.name = "薄荷 " + hostile;
    made.revision_number = 2;

    auto waits = submission("Waits00000000001", model::State::queued, now_ms);
    waits.waiting = queue::Waiting{.reason = model::Reason::slot, .since_ms = now_ms,
                                   .detail = model::WaitDetail{.kind = model::WaitDetailKind::slots_busy, .number = 2, .of = 2}, .position = 3};
    auto counts = graded("Counts0000000001", now_ms - 600'000, model::Verdict::failed, 87);
    counts.counts = true;
    auto replaced = submission("Replaced00000001", model::State::superseded, now_ms - 1'200'000);
    replaced.submission.superseded_by = counts.submission.id;
    auto old = graded("Old0000000000001", now_ms - 90'000'000, model::Verdict::build_failed, 0);
    old.revision_number = 1;
    old.newer_revision = 2;
    old.late = true;
    auto fault = graded("Fault00000000001", now_ms - 95'000'000, model::Verdict::system_fault, 0);
    fault.score.reset();
    fault.score_max.reset();
    made.submissions = {waits, counts, replaced, old, fault};
    return made;
}

}  // namespace assay::web::example
