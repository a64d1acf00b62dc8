#include "intake/spool.hh"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace assay::intake
