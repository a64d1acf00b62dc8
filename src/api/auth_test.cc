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

// A log is read in terminals: what a submission printed must not command them.
TEST(LogText, ShowsOutputWithoutObeyingIt) {
    model::Report report;
    report.stages.push_back({.name = "build", .verdict = model::Verdict::passed, .output = "one\x1b[2J", .errors = "two\n"});
    report.stages.back().output_dropped_bytes = 2048;
    EXPECT_EQ(log_text(report), "=== build: passed\n--- stdout\none␛[2J\n--- stderr\ntwo\n--- 2 KiB more were printed and not kept\n");
    EXPECT_EQ(log_text({}), "");
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
    EXPECT_EQ(
        log_text(report),
        "=== build: passed\n--- the machine was busy while this ran: its times say little\n=== tests: passed\n--- test "
        "adds\n"
        "--- the first try ended as wall_limit after 1.5 s while the machine was busy; it was run once more, alone\n");
}

}  // namespace
}  // namespace assay::api
