#include "serve/capacity.hh"

#include <gtest/gtest.h>

namespace assay::serve {
namespace {

TEST(Capacity, TenThousandConnectionsWhereThereAreDescriptors) {
    EXPECT_GE(capacity_of(20'000).connections_max, 10'000u);
    EXPECT_EQ(capacity_of(1u << 30).connections_max, connections_most);
}

TEST(Capacity, NeverMoreThanThereIs) {
    for (const std::uint64_t descriptors : {64u, 256u, 1024u, 4096u, 20'000u, 65'536u}) {
        const Capacity capacity = capacity_of(descriptors);
        const std::uint64_t reserve = std::min<std::uint64_t>(reserve_descriptors, descriptors / 2);
        EXPECT_LE(capacity.connections_max + capacity.spools_max + reserve, descriptors) << descriptors;
        EXPECT_GT(capacity.connections_max, 0u) << descriptors;
        EXPECT_GT(capacity.spools_max, 0u) << descriptors;
        EXPECT_GT(capacity.verify_files_max, 0u) << descriptors;
        EXPECT_LT(capacity.verify_files_max, capacity.spools_max) << descriptors;
        EXPECT_LT(capacity.event_streams_max, capacity.connections_max) << descriptors;
    }
}

}  // namespace
}  // namespace assay::serve
