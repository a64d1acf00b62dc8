// What a graded submission is worth when it is shown, and what of it is: against a real store.
#include "queue/view.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/line_fixture.hh"
#include "queue/staff.hh"

namespace assay::queue {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

class ViewTest : public LineTest {
protected:
    static model::Plan plan() {
        model::Plan made;
        made.title = "Module";
        model::StagePlan& stage = made.stages.emplace_back();
        stage.name = "tests";
        const std::pair<const char*, model::Visibility> tests[] = {
            {"open", model::Visibility::visible}, {"later", model::Visibility::after_due}, {"never", model::Visibility::hidden}};
        for (const auto& [name, visibility] : tests) {
            model::TestPlan& test = stage.tests.emplace_back();
            test.name = name;
            test.command = {"./calc"};
            test.points = 10;
            test.visibility = visibility;
        }
        return made;
    }

    void revise(const model::Plan& plan) {
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto module, tx.module(CourseId{"C"}, ModuleId{"M"}));
            ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, ++number_, std::string(64, 'd'), model::to_json(plan), 1}));
            return tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, id});
        });
    }

    // Participant p0's, handed in at `at_ms`, run on `plan`: the first two tests passed, the third did not.
    void graded(int number, std::int64_t at_ms, const model::Plan& plan) {
        model::Report report;
        model::StageReport& stage = report.stages.emplace_back();
        stage.name = "tests";
        for (const model::TestPlan& test : plan.stages[0].tests) {
            const bool passed = test.name != "never";
            model::TestReport& made = stage.tests.emplace_back();
            made.name = test.name;
            made.verdict = passed ? model::Verdict::passed : model::Verdict::failed;
            made.score = passed ? test.points : 0;
            made.score_max = test.points;
            made.visibility = test.visibility;
            made.input = made.expected = made.got = made.errors = made.message = "secret of " + test.name;
            made.fault = "for staff";
            made.difference = model::Difference{.expected = "secret of " + test.name};
        }
        stage.verdict = model::Verdict::failed;
        stage.message = "secret of message";
        stage.message_visibility = model::Visibility::after_due;
        stage.notes = {"for staff"};
        report.verdict = model::Verdict::failed;
        report.score = 20;
        report.score_max = 30;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto module, tx.module(CourseId{"C"}, ModuleId{"M"}));
            store::Submission s;
            s.id = id_of(number);
            s.course = CourseId{"C"};
            s.module = ModuleId{"M"};
            s.participant = ParticipantId{"p0"};
            s.revision = module->revision;
            s.sha256 = std::string(64, 'a');
            s.first_byte_ms = s.last_byte_ms = at_ms;
            s.state = State::graded;
            ASSAY_CHECK(tx.add_submission(s));
            return tx.add_verdict({.submission = s.id, .verdict = report.verdict, .score = 20, .score_max = 30, .report = model::to_json(report)});
        });
    }
    SubmissionView view(int number) {
        return *read([&](Reading& r) { return view_submission(r, board_, id_of(number), now_ms_); });
    }
    std::string json(int number) {
        return to_json(view(number), "UTC", "", [](const Waiting&) { return WaitText{}; });
    }
    void extend(std::int64_t until_ms) {
        write([&](Tx& tx) { return tx.put_extension(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p0"}, until_ms); });
    }

    std::int64_t number_ = 1;
};

// The commitment was kept, so its time counts, under whatever dates and grace the module has now.
TEST_F(ViewTest, AKeptCommitmentIsTheTimeThatCounts) {
    model::Plan with_due = plan();
    with_due.due_ms = with_due.closes_ms = 10 * day_ms;
    with_due.upload_grace_ms = 0;
    revise(with_due);
    write([&](Tx& tx) -> Result<> {
        ASSAY_TRY(const auto module, tx.module(CourseId{"C"}, ModuleId{"M"}));
        store::Submission s;
        s.id = id_of(1);
        s.course = CourseId{"C"};
        s.module = ModuleId{"M"};
        s.participant = ParticipantId{"p0"};
        s.revision = module->revision;
        s.sha256 = std::string(64, 'a');
        s.state = State::held;
        s.first_byte_ms = s.last_byte_ms = 10 * day_ms + 5;
        s.committed_ms = 10 * day_ms - 5;
        return tx.add_submission(s);
    });
    EXPECT_FALSE(view(1).late);
    EXPECT_EQ(view(1).handed_in_ms, 10 * day_ms - 5);
    EXPECT_THAT(json(1), ::testing::AllOf(::testing::HasSubstr("\"received_at\":\"1970-01-11T00:00:00.005"),
                                          ::testing::HasSubstr("\"committed_at\":\"1970-01-10T23:59:59.995"),
                                          ::testing::HasSubstr("\"handed_in_at\":\"1970-01-10T23:59:59.995")));
    with_due.due_ms = with_due.closes_ms = 10 * day_ms - 6;
    revise(with_due);
    EXPECT_TRUE(view(1).late);
}

TEST_F(ViewTest, LatenessIsTakenWhenAScoreIsShown) {
    model::Plan with_due = plan();
    with_due.due_ms = 10 * day_ms;
    with_due.closes_ms = 20 * day_ms;
    with_due.late = model::Late{.grace_ms = 0, .per_day = 0.1, .cap = 0.5};
    revise(with_due);
    graded(1, 10 * day_ms, with_due);
    graded(2, 12 * day_ms, with_due);
    EXPECT_EQ(view(1).score, 20);
    EXPECT_EQ(view(1).score_before_penalty, std::nullopt);
    EXPECT_EQ(view(2).score, 14);  // Two days of a tenth of 30.
    EXPECT_EQ(view(2).penalty, 6);
    EXPECT_TRUE(view(2).counts);
    EXPECT_NE(json(2).find(R"("late":true,"penalty":6.0,"score_before_penalty":20.0)"), std::string::npos) << json(2);
    EXPECT_EQ(json(1).find("late"), json(1).find("later"));

    with_due.counts = model::Counts::best;
    with_due.late->per_day = 0.2;
    revise(with_due);
    EXPECT_EQ(view(2).score, 8) << "the policy of now";
    EXPECT_EQ(view(2).newer_revision, std::nullopt) << "another run would be no other run";
    EXPECT_TRUE(view(1).counts);
    EXPECT_FALSE(view(2).counts);

    with_due.counts = model::Counts::last_on_time;
    revise(with_due);
    EXPECT_TRUE(view(1).counts);
    extend(12 * day_ms);
    EXPECT_EQ(view(2).score, 20);
    EXPECT_FALSE(view(2).late);
    EXPECT_TRUE(view(2).counts) << "in time for him";
}

TEST_F(ViewTest, PointsOfANewerRevisionNeedNoRun) {
    const model::Plan run = plan();
    revise(run);
    graded(1, 5, run);
    model::Plan generous = run;
    generous.stages[0].tests[1].points = 50;
    revise(generous);
    EXPECT_EQ(view(1).score, 60);
    EXPECT_EQ(view(1).score_max, 70);
    EXPECT_EQ(view(1).report->stages[0].tests[1].score, 50);
    EXPECT_EQ(view(1).newer_revision, std::nullopt);
    model::Plan other = generous;
    other.stages[0].tests[0].command = {"./other"};
    revise(other);
    EXPECT_EQ(view(1).score, 60);
    EXPECT_EQ(view(1).newer_revision, 4);
    EXPECT_NE(json(1).find(R"("newer_revision":4)"), std::string::npos);
}

// A rejudge is seen at every step of it, and no more than a participant may see; the verdict that is there stays.
TEST_F(ViewTest, ARejudgeIsShownBesideTheVerdictThatStays) {
    submit(1, 0);
    ASSERT_TRUE(finish_it(grant_one(1)->token));
    EXPECT_FALSE(view(1).rejudge);
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(rejudge(tx, id_of(1)));
        return ok;
    });
    SubmissionView seen = view(1);
    ASSERT_TRUE(seen.rejudge && seen.rejudge->waiting);
    EXPECT_EQ(seen.rejudge->generation, 2);
    EXPECT_EQ(seen.rejudge->waiting->position, 1);
    EXPECT_EQ(in_line(seen)->position, 1);
    EXPECT_TRUE(seen.verdict);

    const auto job = read([](Reading& r) { return r.newest_job(id_of(1)); });
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(hold(tx, id_of(1), now_ms_));
        return ok;
    });
    EXPECT_EQ(view(1).rejudge->waiting->reason, model::Reason::held_by_staff);
    EXPECT_EQ(in_line(view(1)), nullptr);
    EXPECT_EQ(read([](Reading& r) { return r.held_rejudges(10); }).at(0).job.id, job->id);
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(release(tx, id_of(1)));
        return ok;
    });

    const auto lease = grant_one(1);
    ASSERT_TRUE(lease);
    board_.progress().begin(lease->token, 3);
    model::Report partly;
    partly.stages.emplace_back().name = "tests";
    partly.stages.back().trusted = true;
    partly.stages.back().output = "for staff";
    board_.progress().note(lease->token, "tests", "", partly);
    seen = view(1);
    ASSERT_TRUE(seen.rejudge && seen.rejudge->progress);
    EXPECT_EQ(seen.rejudge->state, State::running);
    EXPECT_EQ(seen.rejudge->progress->tests_all, 3);
    EXPECT_NE(json(1).find(R"("rejudge":{"generation":2,"state":"running")"), std::string::npos);
    EXPECT_EQ(json(1).find("for staff"), std::string::npos);
    EXPECT_EQ(seen.submission.state, State::graded);
    ASSERT_TRUE(finish_it(lease->token));
    EXPECT_FALSE(view(1).rejudge);
    EXPECT_EQ(view(1).submission.generation, 2);
}

