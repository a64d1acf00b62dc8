#include "intake/spool.hh"

#include <gtest/gtest.h>

#include "sys/clock.hh"
#include "testing/fake_disk.hh"

namespace assay::intake {
namespace {

struct Shelf {
    explicit Shelf(SpoolLimits limits = {}) : spools{blobs, limits} {}
    std::size_t files() { return disk.list("/d/tmp").value().size(); }
    testing::FakeDisk disk{{"/d", "/d/blobs", "/d/tmp"}};
    store::Blobs blobs{disk, "/d/blobs", "/d/tmp"};
    Spools spools;
};

// Thousands of uploads that send a byte now and then must not hold thousands of files.
TEST(Spool, KeepsItsFirst64KiBInMemory) {
    Shelf shelf;
    Spool spool{shelf.spools};
    const std::string half(32u << 10, 'h');
    ASSERT_TRUE(spool.write(bytes_of(half)));
    ASSERT_TRUE(spool.write(bytes_of(half)));
    EXPECT_EQ(shelf.files(), 0u);
    EXPECT_EQ(shelf.spools.memory_bytes(), 64u << 10);
    EXPECT_FALSE(spool.stays_in_memory(1));
    ASSERT_TRUE(spool.write(bytes_of("!")));
    EXPECT_EQ(shelf.files(), 1u);
    EXPECT_EQ(shelf.spools.files(), 1u);
    EXPECT_EQ(shelf.spools.memory_bytes(), 0u);
    EXPECT_FALSE(spool.stays_in_memory(1)) << "what is in a file goes on there";

    ASSERT_TRUE(spool.open_to_read());
    const auto digest = std::move(spool).keep();
    ASSERT_TRUE(digest);
    EXPECT_EQ(shelf.blobs.get(*digest, 1u << 20).value(), half + half + "!");
}

TEST(Spool, ASmallOneIsWrittenWhenItIsRead) {
    Shelf shelf;
    Spool spool{shelf.spools};
    ASSERT_TRUE(spool.write(bytes_of("small")));
    ASSERT_TRUE(spool.open_to_read());
    EXPECT_EQ(shelf.files(), 1u);
    const auto digest = std::move(spool).keep();
    ASSERT_TRUE(digest);
    EXPECT_EQ(shelf.blobs.get(*digest, 100).value(), "small");
}

TEST(Spool, AllTogetherAreBounded) {
    Shelf shelf{{.held_bytes_max = 10, .memory_bytes_max = 15, .files_max = 1}};
    Spool first{shelf.spools};
    ASSERT_TRUE(first.write(bytes_of("0123456789")));
    {
        Spool second{shelf.spools};
        EXPECT_FALSE(second.stays_in_memory(10)) << "the memory of all is used up";
        ASSERT_TRUE(second.write(bytes_of("0123456789")));
        EXPECT_EQ(shelf.files(), 1u);
        const auto full = first.write(bytes_of("x"));
        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().fault(), Fault::busy);
    }
    EXPECT_EQ(shelf.files(), 0u) << "what was not kept is gone";
    EXPECT_EQ(shelf.spools.files(), 0u);
    EXPECT_TRUE(first.write(bytes_of("x")));
}

// One who has sent little for long goes for the newcomer; who is quick, or has sent all of it, keeps his place.
TEST(Spool, TheSlowestHolderGoesWhenPlacesAreUsedUp) {
    Shelf shelf{{.held_bytes_max = 1, .memory_bytes_max = 1, .files_max = 3}};
    int shed_slow = 0, shed_whole = 0, shed_quick = 0;
    Spool slow{shelf.spools, [&] { ++shed_slow; }};
    Spool whole{shelf.spools, [&] { ++shed_whole; }};
    ASSERT_TRUE(slow.write(bytes_of("slow")));
    ASSERT_TRUE(whole.write(bytes_of("all")));
    ASSERT_TRUE(whole.open_to_read());
    Spool quick{shelf.spools, [&] { ++shed_quick; }};
    ASSERT_TRUE(quick.write(bytes_of(std::string(8u << 20, 'q'))));
    Spool late{shelf.spools};
    // Nobody is judged by his first second.
    const auto deadline = sys::system_clock().now() + std::chrono::seconds{20};
    Result<> taken = late.write(bytes_of("late"));
    while (!taken && sys::system_clock().now() < deadline) taken = late.write(bytes_of("late"));
    EXPECT_TRUE(taken);
    EXPECT_EQ(shed_slow, 1);
    EXPECT_EQ(shed_whole, 0);
    EXPECT_EQ(shed_quick, 0);
    EXPECT_EQ(shelf.spools.files(), 4u) << "until the one that was shed has gone";
    Spool later{shelf.spools};
    EXPECT_EQ(later.write(bytes_of("later")).error().fault(), Fault::busy) << "one is shed once, and the quick one never";
    EXPECT_EQ(shed_slow, 1);
    EXPECT_EQ(shed_quick, 0);
}

}  // namespace
}  // namespace assay::intake
