// The line against a real store: its rules one by one.
#include <gmock/gmock.h>

#include "queue/line_fixture.hh"
#include "queue/view.hh"
#include "queue/staff.hh"

namespace assay::queue {
namespace {

TEST_F(LineTest, EpochsGrowOverRestarts) {
    const auto first = epoch();
    open();
    EXPECT_GT(epoch(), first);
}

TEST_F(LineTest, AStaleTokenChangesNothingAndALostAnswerIsNoError) {
    submit(1, 0);
    const auto e = epoch();
    const auto lease = grant_one(e);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->submission, id_of(1));
    EXPECT_EQ(state(1), State::running);
    EXPECT_FALSE(grant_one(e));

    Token other = lease->token;
    other.attempt = 2;
    EXPECT_EQ(finish_it(other).error().fault(), Fault::conflict);
    other = lease->token;
    other.epoch = e + 1;
    EXPECT_EQ(finish_it(other).error().fault(), Fault::conflict);
    EXPECT_EQ(finish_it({JobId{99}, 1, e}).error().fault(), Fault::conflict);
    EXPECT_EQ(state(1), State::running);

    EXPECT_TRUE(finish_it(lease->token));
    EXPECT_EQ(state(1), State::graded);
    EXPECT_TRUE(finish_it(lease->token));
    EXPECT_EQ(fault(lease->token).error().fault(), Fault::conflict);
    EXPECT_EQ(read([](Reading& r) { return r.verdict(id_of(1), 1); })->score, 10.0);
}

TEST_F(LineTest, TheThirdFaultEndsItWithAReportThatNamesAll) {
    submit(1, 0);
    const auto e = epoch();
    std::optional<Lease> lease;
    for (const char* why : {"first break", "second break", "third break"}) {
        lease = grant_one(e);
        ASSERT_TRUE(lease);
        ASSERT_TRUE(fault(lease->token, why));
    }
    EXPECT_EQ(state(1), State::graded);
    const auto verdict = read([](Reading& r) { return r.verdict(id_of(1), 1); });
    EXPECT_EQ(verdict->verdict, model::Verdict::system_fault);
    for (const char* why : {"first break", "second break", "third break"}) EXPECT_NE(verdict->report.find(why), std::string::npos);
    // That attempt ended as a fault: a late report of it is not a lost answer.
    EXPECT_EQ(finish_it(lease->token).error().fault(), Fault::conflict);
    EXPECT_FALSE(grant_one(e));
}

// Every finished test survives: what the attempt that came farthest had finished stays in the report, and counts for nothing.
// What was ended because memory ran out is run once more with nothing beside it; if it is so again, it is our fault, with the evidence.
TEST_F(LineTest, WhatMemoryRanOutUnderRunsOnceMoreAloneAndThenIsOurFault) {
    submit(1, 1);
    submit(2, 2);
    const std::int64_t at = epoch();
    const auto end_for_memory = [&](const Token& token) {
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(give_back(tx, token, AttemptEnd::fault, model::Reason::pressure, "memory_available_ratio 0.04", now_ms_));
            return ok;
        });
        now_ms_ += fault_backoff_ms;
    };
    const auto one = grant_one(at);
    const auto two = grant_one(at);
    ASSERT_TRUE(one && two);
    end_for_memory(one->token);
    const auto view = read([&](Reading& r) { return view_submission(r, board_, id_of(1), now_ms_); });
    EXPECT_EQ(view->waiting->reason, model::Reason::pressure);
    EXPECT_EQ(view->waiting->detail, (model::WaitDetail{.kind = model::WaitDetailKind::ended_for_memory, .text = "memory_available_ratio 0.04"}));
    EXPECT_FALSE(grant_one(at)) << "beside another it does not start";
    ASSERT_TRUE(finish_it(two->token));

    const auto again = grant_one(at);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->submission, id_of(1));
    submit(3, 3);
    EXPECT_FALSE(grant_one(at)) << "nothing starts beside it";
    end_for_memory(again->token);
    EXPECT_EQ(state(1), State::graded);
    const auto verdict = read([&](Reading& r) { return r.verdict(id_of(1), 1); });
    EXPECT_EQ(verdict->verdict, model::Verdict::system_fault);
    EXPECT_TRUE(verdict->report.contains("attempt 2: memory_available_ratio 0.04")) << verdict->report;
    EXPECT_TRUE(grant_one(at)) << "others go on";
}

