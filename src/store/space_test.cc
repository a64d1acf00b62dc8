#include "store/space.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "store/store.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "testing/fake_disk.hh"

namespace assay::store {
namespace {

using testing::FakeDisk;
using Level = Space::Level;

constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t wanted = 100 * mib;

struct SpaceOnADisk : ::testing::Test {
    FakeDisk disk{{"/d"}};
    std::unique_ptr<Space> open(std::int64_t free) {
        disk.set_free(free);
        auto opened = Space::open(disk, "/d", "/d/reserve", wanted);
        EXPECT_TRUE(opened) << opened.error().text();
        return std::move(*opened);
    }
    std::int64_t free() { return disk.room("/d")->free_bytes; }
    bool reserved() { return disk.list("/d").value() == std::vector<std::string>{"reserve"}; }
};

TEST_F(SpaceOnADisk, KeepsItsReserveFromOthers) {
    const auto space = open(500 * mib);
    EXPECT_EQ(space->level(), Level::ample);
    EXPECT_EQ(free(), 500 * mib - Space::reserved_bytes);
    EXPECT_TRUE(reserved());
}

// The whole story of a disk that fills and is emptied again, in one process.
TEST_F(SpaceOnADisk, GoesDownAtOnceAndComesBack) {
    const auto space = open(500 * mib);
    disk.set_free(wanted);
    EXPECT_EQ(space->look().level, Level::ample);  // Exactly what is asked for passes.
    disk.set_free(wanted - 1);
    EXPECT_EQ(space->look().level, Level::low);
    EXPECT_TRUE(reserved());
    disk.set_free(Space::group_bytes - 1);
    EXPECT_EQ(space->look().level, Level::spent);
    EXPECT_FALSE(reserved());
    EXPECT_EQ(free(), Space::group_bytes - 1 + Space::reserved_bytes);  // Given up, and so usable.

    disk.set_free(30 * mib);  // Enough for the reserve alone: it would be given up again with the next commit.
    EXPECT_EQ(space->look().level, Level::spent);
    disk.set_free(60 * mib);
    EXPECT_EQ(space->look().level, Level::low);
    EXPECT_TRUE(reserved());
    EXPECT_EQ(free(), 60 * mib - Space::reserved_bytes);
    disk.set_free(wanted + 1);
    EXPECT_EQ(space->look().level, Level::low);  // Not for one byte.
    disk.set_free(wanted + wanted / 8);
    EXPECT_EQ(space->look().level, Level::ample);
}

// A server must be able to start on a full disk: its verdicts are what has to be written.
TEST_F(SpaceOnADisk, StartsWithoutRoomForTheReserve) {
    const auto space = open(3 * mib);
    EXPECT_EQ(space->level(), Level::spent);
    EXPECT_FALSE(reserved());
    disk.set_free(500 * mib);
    EXPECT_EQ(space->look().level, Level::ample);
    EXPECT_TRUE(reserved());
}

TEST_F(SpaceOnADisk, APredecessorsReserveIsNoRoomLost) {
    disk.set_free(200 * mib);
    ASSERT_TRUE(disk.reserve("/d/reserve", 10 * mib));
    const auto opened = Space::open(disk, "/d", "/d/reserve", wanted);
    ASSERT_TRUE(opened);
    EXPECT_EQ(free(), 200 * mib - Space::reserved_bytes);
}

TEST_F(SpaceOnADisk, ByDefaultItIsAShareOfTheDisk) {
    const auto opened = Space::open(disk, "/d", "/d/reserve", 0);
    ASSERT_TRUE(opened);
    EXPECT_EQ((*opened)->state().needed_bytes, Space::intake_bytes_max);
}

// The reserved room is there for what was promised, not for what can be refused.
TEST_F(SpaceOnADisk, WhenSpentOnlyTheEssentialIsCommitted) {
    const std::string directory = std::filesystem::temp_directory_path() / ("assay-space-" + sys::random_text(8, "abcdefgh"));
    ASSERT_TRUE(sys::make_directory(directory));
    const auto space = open(1);
    auto store = open_sqlite({.path = directory + "/assay.db", .space = space.get()});
    ASSERT_TRUE(store) << store.error().text();
    const auto put = [&](const char* value, Need need) {
        return (*store)->write_and_wait([value](Tx& tx) -> Result<> { return tx.put_setting("it", value); }, need);
    };
    EXPECT_EQ(put("ordinary", Need::ordinary).error().fault(), Fault::disk_full);
    EXPECT_TRUE(put("essential", Need::essential));
    disk.set_free(500 * mib);
    EXPECT_TRUE(put("ordinary", Need::ordinary));  // It looks with every group: nobody has to tell it.
    store->reset();
    EXPECT_TRUE(sys::remove_tree(directory));
}

}  // namespace
}  // namespace assay::store
