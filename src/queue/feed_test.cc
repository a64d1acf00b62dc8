#include "queue/feed.hh"

#include <gtest/gtest.h>

namespace assay::queue {
namespace {

Topic topic_of(const char* participant) { return {CourseId{"C"}, ModuleId{"M"}, ParticipantId{participant}}; }

// Whoever looked before a change must be able to tell that he has to look again.
TEST(Feed, AVersionGrowsWithEachChangeOfItsTopicAndWithThoseOfAll) {
    Feed feed;
    const std::uint64_t first = feed.version(topic_of("ann"));
    feed.changed(topic_of("ann"));
    const std::uint64_t second = feed.version(topic_of("ann"));
    EXPECT_GT(second, first);
    feed.all_changed();
    EXPECT_GT(feed.version(topic_of("ann")), second);
}

TEST(Feed, OnlyListenersOfTheTopicAreToldUntilTheyEnd) {
    Feed feed;
    int ann = 0;
    int bob = 0;
    auto of_ann = feed.listen(topic_of("ann"), [&] { ++ann; });
    const auto of_bob = feed.listen(topic_of("bob"), [&] { ++bob; });
    feed.changed(topic_of("ann"));
    EXPECT_EQ(ann, 1);
    EXPECT_EQ(bob, 0);
    feed.all_changed();
    EXPECT_EQ(ann, 2);
    EXPECT_EQ(bob, 1);
    of_ann = {};
    feed.changed(topic_of("ann"));
    EXPECT_EQ(ann, 2);
}

}  // namespace
}  // namespace assay::queue