TEST_F(LineTest, WhatTheBestAttemptFinishedSurvivesTheThirdFault) {
    submit(1, 0);
    const auto epoch_1 = epoch();
    const auto partial = [](std::vector<const char*> tests) {
        model::Report report;
        report.partial = true;
        report.stages.emplace_back().name = "tests";
        for (const char* name : tests) {
            auto& test = report.stages.back().tests.emplace_back();
            test.name = name;
            test.verdict = model::Verdict::passed;
            test.score = test.score_max = 5;
        }
        return model::to_json(report);
    };
    for (const std::string& finished : {partial({"a"}), partial({"a", "b"}), std::string{}}) {
        const Token token = grant_one(epoch_1)->token;
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(give_back(tx, token, AttemptEnd::fault, model::Reason::retry, "it broke", now_ms_, finished));
            return ok;
        });
        now_ms_ += 60'000;
    }
    const auto verdict = read([](Reading& r) { return r.verdict(id_of(1), 1); });
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->verdict, model::Verdict::system_fault);
    EXPECT_FALSE(verdict->score);
    const auto report = model::report_from_json(verdict->report);
    ASSERT_TRUE(report && report->stages.size() == 2);
    EXPECT_TRUE(report->partial);
    EXPECT_EQ(report->stages[0].tests.size(), 2u);
    EXPECT_EQ(report->stages[1].name, "infrastructure");
}

TEST_F(LineTest, CutsAreNeverCountedAgainstAJob) {
    submit(1, 0);
    for (int i = 1; i <= 30; ++i) {
        now_ms_ += 60'000;
        const auto lease = grant_one(epoch());
        ASSERT_TRUE(lease) << i;
        EXPECT_EQ(lease->alone, i > cuts_alone);
        std::int64_t voided = 0;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(voided, void_all_leases(tx, now_ms_));
            return ok;
        });
        EXPECT_EQ(voided, 1);
        EXPECT_EQ(finish_it(lease->token).error().fault(), Fault::conflict);
    }
    const auto lease = grant_one(epoch());
    ASSERT_TRUE(lease);
    ASSERT_TRUE(finish_it(lease->token));
    EXPECT_EQ(state(1), State::graded);
}

TEST_F(LineTest, ARejudgeLeavesTheOldVerdictUntilTheNewOneIsThere) {
    submit(1, 0);
    const auto e = epoch();
    ASSERT_TRUE(finish_it(grant_one(e)->token));
    const auto again = [&] { return store_->write_and_wait([](Tx& tx) -> Result<> {
        ASSAY_CHECK(rejudge(tx, id_of(1)));
        return ok;
    }); };
    const auto view = [&] { return *read([&](Reading& r) { return view_submission(r, board_, id_of(1), now_ms_); }); };
    ASSERT_TRUE(again());
    ASSERT_TRUE(again());  // Said, not done twice.
    EXPECT_EQ(read([](Reading& r) { return r.waiting(10); }).size(), 1u);
    EXPECT_EQ(view().rejudge->generation, 2);

    auto lease = grant_one(e);
    ASSERT_TRUE(lease);
    for (int i = 1; i <= faults_max; ++i) {
        EXPECT_EQ(view().submission.state, State::graded);
        EXPECT_EQ(view().verdict, model::Verdict::passed);
        ASSERT_TRUE(fault(lease->token));
        if (i < faults_max) lease = grant_one(e);
    }
    // It ended by a fault of ours: kept for staff, but the verdict he had is the one that is shown.
    EXPECT_EQ(view().verdict, model::Verdict::passed);
    EXPECT_EQ(view().submission.generation, 1);
    EXPECT_FALSE(view().rejudge);
    EXPECT_EQ(read([](Reading& r) { return r.verdict(id_of(1), 2); })->verdict, model::Verdict::system_fault);
    const auto whole = read([](Reading& r) { return newest_report(r, id_of(1)); });
    ASSERT_TRUE(whole);
    EXPECT_EQ(model::first_fault(*whole)->stage, "infrastructure");

    ASSERT_TRUE(again());
    lease = grant_one(e);
    ASSERT_TRUE(finish_it(lease->token));
    EXPECT_EQ(view().submission.generation, 3);
    EXPECT_EQ(view().submission.state, State::graded);
    EXPECT_TRUE(finish_it(lease->token));
}

