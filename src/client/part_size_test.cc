#include "client/part_size.hh"

#include <gtest/gtest.h>

namespace assay::client {
namespace {

using namespace std::chrono_literals;

// Whatever a link of this speed loses to parts that are too large for it, after a few there is one that it brings in time.
TEST(PartSize, OfASlowLinkBecomesWhatItBringsInTime) {
    for (const std::int64_t bytes_per_s : {1 << 10, 2 << 10, 9 << 10, 100 << 10}) {
        PartSize size{60s};
        int broken = 0;
        const auto takes = [&] { return std::chrono::milliseconds{size.bytes() * 1000 / bytes_per_s}; };
        for (; takes() >= 60s; ++broken) size.broke();
        EXPECT_LE(broken, 4) << bytes_per_s;
        for (int parts = 0; parts < 20; ++parts) {
            size.came(takes());
            EXPECT_LT(takes(), 60s) << bytes_per_s;
        }
    }
}

TEST(PartSize, GrowsAgainWhereTheyComeQuickly) {
    PartSize size{60s};
    for (int i = 0; i < 10; ++i) size.broke();
    EXPECT_EQ(size.bytes(), part_bytes_broken_min);
    size.came(16s);
    EXPECT_EQ(size.bytes(), part_bytes_broken_min);
    for (int i = 0; i < 10; ++i) size.came(1s);
    EXPECT_EQ(size.bytes(), part_bytes);
}

TEST(PartSize, WhatWasRefusedIsNotAskedAgain) {
    PartSize size{60s};
    EXPECT_TRUE(size.refused());
    EXPECT_EQ(size.bytes(), part_bytes / 4);
    size.came(1s);
    EXPECT_EQ(size.bytes(), part_bytes / 4);
    EXPECT_TRUE(size.refused());
    EXPECT_TRUE(size.refused());
    EXPECT_EQ(size.bytes(), part_bytes_refused_min);
    size.broke();
    EXPECT_EQ(size.bytes(), part_bytes_refused_min);
    EXPECT_FALSE(size.refused());
}

}  // namespace
}  // namespace assay::client
