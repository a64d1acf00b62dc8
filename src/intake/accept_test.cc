// Who may hand in, and the one transaction, against a real store.
#include "intake/accept.hh"

#include <gtest/gtest.h>

#include "intake/commit.hh"
#include "testing/small_course.hh"

namespace assay::intake {
namespace {

using testing::SmallCourse;

constexpr std::int64_t now_ms = SmallCourse::now_ms;
constexpr std::int64_t minute_ms = 60'000;

TEST(RateWait, EndsWhenTheNthNewestIsOldEnough) {
    const model::Rate rate{.count = 3, .per_ms = minute_ms};
    EXPECT_EQ(rate_wait_ms(rate, std::nullopt, now_ms), std::nullopt);
    EXPECT_EQ(rate_wait_ms(rate, now_ms, now_ms), minute_ms);
    EXPECT_EQ(rate_wait_ms(rate, now_ms - 59'000, now_ms), 1000);
    EXPECT_EQ(rate_wait_ms(rate, now_ms - minute_ms, now_ms), std::nullopt);
    EXPECT_EQ(rate_wait_ms(rate, now_ms + 10 * minute_ms, now_ms), minute_ms);  // The clock was set back.
}

class Accept : public ::testing::Test {
protected:
    // The module M takes work like this from now on.
    void revise(const std::function<void(model::Plan&)>& change) {
        model::Plan plan;
        plan.stages.push_back({.name = "tests", .command = {"true"}});
        plan.supersede = false;
        change(plan);
        write([&](store::Tx& tx) -> Result<> {
            ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, ++revision_, std::string(64, 'd'),
                                                            model::to_json(plan), now_ms}));
            return tx.put_module({CourseId{"C"}, ModuleId{"M"}, "M", false, id});
        });
    }
    Entitlement entitled(const std::string& token, std::int64_t at_ms, const std::string& key = {}) {
        std::optional<Entitlement> found;
        const auto read = course.store->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(found, entitle(reading, *course.keys, plans, {token, "C", "M", key}, at_ms));
            return ok;
        });
        EXPECT_TRUE(read) << read.error().text();
        return std::move(*found);
    }
    Acceptance hand_in(const Entitled& who, char digit, std::int64_t at_ms, const std::string& key = {}) {
        std::optional<Acceptance> accepted;
        const Arrived arrived{std::string(64, digit), 100, at_ms - 1, at_ms, key};
        write([&](store::Tx& tx) -> Result<> {
            ASSAY_TRY(accepted, accept(tx, *course.keys, plans, who, arrived, "http://here"));
            return ok;
        });
        return std::move(*accepted);
    }
    Committed announced(const Entitled& who, char digit, std::int64_t at_ms) {
        std::optional<Committed> made;
        write([&](store::Tx& tx) -> Result<> {
            ASSAY_TRY(made, commit(tx, *course.keys, plans, who, {"C", "M", std::string(64, digit), 100}, at_ms, "http://here"));
            return ok;
        });
        return std::move(*made);
    }
    std::optional<std::int64_t> committed_of(const SubmissionId& id) {
        std::optional<std::int64_t> found;
        EXPECT_TRUE(course.store->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto submission, reading.submission(id));
            found = submission->committed_ms;
            return ok;
        }));
        return found;
    }
    void write(const std::function<Result<>(store::Tx&)>& change) {
        const auto written = course.store->write_and_wait([&](store::Tx& tx) { return change(tx); });
        ASSERT_TRUE(written) << written.error().text();
    }

    SmallCourse course;
    course::PlanCache plans;
    std::int64_t revision_ = 1;
};

TEST_F(Accept, TheSameKeyWithTheSameBytesGivesTheSameReceipt) {
    revise([](model::Plan&) {});
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const auto first = *hand_in(ann, 'b', now_ms, "key-1").accepted;
    EXPECT_FALSE(first.repeat);
    const auto other = *hand_in(ann, 'c', now_ms + 1, "key-2").accepted;
    EXPECT_NE(other.id, first.id);
    // Not the newest any more and long after the ten minutes of a repeat: the key alone says what is meant.
    const auto again = *hand_in(ann, 'b', now_ms + 60 * minute_ms, "key-1").accepted;
    EXPECT_TRUE(again.repeat);
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(again.receipt, first.receipt);
    // Without it, it is new work.
    EXPECT_NE(hand_in(ann, 'b', now_ms + 60 * minute_ms + 1).accepted->id, first.id);
}