TEST_F(LineTest, ABrokenGraderPausesItsModuleInsideTheVerdictsCommit) {
    const auto e = epoch();
    Finished broken = passed();
    broken.verdict = model::Verdict::grader_fault;
    for (int i = 1; i <= broken_faults; ++i) {
        submit(i, i % 2);
        const auto lease = grant_one(e);
        ASSERT_TRUE(lease) << i;
        Ended ended;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(ended, finish(tx, lease->token, broken, now_ms_));
            return ok;
        });
        EXPECT_EQ(ended.broken.has_value(), i == broken_faults);
    }
    submit(9, 3);
    open();
    EXPECT_FALSE(grant_one(e));
    EXPECT_EQ(read([&](Reading& r) { return view_submission(r, board_, id_of(9), now_ms_); })->waiting->reason, model::Reason::grader_broken);
    write([](Tx& tx) -> Result<> {
        ASSAY_CHECK(resume(tx, CourseId{"C"}, ModuleId{"M"}));
        return ok;
    });
    EXPECT_TRUE(grant_one(e));
}

TEST_F(LineTest, StaffHoldAndReleaseAndAreToldWhatCannotBe) {
    submit(1, 0);
    submit(2, 1);
    write([](Tx& tx) -> Result<> {  // Beyond submissions_max: it was never in line.
        store::Submission s = **tx.submission(id_of(2));
        s.id = id_of(3);
        s.state = State::held;
        s.held_reason = model::Reason::submissions_used;
        return tx.add_submission(s);
    });
    std::string said;
    const auto staff = [&](auto&& act) {
        return store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_TRY(said, act(tx));
            return ok;
        });
    };
    ASSERT_TRUE(staff([&](Tx& tx) { return hold(tx, id_of(1), 555); }));
    EXPECT_EQ(state(1), State::held);
    ASSERT_TRUE(staff([&](Tx& tx) { return hold(tx, id_of(1), 999); }));
    EXPECT_NE(said.find("already (held_by_staff)"), std::string::npos);
    const auto held = read([&](Reading& r) { return view_submission(r, board_, id_of(1), now_ms_); })->waiting;
    EXPECT_EQ(held->reason, model::Reason::held_by_staff);
    EXPECT_EQ(held->since_ms, 555);
    ASSERT_TRUE(staff([&](Tx& tx) { return pause(tx, CourseId{"C"}, ModuleId{"M"}, 777); }));
    const std::string json = read([&](Reading& r) {
        return queue_json(r, board_, now_ms_, [](const Waiting&) { return WaitText{"the sentence", ""}; });
    });
    const std::string text = *queue_text(json);
    for (const char* part : {"0 running, 1 queued, 2 held", "paused   C/M since ", "queued      1 0000000000000002 C/M p1 since ",
                             " module_paused: the sentence", "held        - 0000000000000001", " submissions_used: "}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
    ASSERT_TRUE(staff([&](Tx& tx) { return resume(tx, CourseId{"C"}, ModuleId{"M"}); }));
    ASSERT_TRUE(staff([&](Tx& tx) { return release(tx, id_of(3)); }));
    ASSERT_TRUE(staff([&](Tx& tx) { return release(tx, id_of(1)); }));
    // The held one kept its place; the other begins at the end.
    const auto waiting = read([](Reading& r) { return r.waiting(10); });
    ASSERT_EQ(waiting.size(), 3u);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(waiting[static_cast<std::size_t>(i)].job.submission, id_of(i + 1));

    const auto e = epoch();
    ASSERT_TRUE(grant_one(e));
    const auto refused = [&](auto&& act, Fault fault, const char* part) {
        const auto result = staff(act);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault(), fault);
        EXPECT_NE(result.error().text().find(part), std::string::npos) << result.error().text();
    };
    refused([&](Tx& tx) { return hold(tx, id_of(1), 1); }, Fault::conflict, "0000000000000001 is running");
    refused([&](Tx& tx) { return release(tx, id_of(1)); }, Fault::conflict, "is running");
    refused([&](Tx& tx) { return rejudge(tx, id_of(2)); }, Fault::conflict, "is queued");
    refused([&](Tx& tx) { return rejudge(tx, id_of(8)); }, Fault::missing, "no submission 0000000000000008");
    refused([&](Tx& tx) { return pause(tx, CourseId{"C"}, ModuleId{"X"}, 1); }, Fault::missing, "no module C/X");
}

