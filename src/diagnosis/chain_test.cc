#include "diagnosis/chain.hh"

#include <gtest/gtest.h>

namespace assay::diagnosis {
namespace {

std::string clock_text(std::int64_t ms, const std::string&) { return "T" + std::to_string(ms / 1000); }

Standing waiting() {
    return {.submission = "MINE",
            .course = "ICS",
            .participant = "alice",
            .reason = model::Reason::slot,
            .detail = model::WaitDetail{.kind = model::WaitDetailKind::slots_busy, .number = 2, .of = 2},
            .since_ms = 10'000,
            .position = 3,
            .slots = 2,
            .running = {{.job = 987654,
                         .submission = "ONE",
                         .course = "ICS",
                         .module = "PA1",
                         .participant = "bob",
                         .started_ms = 20'000,
                         .stage = "tests",
                         .tests_done = 3,
                         .tests_all = 9},
                        {.job = 987655,
                         .submission = "TWO",
                         .course = "OS",
                         .module = "lab2",
                         .participant = "alice",
                         .started_ms = 50'000}}};
}

std::vector<Step> told(const Standing& at, Audience audience) {
    return chain(at, audience, wording::Language::english, 60'000, "UTC", clock_text);
}

TEST(Chain, GoesDownToWhatRuns) {
    const auto steps = told(waiting(), Audience::staff);
    ASSERT_EQ(steps.size(), 2u);
    EXPECT_EQ(steps[0].code, "slot");
    EXPECT_EQ(steps[0].evidence[0], "2 of 2 slots are busy");
    EXPECT_EQ(steps[0].evidence[1], "since T10, for 50.0 s");
    EXPECT_EQ(steps[1].evidence[0], "ONE of ICS/PA1 (bob) has run for 40.0 s: in stage tests, 3 of 9 tests done");
    EXPECT_FALSE(steps[0].remedy.empty());
    EXPECT_EQ(steps[1].jobs, (std::vector<std::int64_t>{987654, 987655})) << "so that they can be looked at";
}

// Also not of one who has the same id in another course.
TEST(Chain, TellsAParticipantNothingOfOthers) {
    const std::string json = to_json(waiting(), told(waiting(), Audience::participant));
    for (const char* const of_others : {"bob", "ONE", "TWO", "PA1", "lab2", "OS/", "98765", "\"jobs\""})
        EXPECT_EQ(json.find(of_others), std::string::npos) << of_others << json;
    EXPECT_NE(json.find("2 submissions of others run; the longest has run for 40.0 s"), std::string::npos) << json;
}

TEST(Chain, KeepsTheTechnicalPartOfAFaultForStaff) {
    Standing at = waiting();
    at.reason = model::Reason::retry;
    at.detail = model::WaitDetail{.kind = model::WaitDetailKind::fault, .text = "open(cell): no"};
    at.faults = 1;
    EXPECT_EQ(to_json(at, told(at, Audience::participant)).find("open(cell)"), std::string::npos);
    EXPECT_NE(to_json(at, told(at, Audience::staff)).find("open(cell)"), std::string::npos);
}

// Every reason of the list has a sentence, evidence and a way out, in both languages.
TEST(Chain, AnswersForEveryReason) {
    for (const model::Reason reason : model::all<model::Reason>()) {
        for (const auto language : {wording::Language::english, wording::Language::chinese}) {
            Standing at = waiting();
            at.reason = reason;
            const auto steps = chain(at, Audience::staff, language, 60'000, "UTC", clock_text);
            EXPECT_EQ(steps[0].code, model::to_string(reason));
            EXPECT_FALSE(steps[0].text.empty());
            EXPECT_GE(steps[0].evidence.size(), 2u);
            EXPECT_FALSE(steps[0].remedy.empty());
        }
    }
}

TEST(Chain, SaysWhatOneThatRunsDoes) {
    Standing at = waiting();
    at.state = model::State::running;
    at.reason.reset();
    at.running[1].submission = "MINE";
    at.running[1].stage = "build";
    const auto steps = told(at, Audience::participant);
    ASSERT_EQ(steps.size(), 1u);
    EXPECT_EQ(steps[0].text, "it runs: in stage build, 0 of 0 tests done");
}

// A state is called as everywhere else, not by the word of the interface.
TEST(Chain, NamesTheStateOfOneThatDoesNotWait) {
    Standing at = waiting();
    at.state = model::State::graded;
    at.reason.reset();
    EXPECT_EQ(told(at, Audience::staff).at(0).text, "it does not wait: it is graded");
    EXPECT_EQ(chain(at, Audience::staff, wording::Language::chinese, 60'000, "UTC", clock_text).at(0).text,
              "它没有在等待，状态为 已评分");
}

}  // namespace
}  // namespace assay::diagnosis