TEST_F(Accept, OtherBytesUnderAKeyAreRefused) {
    revise([](model::Plan&) {});
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const auto first = *hand_in(ann, 'b', now_ms, "key-1").accepted;
    const auto refused = hand_in(ann, 'c', now_ms + 1, "key-1");
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->code, model::Refusal::digest_mismatch);
    EXPECT_EQ(refused.refusal->form->argument, first.id.text());
}

TEST_F(Accept, AKeyIsAParticipantsOwnAndEndsAfterADay) {
    revise([](model::Plan&) {});
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const Entitled ben = *entitled(SmallCourse::ben_token, now_ms).entitled;
    const auto first = *hand_in(ann, 'b', now_ms, "key-1").accepted;
    EXPECT_NE(hand_in(ben, 'c', now_ms, "key-1").accepted->id, first.id);
    const auto day_after = hand_in(ann, 'c', now_ms + upload_keys_kept_ms + 1, "key-1");
    ASSERT_TRUE(day_after.accepted);
    EXPECT_NE(day_after.accepted->id, first.id);
}

// The answer was lost just before the module closed: who asks again with the key must get the receipt.
TEST_F(Accept, AKnownKeyIsAnsweredAfterTheModuleClosed) {
    revise([](model::Plan& plan) { plan.due_ms = plan.closes_ms = now_ms + minute_ms; });
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const auto first = *hand_in(ann, 'b', now_ms, "key-1").accepted;
    const std::int64_t late = now_ms + 2 * minute_ms;
    EXPECT_EQ(entitled(SmallCourse::ann_token, late).refusal->code, model::Refusal::closed);
    EXPECT_EQ(entitled(SmallCourse::ann_token, late, "key-2").refusal->code, model::Refusal::closed);
    const auto again = entitled(SmallCourse::ann_token, late, "key-1");
    ASSERT_TRUE(again.entitled);
    EXPECT_EQ(hand_in(*again.entitled, 'b', late, "key-1").accepted->id, first.id);
    EXPECT_EQ(hand_in(ann, 'c', late, "key-2").refusal->code, model::Refusal::closed);
}

// What was committed in time comes in after the module closed, and nothing else does.
TEST_F(Accept, WhatWasCommittedBeforeItClosedMayStillCome) {
    revise([](model::Plan& plan) {
        plan.due_ms = plan.closes_ms = now_ms + minute_ms;
        plan.upload_grace_ms = 30 * minute_ms;
    });
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const Entitled ben = *entitled(SmallCourse::ben_token, now_ms).entitled;
    ASSERT_TRUE(announced(ann, 'b', now_ms).document);
    EXPECT_EQ(announced(ann, 'c', now_ms + minute_ms + 1).refusal->code, model::Refusal::closed);
    const std::int64_t late = now_ms + 30 * minute_ms;
    ASSERT_TRUE(entitled(SmallCourse::ann_token, late).entitled);
    EXPECT_EQ(entitled(SmallCourse::ben_token, late).refusal->code, model::Refusal::closed);
    EXPECT_EQ(entitled(SmallCourse::ann_token, late + 1).refusal->code, model::Refusal::closed);
    EXPECT_EQ(hand_in(ann, 'c', late).refusal->code, model::Refusal::closed);
    EXPECT_EQ(hand_in(ben, 'b', late).refusal->code, model::Refusal::closed);
    EXPECT_EQ(hand_in(ann, 'b', late + 1).refusal->code, model::Refusal::closed);
    const auto came = hand_in(ann, 'b', late);
    ASSERT_TRUE(came.accepted);
    EXPECT_EQ(committed_of(came.accepted->id), now_ms);
}

