#include "queue/policy.hh"

#include <gtest/gtest.h>


namespace assay::queue {
namespace {

using model::Reason;
using model::State;
using model::Verdict;

constexpr std::int64_t minute = 60'000;

store::Submission handed_in(const char* id, State state, std::int64_t at_ms, const char* sha256 = "a") {
    store::Submission s;
    s.id = SubmissionId{id};
    s.state = state;
    s.sha256 = sha256;
    s.revision = RevisionId{1};
    s.first_byte_ms = s.last_byte_ms = at_ms;
    return s;
}
Arrival arrival(std::int64_t at_ms, const char* sha256 = "a", std::int64_t revision = 1) { return {sha256, RevisionId{revision}, {at_ms, at_ms, false}}; }

TEST(Arrival, RepeatRules) {
    struct Case {
        const char* why;
        Arrival arrival;
        State newest;
        std::optional<Verdict> verdict;
        bool repeat;
    };
    const std::vector<Case> cases{
        {"same bytes, still waiting", arrival(5 * minute), State::queued, {}, true},
        {"same bytes, running", arrival(5 * minute), State::running, {}, true},
        {"graded with any result of his", arrival(5 * minute), State::graded, Verdict::failed, true},
        {"graded with our fault: he may try again", arrival(5 * minute), State::graded, Verdict::system_fault, false},
        {"graded with the grader's fault", arrival(5 * minute), State::graded, Verdict::grader_fault, false},
        {"held", arrival(5 * minute), State::held, {}, false},
        {"cancelled", arrival(5 * minute), State::cancelled, {}, false},
        {"superseded", arrival(5 * minute), State::superseded, {}, false},
        {"exactly ten minutes", arrival(10 * minute), State::queued, {}, true},
        {"more than ten minutes", arrival(10 * minute + 1), State::queued, {}, false},
        {"last byte before the newest one's", arrival(-1 * minute), State::queued, {}, true},
        {"other bytes", arrival(5 * minute, "b"), State::queued, {}, false},
        {"newer revision", arrival(5 * minute, "a", 2), State::queued, {}, false},
    };
    for (const Case& c : cases) {
        const std::vector earlier{handed_in("newest", c.newest, 0)};
        const auto decision = decide_arrival(c.arrival, earlier, c.verdict, 1, {}, {});
        EXPECT_EQ(decision.kind == ArrivalDecision::Kind::repeat, c.repeat) << c.why;
        EXPECT_EQ(decision.repeated.has_value(), c.repeat) << c.why;
    }
}

// Between the two there was something else: handing in the first one again is an act, not a retry.
TEST(Arrival, OnlyTheNewestCanBeRepeated) {
    const std::vector earlier{handed_in("newest", State::graded, 100, "b"), handed_in("older", State::graded, 50, "a")};
    EXPECT_EQ(decide_arrival(arrival(200, "a"), earlier, Verdict::failed, 2, {}, {}).kind, ArrivalDecision::Kind::fresh);
}

TEST(Arrival, ReplacementRules) {
    struct Case {
        const char* why;
        State older;
        std::int64_t older_ms;
        std::int64_t now_ms;
        bool supersede;
        model::Counts counts;
        bool replaces;
    };
    constexpr std::int64_t due = 1000;
    const std::vector<Case> cases{
        {"queued gives way", State::queued, 10, 20, true, model::Counts::last, true},
        {"last_on_time as well", State::queued, 10, 20, true, model::Counts::last_on_time, true},
        {"switched off", State::queued, 10, 20, false, model::Counts::last, false},
        {"best keeps all", State::queued, 10, 20, true, model::Counts::best, false},
        {"never a running one", State::running, 10, 20, true, model::Counts::last, false},
        {"never a held one", State::held, 10, 20, true, model::Counts::last, false},
        {"never a graded one", State::graded, 10, 20, true, model::Counts::last, false},
        {"late does not push out on time", State::queued, due, due + 1, true, model::Counts::last, false},
        {"on time does not push out late", State::queued, due + 1, due, true, model::Counts::last, false},
        {"both late", State::queued, due + 1, due + 2, true, model::Counts::last, true},
    };
    for (const Case& c : cases) {
        model::Plan plan;
        plan.due_ms = due;
        plan.supersede = c.supersede;
        plan.counts = c.counts;
        const std::vector earlier{handed_in("older", c.older, c.older_ms, "other")};
        const auto decision = decide_arrival(arrival(c.now_ms), earlier, {}, 1, plan, grade::dates_of(plan, {}));
        EXPECT_EQ(decision.replaces, c.replaces ? std::optional{SubmissionId{"older"}} : std::nullopt) << c.why;
    }
}

TEST(Arrival, BeyondTheMaximumItIsHeldAndPushesNothingOut) {
    model::Plan plan;
    plan.submissions_max = 2;
    const std::vector queued{handed_in("older", State::queued, 1, "other")};
    const std::vector graded{handed_in("older", State::graded, 1, "other")};
    EXPECT_FALSE(decide_arrival(arrival(2), graded, Verdict::failed, 1, plan, grade::dates_of(plan, {})).held);
    EXPECT_TRUE(decide_arrival(arrival(2), graded, Verdict::failed, 2, plan, grade::dates_of(plan, {})).held);
    // What is replaced counts no longer, so the newer one takes its number as well as its place.
    const auto replacing = decide_arrival(arrival(2), queued, {}, 2, plan, grade::dates_of(plan, {}));
    EXPECT_FALSE(replacing.held);
    EXPECT_TRUE(replacing.replaces);
    const auto beyond = decide_arrival(arrival(2), queued, {}, 3, plan, grade::dates_of(plan, {}));
    EXPECT_TRUE(beyond.held);
    EXPECT_FALSE(beyond.replaces);
}

// What cost less, or was in time for the one but not for the other, stays in line.
TEST(Arrival, ReplacesNothingAcrossABoundaryOfLateness) {
    constexpr std::int64_t due = 1000 * minute, hour = 60 * minute, day = 24 * hour;
    model::Plan plan;
    plan.due_ms = due;
    plan.closes_ms = due + 30 * day;
    plan.late = model::Late{.grace_ms = hour, .per_day = 0.1, .cap = 0.25};
    const auto replaces = [&](std::int64_t older_ms, std::int64_t now_ms, std::optional<std::int64_t> until = {}) {
        const std::vector earlier{handed_in("older", State::queued, older_ms, "other")};
        return decide_arrival(arrival(now_ms), earlier, {}, 1, plan, grade::dates_of(plan, until)).replaces.has_value();
    };
    EXPECT_TRUE(replaces(due - 1, due));
    EXPECT_FALSE(replaces(due, due + 1)) << "though the grace costs nothing";
    EXPECT_TRUE(replaces(due + 1, due + hour));
    EXPECT_FALSE(replaces(due + hour, due + hour + 1));
    EXPECT_TRUE(replaces(due + hour + 1, due + day));
    EXPECT_FALSE(replaces(due + day, due + day + 1));
    EXPECT_TRUE(replaces(due + 3 * day, due + 9 * day)) << "more than the cap is never taken";
    EXPECT_TRUE(replaces(due, due + 1, due + day)) << "his due is later";
    EXPECT_FALSE(replaces(due + day, due + day + 1, due + day));
}

TEST(Arrival, WhenAModuleIsOpen) {
    model::Plan plan;
    EXPECT_EQ(closed_at(plan, 0), std::nullopt);
    plan.opens_ms = 100;
    plan.due_ms = 200;
    EXPECT_EQ(closed_at(plan, 99), model::Refusal::not_open);
    EXPECT_EQ(closed_at(plan, 100), std::nullopt);
    EXPECT_EQ(closed_at(plan, 200), std::nullopt);
    EXPECT_EQ(closed_at(plan, 201), model::Refusal::closed);  // closes defaults to due
    plan.closes_ms = 300;
    EXPECT_EQ(closed_at(plan, 300), std::nullopt);
    EXPECT_EQ(closed_at(plan, 301), model::Refusal::closed);
    EXPECT_EQ(closed_at(grade::dates_of(plan, 400), 400), std::nullopt);
    EXPECT_EQ(closed_at(grade::dates_of(plan, 400), 401), model::Refusal::closed);
    EXPECT_EQ(closed_at(grade::dates_of(plan, 250), 300), std::nullopt);  // An extension takes nothing away.
    EXPECT_EQ(closed_at(grade::dates_of(plan, 400), 99), model::Refusal::not_open);
}

// --- Choice

struct Line {
    std::vector<store::QueuedJob> waiting;
    std::vector<store::QueuedJob> running;
    std::vector<store::Standing> paused;
    int slots = 2;
    std::int64_t now_ms = 10'000'000;
    bool draining = false;
    std::optional<model::WaitDetail> disk_reserve;
    std::optional<model::WaitDetail> pressure;

