#include "alert/outbox.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::alert {
namespace {

constexpr std::int64_t t0 = 1'760'000'000'000;

Message message(const std::string& id, Severity severity = Severity::day, std::int64_t at_ms = t0) {
    return {.id = id, .incident = id, .severity = severity, .host = "box", .cause = "x", .at_ms = at_ms};
}

std::string due(const Outbox& outbox, const std::string& receiver, std::int64_t now_ms) {
    const auto found = outbox.due(receiver, now_ms);
    return found ? found->id : "";
}

TEST(Outbox, EachReceiverTakesEachMessageOnceInOrder) {
    Outbox outbox{{{"a", 60}, {"b", 60}}};
    outbox.post(message("1"), {"a", "b"}, t0);
    outbox.post(message("2"), {"a", "unknown"}, t0);
    outbox.post(message("3"), {"unknown"}, t0);
    EXPECT_EQ(due(outbox, "a", t0), "1");
    EXPECT_EQ(due(outbox, "a", t0), "1");  // Until it was taken.
    outbox.taken("a", "1");
    EXPECT_EQ(due(outbox, "a", t0), "2");
    outbox.taken("a", "2");
    EXPECT_EQ(due(outbox, "a", t0), "");
    EXPECT_EQ(due(outbox, "b", t0), "1");
    EXPECT_EQ(outbox.waiting().size(), 1U);
    outbox.taken("b", "1");
    EXPECT_TRUE(outbox.waiting().empty());
    EXPECT_EQ(due(outbox, "unknown", t0), "");
}

TEST(Outbox, WhoFailsIsTriedLaterAndHoldsUpNobody) {
    Outbox outbox{{{"a", 60}, {"b", 60}}};
    outbox.post(message("1"), {"a", "b"}, t0);
    outbox.post(message("2"), {"a", "b"}, t0);
    std::int64_t now_ms = t0;
    for (const std::int64_t wait_ms : {2'000, 4'000, 8'000, 16'000}) {
        EXPECT_EQ(due(outbox, "a", now_ms), "1");
        outbox.failed("a", "1", "refused\n", now_ms);
        EXPECT_EQ(due(outbox, "a", now_ms + wait_ms - 1), "");  // The second does not overtake the first.
        EXPECT_EQ(outbox.next_ms("a", now_ms), now_ms + wait_ms);
        now_ms += wait_ms;
    }
    EXPECT_EQ(due(outbox, "b", t0), "1");
    EXPECT_EQ(outbox.waiting()[0].to[0].error, "refused\\n");
    for (int i = 0; i < 50; ++i) outbox.failed("a", "1", "x", t0);
    EXPECT_EQ(outbox.next_ms("a", t0), t0 + Outbox::retry_max_ms);
}

TEST(Outbox, KeepsToTheRate) {
    Outbox outbox{{{"a", 2}}};
    for (const char* const id : {"1", "2", "3"}) outbox.post(message(id), {"a"}, t0);
    for (const auto& [id, at_ms] : {std::pair{"1", t0}, {"2", t0 + 1000}}) {
        EXPECT_EQ(due(outbox, "a", at_ms), id);
        outbox.began("a", at_ms);
        outbox.taken("a", id);
    }
    EXPECT_EQ(due(outbox, "a", t0 + 59'999), "");
    EXPECT_EQ(outbox.next_ms("a", t0 + 2000), t0 + 60'000);
    EXPECT_EQ(due(outbox, "a", t0 + 60'000), "3");
}

TEST(Outbox, IsBounded) {
    Outbox outbox{{{"a", 60}}};
    outbox.post(message("wake", Severity::wake), {"a"}, t0);
    for (std::size_t i = 0; i < Outbox::messages_max + 10; ++i)
        outbox.post(message(std::to_string(i), i == 5 ? Severity::info : Severity::day), {"a"}, t0);
    EXPECT_EQ(outbox.waiting().size(), Outbox::messages_max);
    EXPECT_EQ(outbox.dropped(), 11);
    EXPECT_EQ(due(outbox, "a", t0), "wake");
    const auto& waiting = outbox.waiting();
    EXPECT_TRUE(std::ranges::none_of(waiting, [](const Posted& it) { return it.message.id == "5"; }));
    outbox.post(message("late", Severity::info, t0 + Outbox::keep_ms + 1), {"a"}, t0 + Outbox::keep_ms + 1);
    EXPECT_EQ(outbox.waiting().size(), 1U);
}

TEST(Outbox, RemembersForThoseWhoAreStillThere) {
    Outbox before{{{"a", 60}, {"b", 60}}};
    before.post(message("1"), {"a", "b"}, t0);
    before.post(message("2"), {"b"}, t0);
    before.failed("a", "1", "x", t0);
    Outbox after{{{"a", 60}}};
    after.remember(before.waiting(), t0);
    EXPECT_EQ(after.waiting().size(), 1U);
    EXPECT_EQ(due(after, "a", t0 + 1999), "");
    EXPECT_EQ(due(after, "a", t0 + 2000), "1");
    EXPECT_EQ(after.oldest_ms(t0 + 5000), 5000);
}

}  // namespace
}  // namespace assay::alert