// After a grader was mended: those it had failed, and nobody twice.
TEST_F(LineTest, AWholeModuleIsJudgedAgainOrThoseOfOneVerdict) {
    const auto e = epoch();
    Finished broken = passed();
    broken.verdict = model::Verdict::grader_fault;
    for (const auto& [number, participant] : {std::pair{1, 0}, {2, 1}}) {
        submit(number, participant);
        const auto lease = grant_one(e);
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(finish(tx, lease->token, number == 1 ? broken : passed(), now_ms_));
            return ok;
        });
    }
    submit(3, 0);
    std::string said;
    const auto again = [&](std::optional<model::Verdict> verdict) {
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(said, rejudge_all(tx, CourseId{"C"}, ModuleId{"M"}, verdict));
            return ok;
        });
        return said;
    };
    EXPECT_THAT(again(model::Verdict::system_fault), ::testing::StartsWith("0 of C/M "));
    EXPECT_THAT(again(model::Verdict::grader_fault), ::testing::StartsWith("1 of C/M will be judged again"));
    EXPECT_EQ(read([](Reading& r) { return r.newest_job(id_of(1)); })->generation, 2);
    EXPECT_THAT(again(std::nullopt), ::testing::AllOf(::testing::StartsWith("1 of C/M "), ::testing::EndsWith("1 is being judged again already")));
    EXPECT_EQ(read([](Reading& r) { return r.newest_job(id_of(2)); })->generation, 2);
    EXPECT_EQ(read([](Reading& r) { return r.newest_job(id_of(3)); })->generation, 1) << "it was never judged";
    EXPECT_EQ(store_->write_and_wait([](Tx& tx) -> Result<> {
        ASSAY_CHECK(rejudge_all(tx, CourseId{"C"}, ModuleId{"X"}, {}));
        return ok;
    }).error().fault(), Fault::missing);
}