// Whatever is made of a view shows no more than the view holds.
TEST_F(ViewTest, WhatIsHiddenIsInNoneOfIt) {
    model::Plan with_due = plan();
    with_due.due_ms = now_ms_;
    revise(with_due);
    graded(1, 5, with_due);
    struct Case {
        const char* when;
        std::int64_t now_ms;
        std::optional<std::int64_t> until_ms;
        bool later_shown;
    };
    const Case cases[] = {
        {"at due", now_ms_, {}, false},
        {"after due", now_ms_ + 1, {}, true},
        {"after due, but his is later", now_ms_ + 1, now_ms_ + day_ms, false},
        {"after his", now_ms_ + day_ms + 1, now_ms_ + day_ms, true},
    };
    for (const Case& c : cases) {
        now_ms_ = c.now_ms;
        if (c.until_ms) extend(*c.until_ms);
        const SubmissionView seen = view(1);
        for (const std::string& text : {json(1), model::to_json(*seen.report)}) {
            EXPECT_NE(text.find("secret of open"), std::string::npos) << c.when;
            EXPECT_EQ(text.find("secret of later") != std::string::npos, c.later_shown) << c.when;
            EXPECT_EQ(text.find("secret of message") != std::string::npos, c.later_shown) << c.when;
            EXPECT_EQ(text.find("secret of never"), std::string::npos) << c.when;
            EXPECT_EQ(text.find("for staff"), std::string::npos) << c.when;
        }
        EXPECT_EQ(seen.report->stages[0].tests[2].score_max, 10) << "scores are never hidden";
    }
    model::Plan opened = with_due;
    opened.stages[0].tests[2].visibility = model::Visibility::visible;
    opened.stages[0].tests[0].visibility = model::Visibility::hidden;
    revise(opened);
    EXPECT_NE(json(1).find("secret of never"), std::string::npos) << "the current revision says who sees what";
    EXPECT_EQ(json(1).find("secret of open"), std::string::npos);
}

}  // namespace
}  // namespace assay::queue
