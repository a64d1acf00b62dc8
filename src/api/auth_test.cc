#include "api/auth.hh"

#include <gtest/gtest.h>

#include "api/log_text.hh"
#include "base/text.hh"

namespace assay::api {
namespace {

std::optional<std::string> token_of(const std::string& authorization) {
    http::Request request;
    if (!authorization.empty()) request.headers = {{"authorization", authorization}};
    return http::bearer_token(request);
}

TEST(BearerToken, IsReadFromTheHeaderAlone) {
    EXPECT_EQ(token_of("Bearer abc-def"), "abc-def");
    EXPECT_EQ(token_of("bearer  abc "), "abc");
    EXPECT_EQ(token_of(""), std::nullopt);
    EXPECT_EQ(token_of("Bearer"), std::nullopt);
    EXPECT_EQ(token_of("Bearer "), std::nullopt);
    EXPECT_EQ(token_of("Basic YTpi"), std::nullopt);
}

TEST(AdminSocket, AnswersRootAndItsOwner) {
    http::Request request;
    EXPECT_EQ(not_staff(request, 1000)->status, 403);  // No Unix socket, no credentials.
    request.credentials = sys::Peer{.pid = 1, .uid = 1001, .gid = 0};
    EXPECT_EQ(not_staff(request, 1000)->status, 403);
    request.credentials->uid = 1000;
    EXPECT_FALSE(not_staff(request, 1000));
    request.credentials->uid = 0;
    EXPECT_FALSE(not_staff(request, 1000));
}

constexpr auto english = wording::Language::english;

// A log is read in terminals: what a submission printed must not command them. What is not there of it is counted.
TEST(LogText, ShowsOutputWithoutObeyingIt) {
    model::Report report;
    report.stages.push_back({.name = "build", .verdict = model::Verdict::passed, .output = "one\x1b[2J", .errors = "two\n"});
    report.stages.back().output_dropped_bytes = 2048;
    report.stages.back().errors_dropped_bytes = 1024;
    EXPECT_EQ(log_text(report, english, false),
              "=== build: passed\n--- stdout\none␛[2J\n--- 2 KiB more were printed and not kept.\n"
              "--- stderr\ntwo\n--- 1 KiB more were printed and not kept.\n");
    EXPECT_EQ(log_text({}, english, false), "");
}

// Who reads at a terminal learns what the page says of each test, and no more.
TEST(LogText, SaysOfEachTestWhatThePageSays) {
    model::Report report;
    report.stages.push_back({.name = "tests", .verdict = model::Verdict::failed});
    const model::Difference difference{
        .kind = model::DifferenceKind::character, .line = 2, .column = 1, .expected = "8", .got = "9"};
    auto& tests = report.stages.back().tests;
    tests.push_back({.name = "adds", .verdict = model::Verdict::passed, .score = 5, .score_max = 5});
    tests.push_back(
        {.name = "carries\x1b[2J", .score_max = 2.5, .message = "mind\nthe carry", .difference = difference});
    for (const auto visibility : {model::Visibility::after_due, model::Visibility::hidden})
        tests.push_back(
            {.name = "secret", .score_max = 5, .visibility = visibility, .expected = "8", .difference = difference});
    EXPECT_EQ(log_text(model::for_participant(report, false), english, false),
              "=== tests: failed\n--- test adds: passed, 5 / 5\n"
              "--- test carries\\x1b[2J: failed, 0 / 2.5\n"
              "    line 2, column 1: expected “8”, got “9”\n    mind\n    the carry\n"
              "--- test secret: failed, 0 / 5 (shown after the deadline)\n--- test secret: failed, 0 / 5 (hidden)\n");
    const auto later = log_text(model::for_participant(report, true), wording::Language::chinese, true);
    EXPECT_TRUE(later.starts_with("=== tests：未通过\n--- 测试 adds：通过，5 / 5\n")) << later;
    EXPECT_TRUE(later.contains("--- 测试 secret：未通过，0 / 5\n    第 2 行")) << later;
    EXPECT_TRUE(later.ends_with("--- 测试 secret：未通过，0 / 5 (隐藏)\n")) << later;
}

TEST(LogText, SaysWhichTimesSayLittleAndWhatWasTriedTwice) {
    model::Report report;
    report.stages.push_back(
        {.name = "build", .verdict = model::Verdict::passed, .usage = {.trustworthy_timing = false}});
    report.stages.push_back(
        {.name = "tests", .verdict = model::Verdict::passed, .usage = {.trustworthy_timing = true}});
    const model::FirstTry first{.verdict = model::Verdict::wall_limit,
                                .usage = {.wall_ms = 1500, .trustworthy_timing = false}};
    report.stages[1].tests.push_back(
        {.name = "adds", .verdict = model::Verdict::passed, .usage = {.trustworthy_timing = true}, .first_try = first});
    EXPECT_EQ(log_text(report, english, false),
              "=== build: passed\n--- the machine was busy while this ran: its times say little\n=== tests: passed\n"
              "--- test adds: passed, 0 / 0\n"
              "--- The first try ended after 1.5 s (duration limit) while the machine was busy. It was run once more, "
              "alone, and that is what counts.\n");
}

TEST(LogText, SaysWhatWaitedForItsOwnMemory) {
    model::Report report;
    report.stages.push_back(
        {.name = "run", .verdict = model::Verdict::wall_limit, .usage = {.wall_ms = 5000, .memory_stalled_ms = 4200}});
    EXPECT_EQ(log_text(report, english, false),
              "=== run: duration limit\n--- for 4.2 s it waited for memory: at its limit, what it needs is thrown out "
              "and read in again and again\n");
}

}  // namespace
}  // namespace assay::api
