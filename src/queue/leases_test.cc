#include "queue/leases.hh"

#include <gtest/gtest.h>

#include "testing/manual_clock.hh"

namespace assay::queue {
namespace {

using namespace std::chrono_literals;

TEST(LeaseTable, AHeartbeatRenewsWhatItNamesAndSilenceEndsThemOnce) {
    testing::ManualClock clock;
    LeaseTable table;
    table.begin_session(1, 2);
    const Token a{JobId{1}, 1, 1};
    const Token b{JobId{2}, 1, 1};
    table.add(a, clock.now());
    clock.advance(20s);
    table.add(b, clock.now());
    EXPECT_TRUE(table.renew(a, clock.now()));
    EXPECT_FALSE(table.renew({JobId{1}, 2, 1}, clock.now()));
    clock.advance(29s);
    EXPECT_TRUE(table.lapsed(clock.now()).empty());
    clock.advance(1s);  // The boundary itself counts as lapsed.
    EXPECT_EQ(table.next_deadline(), clock.now());
    EXPECT_EQ(table.lapsed(clock.now()).size(), 2u);
    EXPECT_TRUE(table.lapsed(clock.now()).empty());
    EXPECT_FALSE(table.holds(a));
    EXPECT_EQ(table.next_deadline(), std::nullopt);
}

TEST(LeaseTable, ASessionTakesItsOwnLeasesWithIt) {
    testing::ManualClock clock;
    LeaseTable table;
    table.begin_session(1, 2);
    table.begin_session(2, 3);
    EXPECT_EQ(table.slots(), 5);
    table.add({JobId{1}, 1, 1}, clock.now());
    table.add({JobId{2}, 4, 2}, clock.now());
    EXPECT_EQ(table.end_session(1), (std::vector<Token>{{JobId{1}, 1, 1}}));
    EXPECT_TRUE(table.end_session(1).empty());
    EXPECT_FALSE(table.live(1));
    EXPECT_TRUE(table.holds({JobId{2}, 4, 2}));
    table.remove({JobId{2}, 3, 2});  // A stale token removes nothing.
    EXPECT_EQ(table.count(), 1u);
    table.remove({JobId{2}, 4, 2});
    EXPECT_EQ(table.count(), 0u);
    EXPECT_EQ(table.slots(), 3);
    table.add({JobId{5}, 1, 2}, clock.now());
    EXPECT_EQ(table.end_all_sessions().size(), 1u);
    EXPECT_EQ(table.slots(), 0);
}

}  // namespace
}  // namespace assay::queue
