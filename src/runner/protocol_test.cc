#include "runner/protocol.hh"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/text.hh"
#include "runner/bounds.hh"
#include "runner/revisions.hh"

namespace assay::runner {
namespace {

const std::string digest(64, 'a');

model::Plan small_plan() {
    model::Plan plan;
    plan.stages.emplace_back().name = "build";
    return plan;
}

std::string lease_json(const std::string& plan) {
    return fmt::format(R"({{"token":{{"job":7,"attempt":2,"epoch":3}},"submission":"Ab12","sha256":"{0}","size":10,)"
                       R"("revision":{{"id":5,"digest":"{0}"}},"plan":{1}}})", digest, plan);
}

TEST(Protocol, RequestsAreWhatTheDocumentSays) {
    const Token token{7, 2, 3};
    EXPECT_EQ(session_request("local", 2), R"({"protocol":1,"name":"local","slots":2,"can_grade":true,"missing":[]})");
    EXPECT_EQ(lease_request(3, 1, lease_wait_max), R"({"epoch":3,"slot":1,"wait_ms":20000})");
    EXPECT_EQ(event_request(token, 4, "tests", "adds"),
              R"({"token":{"job":7,"attempt":2,"epoch":3},"sequence":4,"stage":"tests","test":"adds"})");
    EXPECT_EQ(
        event_request(token, 5, "tests", "adds", {}, model::Reason::pressure),
        R"({"token":{"job":7,"attempt":2,"epoch":3},"sequence":5,"stage":"tests","test":"adds","reason":"pressure"})");
    EXPECT_EQ(heartbeat_request(3, {token}), R"({"epoch":3,"running":[{"job":7,"attempt":2,"epoch":3}]})");
    EXPECT_EQ(report_request(token, "{}"), R"({"token":{"job":7,"attempt":2,"epoch":3},"report":{}})");
    EXPECT_EQ(fault_request(token, "it \"broke\""), R"({"token":{"job":7,"attempt":2,"epoch":3},"fault":"it \"broke\""})");
    EXPECT_EQ(input_target(token), "/api/v1/runner/input?job=7&attempt=2&epoch=3");
}

TEST(Protocol, AFaultsTextIsBoundedAndValid) {
    EXPECT_LT(fault_request({}, std::string(1 << 20, 'x')).size(), fault_bytes_max + 200);
    EXPECT_TRUE(valid_utf8(fault_request({}, "\xFF\xFE")));
}

TEST(Protocol, ReadsALease) {
    const auto lease = lease_from_json(lease_json(model::to_json(small_plan())));
    ASSERT_TRUE(lease) << lease.error().text();
    EXPECT_EQ(lease->token, (Token{7, 2, 3}));
    EXPECT_EQ(lease->submission, "Ab12");
    EXPECT_EQ(lease->size_bytes, 10);
    EXPECT_EQ(lease->revision_digest, digest);
    EXPECT_EQ(lease->plan.stages.at(0).name, "build");
}

TEST(Protocol, WhatItCannotReadIsAnErrorAndNeverALease) {
    const std::string good = lease_json(model::to_json(small_plan()));
    for (const std::string& bad : {std::string{}, std::string{"[]"}, std::string{"{}"}, good.substr(0, good.size() - 1),
                                   lease_json("7"), lease_json(R"({"stages":"x"})")}) {
        EXPECT_FALSE(lease_from_json(bad)) << bad;
    }
    std::string negative = good;
    negative.replace(negative.find("\"job\":7"), 7, "\"job\":-7");
    EXPECT_FALSE(lease_from_json(negative));
    std::string short_digest = good;
    short_digest.replace(short_digest.find(digest), 64, "abc");
    EXPECT_FALSE(lease_from_json(short_digest));
}

TEST(Protocol, ASessionsTimesMustMakeSense) {
    const auto opened = opened_from_json(R"({"epoch":3,"lease_ms":30000,"heartbeat_ms":5000})");
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ(opened->lease, std::chrono::milliseconds{30'000});
    EXPECT_FALSE(opened_from_json(R"({"epoch":3,"lease_ms":30000,"heartbeat_ms":0})"));
    EXPECT_FALSE(opened_from_json(R"({"epoch":3,"lease_ms":30000,"heartbeat_ms":20000})"));
    EXPECT_FALSE(opened_from_json(R"({"epoch":3,"lease_ms":10,"heartbeat_ms":5})"));
}

TEST(Protocol, ReadsAHeartbeatsAnswer) {
    const auto beat = beat_from_json(R"({"drop":[{"job":7,"attempt":2,"epoch":3}],"drain":true})");
    ASSERT_TRUE(beat) << beat.error().text();
    EXPECT_TRUE(beat->drain);
    EXPECT_EQ(beat->drop, (std::vector<Token>{{7, 2, 3}}));
    EXPECT_FALSE(beat_from_json(R"({"drop":[]})"));
    EXPECT_FALSE(beat_from_json(R"({"drop":[7],"drain":false})"));
}

TEST(Revisions, ForgetsWhatWasNotUsedForLongest) {
    Revisions revisions{100};
    const auto file = std::make_shared<const sys::Fd>();
    revisions.keep("a", file, 40);
    revisions.keep("b", file, 40);
    EXPECT_TRUE(revisions.find("a"));
    revisions.keep("c", file, 40);
    EXPECT_TRUE(revisions.find("a"));
    EXPECT_FALSE(revisions.find("b"));
    EXPECT_TRUE(revisions.find("c"));
    revisions.keep("huge", file, 101);
    EXPECT_FALSE(revisions.find("huge"));
    EXPECT_TRUE(revisions.find("a"));
}

}  // namespace
}  // namespace assay::runner
