#include "sandbox/rootless.hh"

#include <gtest/gtest.h>

namespace assay::sandbox {
namespace {

TEST(Rootless, TakesTheLargestRangeOfTheUser) {
    const std::optional<Subordinate> none;
    EXPECT_EQ(subordinate_in("", "ann", 1000), none);
    EXPECT_EQ(subordinate_in("ann:100000:65536\n", "ann", 1000), (Subordinate{100000, 65536}));
    EXPECT_EQ(subordinate_in("bob:100000:65536\n1000:300000:8192", "ann", 1000), (Subordinate{300000, 8192})) << "by uid";
    EXPECT_EQ(subordinate_in("ann:100000:200\nann:300000:9000\n", "ann", 1000), (Subordinate{300000, 9000}));
    EXPECT_EQ(subordinate_in("ann:100000:1000000\n", "ann", 1000), (Subordinate{100000, 65536})) << "no more than is of use";
    for (const char* const bad : {"ann:100000:8191\n", "ann:x:65536\n", "ann:100000:\n", "ann:0:65536\n", "ann:4294967000:65536\n", "ann:1:2:3\n", ":100000:65536\n",
                                  "annie:100000:65536\n", "ann:-5:65536\n", "ann:99999999999:65536\n"})
        EXPECT_EQ(subordinate_in(bad, "ann", 1000), none) << bad;
    EXPECT_EQ(subordinate_in(":100000:65536\n", "", 1000), none) << "a user without a name";
}

}  // namespace
}  // namespace assay::sandbox