TEST_F(Accept, ThreeCommitmentsAreOpenAtOnce) {
    revise([](model::Plan&) {});
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const auto first = announced(ann, 'b', now_ms);
    ASSERT_TRUE(first.document);
    const auto again = announced(ann, 'b', now_ms + 1);
    EXPECT_TRUE(again.again);
    EXPECT_EQ(again.document, first.document);
    EXPECT_TRUE(announced(ann, 'c', now_ms + 2).document);
    EXPECT_TRUE(announced(ann, 'd', now_ms + 3).document);
    const auto fourth = announced(ann, 'e', now_ms + 4);
    EXPECT_FALSE(fourth.document);
    EXPECT_EQ(fourth.wait_ms, 30 * minute_ms - 4);
    const Entitled ben = *entitled(SmallCourse::ben_token, now_ms).entitled;
    EXPECT_TRUE(announced(ben, 'e', now_ms + 4).document);
    ASSERT_TRUE(hand_in(ann, 'd', now_ms + 5).accepted);
    EXPECT_TRUE(announced(ann, 'e', now_ms + 6).document);
    EXPECT_FALSE(announced(ann, 'f', now_ms + 7).document);
    EXPECT_TRUE(announced(ann, 'f', now_ms + 40 * minute_ms).document);  // All have lapsed.
}

// What waits is replaced where it stands, also when something newer of the same participant runs already.
TEST_F(Accept, TheNewestThatStillWaitsIsReplacedWhereItStands) {
    revise([](model::Plan& plan) { plan.supersede = true; });
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms).entitled;
    const auto job_of = [&](const SubmissionId& id) {
        std::optional<store::Job> job;
        EXPECT_TRUE(course.store->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(job, reading.job_of(id, 1));
            return ok;
        }));
        return job.value_or(store::Job{});
    };
    const SubmissionId first = hand_in(ann, 'b', now_ms).accepted->id;
    const std::int64_t place = job_of(first).place;
    const SubmissionId second = hand_in(ann, 'c', now_ms + 1).accepted->id;
    EXPECT_EQ(job_of(first).state, model::State::superseded);
    EXPECT_EQ(job_of(second).place, place);
    write([&](store::Tx& tx) -> Result<> {
        ASSAY_CHECK(tx.move(second, model::State::running));
        return tx.move(first, model::State::queued);  // Staff put it back.
    });
    const SubmissionId third = hand_in(ann, 'd', now_ms + 2).accepted->id;
    EXPECT_EQ(job_of(first).state, model::State::superseded);
    EXPECT_EQ(job_of(second).state, model::State::running);
    EXPECT_EQ(job_of(third).place, place);
}

// Two uploads may both pass the early check: the transaction takes one of them.
TEST_F(Accept, TheRateHoldsInsideTheTransaction) {
    revise([](model::Plan& plan) { plan.upload.rate = model::Rate{.count = 2, .per_ms = minute_ms}; });
    const Entitled ann = *entitled(SmallCourse::ann_token, now_ms + minute_ms).entitled;
    const std::int64_t at = now_ms + minute_ms;
    ASSERT_TRUE(hand_in(ann, 'b', at).accepted);
    ASSERT_TRUE(entitled(SmallCourse::ann_token, at + 1).entitled);
    ASSERT_TRUE(hand_in(ann, 'c', at + 1).accepted);
    const auto third = hand_in(ann, 'd', at + 2);
    ASSERT_TRUE(third.refusal);
    EXPECT_EQ(third.refusal->code, model::Refusal::rate);
    EXPECT_EQ(third.refusal->retry_after_s, 60);
    EXPECT_EQ(entitled(SmallCourse::ann_token, at + 30'000).refusal->code, model::Refusal::rate);
    EXPECT_EQ(entitled(SmallCourse::ann_token, at + 30'000).refusal->retry_after_s, 30);
    EXPECT_TRUE(entitled(SmallCourse::ben_token, at + 30'000).entitled);  // It is per participant.
    EXPECT_TRUE(hand_in(ann, 'c', at + 3).accepted->repeat);              // What is no new work does not count.
    EXPECT_TRUE(hand_in(ann, 'd', at + minute_ms).accepted);              // The first has left the minute.
}

}  // namespace
}  // namespace assay::intake