    static store::QueuedJob job(std::int64_t id, const char* who, std::int64_t cuts = 0) {
        store::QueuedJob queued;
        queued.job.id = JobId{id};
        queued.job.cuts_in_a_row = cuts;
        queued.course = CourseId{"C"};
        queued.participant = ParticipantId{who};
        queued.received_ms = id;
        return queued;
    }
    Situation situation() const { return {waiting, running, paused, slots, now_ms, 10'000'000, draining, {}, disk_reserve, pressure, nullptr, 0, {}, {}}; }
    // With what jobs take of the machine.
    Situation situation(const std::map<RevisionId, Needs>& needs, std::int64_t memory_bytes_max, std::optional<std::int64_t> scratch_room_bytes) const {
        Situation s = situation();
        s.needs = &needs;
        s.memory_bytes_max = memory_bytes_max;
        s.scratch_room_bytes = scratch_room_bytes;
        return s;
    }
    static store::QueuedJob of_revision(std::int64_t revision, std::int64_t id, const char* who) {
        store::QueuedJob queued = job(id, who);
        queued.revision = RevisionId{revision};
        return queued;
    }
    std::int64_t chosen() const { return choose(situation()).value_or(JobId{0}).value; }
};

TEST(Choice, NothingWhileTheDiskIsShort) {
    Line line;
    line.waiting = {Line::job(1, "a")};
    line.disk_reserve = model::WaitDetail{.kind = model::WaitDetailKind::disk_low};
    EXPECT_EQ(line.chosen(), 0);
}

TEST(Choice, NothingWhileTheMachineIsUnderPressure) {
    Line line;
    line.waiting = {Line::job(1, "a")};
    line.pressure = model::WaitDetail{.kind = model::WaitDetailKind::memory_short};
    EXPECT_EQ(line.chosen(), 0);
    line.pressure.reset();
    EXPECT_EQ(line.chosen(), 1);
}

// The sum of what running jobs may take is never more than jobs may have together; what is larger by itself runs by itself.
TEST(Choice, NoMoreMemoryIsPromisedThanThereIs) {
    const std::map<RevisionId, Needs> needs{{RevisionId{1}, {300, 0}}, {RevisionId{2}, {600, 0}}, {RevisionId{3}, {5000, 0}}};
    Line line;
    line.slots = 4;
    const auto of = [](std::int64_t id, const char* who, std::int64_t revision) { return Line::of_revision(revision, id, who); };
    const auto situation = [&] { return line.situation(needs, 1000, {}); };
    line.waiting = {of(1, "a", 2), of(2, "b", 1)};
    line.running = {of(9, "z", 1)};
    EXPECT_EQ(choose(situation()), JobId{1});
    line.running.push_back(of(8, "y", 1));
    EXPECT_EQ(choose(situation()), std::nullopt) << "nobody overtakes what waits for room, or it would for ever";
    const auto why = explain(situation(), JobId{1});
    EXPECT_EQ(why->reason, model::Reason::pressure);
    EXPECT_EQ(why->detail, (model::WaitDetail{.kind = model::WaitDetailKind::memory_promised, .number = 600, .of = 1000}));
    EXPECT_EQ(explain(situation(), JobId{2})->reason, model::Reason::slot);
    line.waiting = {of(3, "c", 3)};
    EXPECT_EQ(choose(situation()), std::nullopt);
    line.running.clear();
    EXPECT_EQ(choose(situation()), JobId{3}) << "alone";
    line.waiting = {of(4, "d", 7)};
    line.running = {of(9, "z", 3)};
    EXPECT_EQ(choose(situation()), std::nullopt) << "what is promised to one that ran alone leaves nothing";
}

// Room on the disk comes when those that hold it end, or when staff make some: nobody who needs none waits for that.
TEST(Choice, WhoFindsNoRoomOnTheDiskLetsOthersGoFirst) {
    const std::map<RevisionId, Needs> needs{{RevisionId{1}, {0, 300}}, {RevisionId{2}, {0, 700}}, {RevisionId{3}, {0, 100}}};
    std::optional<std::int64_t> room = 1000;
    Line line;
    line.slots = 4;
    const auto of = [](std::int64_t id, const char* who, std::int64_t revision) { return Line::of_revision(revision, id, who); };
    const auto situation = [&] { return line.situation(needs, 0, room); };
    line.waiting = {of(1, "a", 2), of(2, "b", 3), of(3, "c", 9)};
    EXPECT_EQ(choose(situation()), JobId{1});
    line.running = {of(9, "z", 1)};
    EXPECT_EQ(choose(situation()), JobId{1}) << "both fit";
    line.running.push_back(of(8, "y", 3));
    EXPECT_EQ(choose(situation()), JobId{3}) << "of those that need such room none overtakes it, or it would wait for ever";
    const auto why = explain(situation(), JobId{1});
    EXPECT_EQ(why->reason, model::Reason::disk_reserve);
    EXPECT_EQ(why->detail, (model::WaitDetail{.kind = model::WaitDetailKind::scratch_short, .number = 1000, .of = 1100}));
    EXPECT_EQ(explain(situation(), JobId{3})->reason, model::Reason::slot);
    line.running.clear();
    room = 400;
    EXPECT_EQ(choose(situation()), JobId{2}) << "nobody holds what it waits for";
    EXPECT_EQ(explain(situation(), JobId{1})->detail->of, 700);
    room = 50;
    EXPECT_EQ(choose(situation()), JobId{3});
    room.reset();
    EXPECT_EQ(choose(situation()), JobId{1}) << "nobody looks";
}

TEST(Choice, OldestFirstAndOneAtATimePerParticipant) {
    Line line;
    line.waiting = {Line::job(1, "a"), Line::job(2, "a"), Line::job(3, "b")};
    EXPECT_EQ(line.chosen(), 1);
    line.running = {Line::job(9, "a")};
    EXPECT_EQ(line.chosen(), 3);
    line.running.push_back(Line::job(8, "z"));
    EXPECT_EQ(line.chosen(), 0);  // both slots are busy
}

TEST(Choice, TheSameNameInAnotherCourseIsSomebodyElse) {
    Line line;
    line.waiting = {Line::job(1, "a")};
    line.running = {Line::job(9, "a")};
    line.running.front().course = CourseId{"other"};
    EXPECT_EQ(line.chosen(), 1);
}

TEST(Choice, NothingStartsWhileDrainingOrWithoutSlots) {
    Line line;
    line.waiting = {Line::job(1, "a")};
    line.draining = true;
    EXPECT_EQ(line.chosen(), 0);
    line.draining = false;
    line.slots = 0;
    EXPECT_EQ(line.chosen(), 0);
}

TEST(Choice, CutsBackOffFromTheStartOfTheServer) {
    const std::vector<std::pair<std::int64_t, std::int64_t>> table{{0, 0},       {3, 0},       {4, 1000},    {5, 2000},
                                                                   {8, 16'000},  {9, 30'000},  {20, 30'000}, {1'000'000, 30'000}};
    for (const auto& [cuts, wait] : table) EXPECT_EQ(cut_backoff_ms(cuts), wait) << cuts;

    Line line;
    line.waiting = {Line::job(1, "a", 5), Line::job(2, "b")};
    EXPECT_EQ(line.chosen(), 2);
    EXPECT_EQ(next_wake_ms(line.situation()), 10'002'000);
    line.now_ms += 2000;
    EXPECT_EQ(line.chosen(), 1);
    EXPECT_EQ(next_wake_ms(line.situation()), std::nullopt);
}

TEST(Choice, WhatWasCutTwentyTimesRunsAloneAndIsNotOvertaken) {
    Line line;
    line.now_ms += 60'000;
    line.waiting = {Line::job(1, "a", cuts_alone), Line::job(2, "b")};
    line.running = {Line::job(9, "c")};
    EXPECT_EQ(line.chosen(), 0);
    line.running.clear();
    EXPECT_EQ(line.chosen(), 1);
    line.running = {line.waiting.front()};
    line.waiting.erase(line.waiting.begin());
    EXPECT_EQ(line.chosen(), 0);
}

TEST(Choice, NothingOfAPausedModuleStarts) {
    Line line;
    line.waiting = {Line::job(1, "a", 5), Line::job(2, "b"), Line::job(3, "c")};
    line.waiting[2].module = ModuleId{"open"};
    line.paused = {{.course = CourseId{"C"}, .paused = Reason::module_paused, .paused_since_ms = 50}};
    EXPECT_EQ(line.chosen(), 3);
    EXPECT_EQ(next_wake_ms(line.situation()), std::nullopt);  // It would not start then either.
    line.paused[0].course = CourseId{"other"};
    EXPECT_EQ(line.chosen(), 2);
    EXPECT_TRUE(next_wake_ms(line.situation()));
}

// Two revisions of a module side by side: the older one's image was removed.
TEST(Choice, AMissingImageStopsThoseAloneThatRunInIt) {
    Line line;
    line.waiting = {Line::job(1, "a"), Line::job(2, "b")};
    line.waiting[0].revision = RevisionId{1};
    line.waiting[1].revision = RevisionId{2};
    line.paused = {{.course = CourseId{"C"}, .paused = Reason::image, .paused_since_ms = 50, .revision = RevisionId{1}}};
    EXPECT_EQ(line.chosen(), 2);
    const auto waiting = explain(line.situation(), JobId{1});
    EXPECT_EQ(waiting->reason, Reason::image);
    EXPECT_EQ(waiting->since_ms, 50);
    EXPECT_EQ(explain(line.situation(), JobId{2})->reason, Reason::slot);
}

// --- Explanation

TEST(Explanation, EveryWaitHasItsReasonAndEvidence) {
    using enum model::WaitDetailKind;
    const auto reason = [](const Line& line, std::int64_t id) { return explain(line.situation(), JobId{id})->reason; };
    Line line;
    line.waiting = {Line::job(1, "a"), Line::job(2, "b")};
    line.running = {Line::job(8, "c"), Line::job(9, "a")};
    EXPECT_EQ(reason(line, 1), Reason::fair_share);
    EXPECT_EQ(reason(line, 2), Reason::slot);
    const auto detail = [](const Line& l, std::int64_t id) { return explain(l.situation(), JobId{id})->detail; };
    EXPECT_EQ(detail(line, 1)->kind, own_running);
    EXPECT_EQ(detail(line, 2), (model::WaitDetail{.kind = slots_busy, .number = 2, .of = 2}));
    EXPECT_EQ(explain(line.situation(), JobId{2})->position, 2);
    EXPECT_EQ(explain(line.situation(), JobId{2})->since_ms, 2);
    EXPECT_EQ(explain(line.situation(), JobId{7}), std::nullopt);

    line.waiting[1].job.reason = Reason::retry;
    line.waiting[1].job.reason_details = "read(/var/lib/x): the disk is gone";
    line.waiting[1].job.reason_since_ms = 77;
    EXPECT_EQ(reason(line, 2), Reason::retry);
    EXPECT_EQ(explain(line.situation(), JobId{2})->since_ms, 77);
    EXPECT_EQ(detail(line, 2), (model::WaitDetail{.kind = fault, .text = "… the disk is gone"}));
    line.waiting[1].job.reason = Reason::runner_lost;
    line.waiting[1].job.reason_details = to_string(no_heartbeat);
    EXPECT_EQ(detail(line, 2), (model::WaitDetail{.kind = no_heartbeat}));
    line.waiting[1] = Line::job(2, "b", 6);
    EXPECT_EQ(reason(line, 2), Reason::retry);
    EXPECT_EQ(detail(line, 2), (model::WaitDetail{.kind = cut_backoff, .number = 4000}));
    line.now_ms += 60'000;
    line.waiting[1] = Line::job(2, "b", cuts_alone);
    EXPECT_EQ(detail(line, 2)->kind, cut_alone);
    line.waiting[1] = Line::job(2, "b");
    line.running.pop_back();
    EXPECT_EQ(detail(line, 1)->kind, about_to_start);
    EXPECT_EQ(detail(line, 2)->kind, others_first);
    line.running = {Line::job(8, "c", cuts_alone)};
    EXPECT_EQ(detail(line, 2)->kind, lone_job);

    line.pressure = model::WaitDetail{.kind = memory_short, .number = 20, .of = 100};
    EXPECT_EQ(reason(line, 2), Reason::pressure);
    EXPECT_EQ(detail(line, 2), line.pressure);
    line.disk_reserve = model::WaitDetail{.kind = disk_low, .number = 20, .of = 100};
    EXPECT_EQ(reason(line, 2), Reason::disk_reserve);
    EXPECT_EQ(detail(line, 2), line.disk_reserve);
    line.slots = 0;
    EXPECT_EQ(reason(line, 1), Reason::no_runner);
    EXPECT_EQ(detail(line, 1)->kind, none_connected);
    line.paused = {{.course = CourseId{"C"}, .paused = Reason::grader_broken, .paused_since_ms = 50}};
    EXPECT_EQ(reason(line, 1), Reason::grader_broken);
    EXPECT_EQ(explain(line.situation(), JobId{1})->since_ms, 50);  // It came before.
    line.draining = true;
    EXPECT_EQ(reason(line, 1), Reason::drain);
    EXPECT_FALSE(detail(line, 1));
}

// --- What a verdict brings about

TEST(Standing, FiveFaultsInARowOfSeveralParticipantsPauseTheModule) {
    static constexpr RevisionId current{7};
    struct Step {
        const char* who;
        Verdict verdict;
        RevisionId revision = current;
    };
    const auto fault = [](const char* who) { return Step{who, Verdict::grader_fault}; };
    struct Case {
        const char* why;
        std::vector<Step> steps;
        bool broken;
    };
    const std::vector<Case> cases{
        {"five of two", {fault("a"), fault("a"), fault("b"), fault("a"), {"a", Verdict::system_fault}}, true},
        {"four", {fault("a"), fault("b"), fault("c"), fault("d")}, false},
        {"all of one", {fault("a"), fault("a"), fault("a"), fault("a"), fault("a"), fault("a")}, false},
        {"then of another", {fault("a"), fault("a"), fault("a"), fault("a"), fault("a"), fault("b")}, true},
        {"one went well between", {fault("a"), fault("b"), fault("a"), {"c", Verdict::failed}, fault("b"), fault("a")}, false},
        {"the other was before that", {fault("b"), {"c", Verdict::passed}, fault("a"), fault("a"), fault("a"), fault("a"), fault("a")}, false},
        {"an older revision's say nothing", {fault("a"), fault("b"), fault("a"), fault("b"), {"a", Verdict::grader_fault, RevisionId{6}}}, false},
        {"nor does its success", {fault("a"), fault("b"), fault("a"), fault("b"), {"a", Verdict::passed, RevisionId{6}}, fault("a")}, true},
    };
    for (const Case& c : cases) {
        store::Standing standing;
        for (const Step& step : c.steps) standing = standing_after(standing, {ParticipantId{step.who}, step.revision, step.verdict}, current, 99);
        EXPECT_EQ(standing.paused == Reason::grader_broken, c.broken) << c.why;
        EXPECT_EQ(standing.paused_since_ms, c.broken ? 99 : 0) << c.why;
    }
}

TEST(Standing, ANewRevisionBeginsAnewAndStaffsPauseStays) {
    const store::Standing broken{{}, {}, Reason::grader_broken, 50, RevisionId{6}, 5, ParticipantId{"a"}, true};
    const Judged fault{ParticipantId{"b"}, RevisionId{7}, Verdict::grader_fault};
    const auto anew = standing_after(broken, fault, RevisionId{7}, 99);
    EXPECT_FALSE(anew.paused);
    EXPECT_EQ(anew.faults_in_a_row, 1);
    EXPECT_FALSE(anew.faults_of_several);
    auto by_staff = broken;
    by_staff.paused = Reason::module_paused;
    EXPECT_EQ(standing_after(by_staff, fault, RevisionId{7}, 99).paused, Reason::module_paused);
    by_staff.revision = RevisionId{7};
    EXPECT_EQ(standing_after(by_staff, fault, RevisionId{7}, 99).paused_since_ms, 50);
}

TEST(Standing, AFaultNeverTakesAnEarlierResultAway) {
    EXPECT_TRUE(takes_the_place(Verdict::failed, Verdict::passed));
    EXPECT_TRUE(takes_the_place(Verdict::passed, Verdict::system_fault));
    EXPECT_TRUE(takes_the_place(Verdict::grader_fault, Verdict::system_fault));
    EXPECT_FALSE(takes_the_place(Verdict::system_fault, Verdict::failed));
    EXPECT_FALSE(takes_the_place(Verdict::grader_fault, Verdict::passed));
}

}  // namespace
}  // namespace assay::queue
