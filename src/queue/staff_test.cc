// What staff cancel, on a real store: taken out for good, and a report that comes late changes nothing.
#include "queue/staff.hh"

#include <algorithm>

#include "queue/line_fixture.hh"

namespace assay::queue {
namespace {

class Cancelling : public LineTest {
protected:
    Result<Cancelled> cancel_it(int number) {
        Cancelled done;
        const auto written = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_TRY(done, cancel(tx, id_of(number), now_ms_));
            return ok;
        });
        if (!written) return written.error();
        return done;
    }
    Result<std::string> staff(Result<std::string> (*act)(Tx&, const SubmissionId&), int number) {
        std::string said;
        const auto written = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_TRY(said, act(tx, id_of(number)));
            return ok;
        });
        if (!written) return written.error();
        return said;
    }
    // How many tries the store says they cost, which the page has to say as well.
    std::int64_t tries_of(int participant, std::initializer_list<int> submissions) {
        const auto counted = read([&](Reading& r) {
            return r.submissions_counted(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p" + std::to_string(participant)});
        });
        const auto shown = std::ranges::count_if(submissions, [&](int number) {
            return costs_a_try(*read([&](Reading& r) { return view_submission(r, board_, id_of(number), now_ms_); }));
        });
        EXPECT_EQ(counted, shown);
        return counted;
    }
};

TEST_F(Cancelling, WhatWaitsOrIsHeldIsGoneAndTheNextComes) {
    submit(1, 0);
    submit(2, 1);
    submit(3, 2);
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(hold(tx, id_of(2), 1));
        store::Submission s = **tx.submission(id_of(2));  // Beyond submissions_max: it has no job.
        s.id = id_of(4);
        s.held_reason = model::Reason::submissions_used;
        return tx.add_submission(s);
    });
    for (const int number : {1, 2, 4}) {
        const auto done = cancel_it(number);
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_FALSE(done->lease);
        EXPECT_EQ(state(number), State::cancelled);
        EXPECT_NE(done->said.find("counts as not handed in"), std::string::npos);
    }
    EXPECT_EQ(cancel_it(1)->said, "0000000000000001 is cancelled already");
    EXPECT_EQ(tries_of(0, {1}), 0);
    EXPECT_EQ(tries_of(2, {3}), 1);
    EXPECT_EQ(grant_one(epoch())->submission, id_of(3));
    EXPECT_EQ(staff(release, 2).error().fault(), Fault::conflict);
    EXPECT_EQ(staff(rejudge, 1).error().fault(), Fault::conflict);
    EXPECT_EQ(cancel_it(9).error().fault(), Fault::missing);
}

TEST_F(Cancelling, ARunningOnesReportComesTooLate) {
    submit(1, 0);
    submit(2, 0);
    const auto lease = grant_one(epoch());
    ASSERT_TRUE(lease);
    const auto done = cancel_it(1);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->lease, lease->token);
    EXPECT_EQ(state(1), State::cancelled);
    EXPECT_EQ(finish_it(lease->token).error().fault(), Fault::conflict);
    EXPECT_EQ(fault(lease->token).error().fault(), Fault::conflict);
    EXPECT_EQ(state(1), State::cancelled);
    const auto attempts = read([&](Reading& r) { return r.attempts(lease->token.job); });
    ASSERT_EQ(attempts.size(), 1U);
    EXPECT_EQ(attempts[0].end, AttemptEnd::cut);
    EXPECT_EQ(attempts[0].detail, "cancelled by staff");
    EXPECT_EQ(grant_one(epoch())->submission, id_of(2)) << "its participant has none running any more";
    // A start after that finds one job to give back, and not two.
    write([&](Tx& tx) -> Result<> {
        ASSAY_TRY(const std::int64_t cut, void_all_leases(tx, now_ms_));
        EXPECT_EQ(cut, 1);
        return ok;
    });
}

TEST_F(Cancelling, AFaultOfOursCostsNoTryEither) {
    submit(1, 0);
    for (int i = 0; i < faults_max; ++i) ASSERT_TRUE(fault(grant_one(epoch())->token));
    EXPECT_EQ(state(1), State::graded);
    EXPECT_EQ(tries_of(0, {1}), 0);
}

TEST_F(Cancelling, AVerdictThatIsThereStaysAndItsRejudgeGoes) {
    submit(1, 0);
    ASSERT_TRUE(finish_it(grant_one(epoch())->token));
    EXPECT_NE(cancel_it(1).error().text().find("is graded"), std::string::npos);
    for (std::int64_t generation = 2; generation <= 4; ++generation) {
        EXPECT_NE(staff(rejudge, 1)->find("generation " + std::to_string(generation)), std::string::npos);
        if (generation == 3) ASSERT_TRUE(grant_one(epoch()));
        const auto done = cancel_it(1);
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_EQ(done->lease.has_value(), generation == 3);
        EXPECT_NE(done->said.find("its verdict stays"), std::string::npos);
        EXPECT_EQ(state(1), State::graded);
        const auto view = read([&](Reading& r) { return view_submission(r, board_, id_of(1), now_ms_); });
        EXPECT_EQ(view->verdict, model::Verdict::passed);
        EXPECT_FALSE(view->rejudge);
        EXPECT_FALSE(cancel_it(1));
    }
    std::string said;
    write([&](Tx& tx) -> Result<> {
        ASSAY_TRY(said, rejudge_all(tx, CourseId{"C"}, ModuleId{"M"}, {}));
        return ok;
    });
    EXPECT_TRUE(said.starts_with("1 of C/M will be judged again")) << said;
    const auto again = grant_one(epoch());
    ASSERT_TRUE(again);
    ASSERT_TRUE(finish_it(again->token));
    EXPECT_EQ(read([&](Reading& r) { return r.submission(id_of(1)); })->generation, 5);
}

}  // namespace
}  // namespace assay::queue
