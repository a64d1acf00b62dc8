#include "recorder/feed.hh"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

class FeedTest : public ::testing::Test {
protected:
    void read() {
        frame_->events.clear();
        reader_.read(*frame_, sys::this_moment().monotonic_ns);
    }
    std::unique_ptr<Feed> feed_ = Feed::make().value();
    FeedReader reader_ = FeedReader::open(feed_->descriptor()).value();
    std::unique_ptr<Frame> frame_ = std::make_unique<Frame>();
};

TEST_F(FeedTest, WhatTheServerSaysIsInTheNextFrame) {
    feed_->tell({.jobs_waiting = 7, .slots = 2});
    feed_->beat(1, 40);
    feed_->beat(1, 3);
    feed_->answered("/r/{key}", 200, 120.4);
    feed_->answered("/upload", 503, 900);
    feed_->committed(33);
    feed_->event(EventKind::job_started, 17, 0, "group");
    read();
    EXPECT_EQ(frame_->server.jobs_waiting, 7U);
    EXPECT_EQ(frame_->server.requests_total, 2U);
    EXPECT_EQ(frame_->server.requests_failed_total, 1U);
    EXPECT_EQ(frame_->server.commit_ms_max, 33U);
    ASSERT_EQ(frame_->loops.size(), 1U);
    EXPECT_EQ(frame_->loops[0].number, 1U);
    EXPECT_EQ(frame_->loops[0].lag_ms_max, 40U);
    ASSERT_EQ(frame_->slow_requests.size(), 2U);
    EXPECT_EQ(frame_->slow_requests[0].route.view(), "/upload");
    EXPECT_EQ(frame_->slow_requests[1].took_ms, 120U);
    ASSERT_EQ(frame_->events.size(), 1U);
    EXPECT_EQ(frame_->events[0].subject, 17U);
    read();  // What is of one frame is not told again; levels and sums are.
    EXPECT_EQ(frame_->server.commit_ms_max, 0U);
    EXPECT_EQ(frame_->loops[0].lag_ms_max, 0U);
    EXPECT_EQ(frame_->slow_requests.size(), 0U);
    EXPECT_EQ(frame_->events.size(), 0U);
    EXPECT_EQ(frame_->server.jobs_waiting, 7U);
    EXPECT_EQ(frame_->server.requests_total, 2U);
}

TEST_F(FeedTest, OnlyTheSlowestAreKeptInOrder) {
    for (const int ms : {5, 90, 20, 70, 10, 30, 80, 1}) feed_->answered("/" + std::to_string(ms), 200, ms);
    read();
    std::vector<std::uint64_t> took;
    for (const SlowRequest& one : frame_->slow_requests) took.push_back(one.took_ms);
    EXPECT_EQ(took, (std::vector<std::uint64_t>{90, 80, 70, 30, 20}));
}

// A recorder that could not look for a while gets the newest events, and says how many it missed.
TEST_F(FeedTest, EventsThatFindNoRoomAreCounted) {
    for (std::uint64_t i = 1; i <= feed_events_max + 10; ++i) feed_->event(EventKind::alarm, i);
    std::vector<std::uint64_t> seen;
    do {
        read();
        for (const Event& event : frame_->events) seen.push_back(event.subject);
    } while (frame_->events.size() > 0);
    EXPECT_EQ(seen.size(), feed_events_max);
    EXPECT_EQ(seen.back(), feed_events_max + 10);
    EXPECT_EQ(frame_->server.events_lost_total, 10U);
}

// Both sides at once: never half of one value and half of another.
TEST(Box, IsReadWholeOrNotAtAll) {
    struct Pair {
        std::array<std::uint64_t, 40> same;
    };
    Box<Pair> box;
    std::atomic<bool> stop{false};
    std::thread writer{[&] {
        Pair pair{};
        for (std::uint64_t i = 1; !stop; ++i) {
            pair.same.fill(i);
            box.put(pair);
        }
    }};
    int read = 0;
    while (read < 2'000) {
        Pair pair{};
        if (!box.get(pair)) continue;
        ++read;
        for (const std::uint64_t value : pair.same) ASSERT_EQ(value, pair.same[0]);
    }
    stop = true;
    writer.join();
}

}  // namespace
}  // namespace assay::recorder