// A replaced one keeps its receipt, and staff can still have it graded; a rejudge can wait for them like anything else.
TEST_F(LineTest, StaffPutAReplacedOneBackAndHoldARejudge) {
    std::string said;
    const auto staff = [&](auto&& act) {
        return store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_TRY(said, act(tx));
            return ok;
        });
    };
    submit(1, 0);
    submit(2, 0);
    write([](Tx& tx) { return tx.supersede(id_of(1), id_of(2)); });
    const auto e = epoch();
    ASSERT_TRUE(finish_it(grant_one(e)->token));
    EXPECT_EQ(state(2), State::graded);
    EXPECT_FALSE(grant_one(e));
    ASSERT_TRUE(staff([&](Tx& tx) { return release(tx, id_of(1)); }));
    EXPECT_EQ(state(1), State::queued);
    ASSERT_TRUE(finish_it(grant_one(e)->token));
    EXPECT_EQ(state(1), State::graded);

    ASSERT_TRUE(staff([&](Tx& tx) { return rejudge(tx, id_of(2)); }));
    ASSERT_TRUE(staff([&](Tx& tx) { return hold(tx, id_of(2), 555); }));
    EXPECT_NE(said.find("the rejudge of 0000000000000002 is held"), std::string::npos);
    ASSERT_TRUE(staff([&](Tx& tx) { return hold(tx, id_of(2), 556); }));
    EXPECT_NE(said.find("already"), std::string::npos);
    EXPECT_EQ(state(2), State::graded);
    EXPECT_FALSE(grant_one(e));
    const auto view = read([&](Reading& r) { return view_submission(r, board_, id_of(2), now_ms_); });
    EXPECT_EQ(view->verdict, model::Verdict::passed);
    EXPECT_EQ(view->rejudge->state, State::held);
    ASSERT_TRUE(staff([&](Tx& tx) { return release(tx, id_of(2)); }));
    ASSERT_TRUE(finish_it(grant_one(e)->token));
    EXPECT_EQ(read([](Reading& r) { return r.submission(id_of(2)); })->generation, 2);
}

TEST_F(LineTest, AViewSaysWhereASubmissionStands) {
    submit(1, 0);
    submit(2, 0);
    const auto e = epoch();
    const auto lease = grant_one(e);
    ASSERT_TRUE(lease);
    const auto text = [](const Waiting& waiting) {
        return WaitText{"sentence for " + std::string{model::to_string(waiting.reason)}, std::string{model::to_string(waiting.detail->kind)}};
    };
    const auto view = [&](int number) { return *read([&](Reading& r) { return view_submission(r, board_, id_of(number), now_ms_); }); };

    EXPECT_EQ(view(1).started_ms, now_ms_);
    const auto waiting = view(2);
    ASSERT_TRUE(waiting.waiting);
    EXPECT_EQ(waiting.waiting->reason, model::Reason::fair_share);
    EXPECT_TRUE(waiting.counts);
    const std::string json = to_json(waiting, "UTC", "http://here", text);
    for (const char* part : {"\"state\":\"queued\"", "\"code\":\"fair_share\"", "\"text\":\"sentence for fair_share\"", "\"details\":\"own_running\"", "\"position\":1",
                             "\"received_at\":\"1970-01-01T00:00:00.002", "\"self\":\"http://here/api/v1/submissions/0000000000000002\"",
                             "\"verdict\":null", "\"revision\":1"}) {
        EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
    }

    ASSERT_TRUE(finish_it(lease->token));
    const auto done = view(1);
    EXPECT_EQ(done.verdict, model::Verdict::passed);
    EXPECT_FALSE(done.counts);
    EXPECT_NE(to_json(done, "UTC", "", text).find("\"score\":10"), std::string::npos);
    EXPECT_FALSE(read([&](Reading& r) { return view_submission(r, board_, id_of(99), now_ms_); }));
}

TEST(Counting, TheOneThatCounts) {
    using model::Verdict;
    const std::vector<Countable> all{
        {State::held, {}, true, {}},
        {State::graded, {}, true, Verdict::system_fault},
        {State::graded, 5.0, true, Verdict::failed},
        {State::graded, 7.0, false, Verdict::failed},
        {State::graded, 7.0, false, Verdict::failed},
    };
    EXPECT_EQ(counting(all, model::Counts::last), 2u);
    EXPECT_EQ(counting(all, model::Counts::last_on_time), 3u);
    EXPECT_EQ(counting(all, model::Counts::best), 4u);
    EXPECT_EQ(counting({}, model::Counts::last), std::nullopt);
}

}  // namespace
}  // namespace assay::queue
