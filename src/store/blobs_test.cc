#include "store/blobs.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "sys/file.hh"
#include "sys/random.hh"
#include "testing/fake_disk.hh"

namespace assay::store {
namespace {

using testing::FakeDisk;

constexpr const char* content = "what somebody handed in";

FakeDisk fresh_disk() { return FakeDisk{{"/d", "/d/blobs", "/d/tmp"}}; }
Blobs on(FakeDisk& disk) { return Blobs{disk, "/d/blobs", "/d/tmp"}; }

// Whether the property holds: a blob whose digest was given out is there and whole after a crash right then.
bool survives(FakeDisk& disk) {
    Blobs blobs = on(disk);
    const auto digest = blobs.put(bytes_of(content));
    disk.crash();
    if (!digest) return true;  // Nothing was promised.
    const auto found = blobs.get(*digest, 1000);
    return found && *found == content;
}

int operations_of_one_put() {
    FakeDisk disk = fresh_disk();
    EXPECT_TRUE(survives(disk));
    return disk.operations();
}

TEST(Blobs, APowerCutAtEveryOperationLosesNothingPromised) {
    const int operations = operations_of_one_put();
    ASSERT_GE(operations, 6);
    for (int at = 0; at <= operations; ++at) {
        FakeDisk disk = fresh_disk();
        disk.cut_power_at(at);
        EXPECT_TRUE(survives(disk)) << "power cut at operation " << at;
    }
}

// The test above can fail: with any call of the rule left out, what was promised is lost.
TEST(Blobs, EveryCallOfTheRuleIsNeeded) {
    const int operations = operations_of_one_put();
    for (int left_out = 0; left_out < operations; ++left_out) {
        FakeDisk disk = fresh_disk();
        disk.skip(left_out);
        const bool held = survives(disk);
        const std::string& name = disk.log()[static_cast<std::size_t>(left_out)];
        if (name == "create") continue;  // Cannot be left out: there would be no file.
        if (name == "make_directory") {  // Then the rename fails, and nothing is promised.
            EXPECT_TRUE(held);
            continue;
        }
        EXPECT_FALSE(held) << "without operation " << left_out << " (" << name << ")";
    }
}

// A predecessor that was killed between mkdir and fsync leaves a parent that exists and may yet vanish.
TEST(Blobs, AnExistingParentIsSyncedByEveryNewProcess) {
    FakeDisk disk = fresh_disk();
    {
        FakeDisk probe = fresh_disk();
        const auto digest = on(probe).put(bytes_of(content));
        ASSERT_TRUE(digest);
        ASSERT_TRUE(disk.make_directory("/d/blobs/" + digest->substr(0, 2)));
    }
    EXPECT_TRUE(survives(disk));
}

// What lies under the right name may have been damaged; new bytes always replace it.
TEST(Blobs, AnExistingBlobIsRenamedOver) {
    FakeDisk disk = fresh_disk();
    Blobs blobs = on(disk);
    const auto digest = blobs.put(bytes_of(content));
    ASSERT_TRUE(digest);
    const std::string path = "/d/blobs/" + digest->substr(0, 2) + "/" + *digest;
    ASSERT_TRUE(disk.remove(path));
    ASSERT_TRUE((*disk.create(path))->write(bytes_of("damaged")));
    EXPECT_EQ(blobs.get(*digest, 1000).error().fault(), Fault::disk_failed);
    ASSERT_TRUE(blobs.put(bytes_of(content)));
    EXPECT_EQ(blobs.get(*digest, 1000).value(), content);
}

TEST(Blobs, AnUploadGivenUpLeavesNothing) {
    FakeDisk disk = fresh_disk();
    Blobs blobs = on(disk);
    {
        auto incoming = blobs.begin();
        ASSERT_TRUE(incoming);
        ASSERT_TRUE(incoming->write(bytes_of("half")));
        const auto again = incoming->open_again();
        ASSERT_TRUE(again);
        EXPECT_EQ(sys::read_all(*again, 10).value(), "half");
        EXPECT_EQ(disk.list("/d/tmp")->size(), 1u);
    }
    EXPECT_TRUE(disk.list("/d/tmp")->empty());
}

TEST(Blobs, NamesThatAreNoDigestReachNoFile) {
    FakeDisk disk = fresh_disk();
    Blobs blobs = on(disk);
    EXPECT_EQ(blobs.get("../../etc/passwd", 1000).error().fault(), Fault::missing);
    EXPECT_EQ(blobs.get(std::string(64, '0'), 1000).error().fault(), Fault::missing);
    EXPECT_FALSE(blobs.contains(std::string(64, '0')).value());
}

TEST(Blobs, WorkOnARealDisk) {
    const std::string root = std::filesystem::temp_directory_path() / ("assay-blobs-" + sys::random_text(8, "abcdefgh"));
    ASSERT_TRUE(sys::make_directory(root));
    ASSERT_TRUE(sys::make_directory(root + "/blobs"));
    ASSERT_TRUE(sys::make_directory(root + "/tmp"));
    Blobs blobs{sys::real_disk(), root + "/blobs", root + "/tmp"};
    const auto digest = blobs.put(bytes_of(content));
    ASSERT_TRUE(digest) << digest.error().text();
    EXPECT_EQ(blobs.get(*digest, 1000).value(), content);
    EXPECT_EQ(blobs.get(*digest, 5).error().fault(), Fault::too_large);
    EXPECT_TRUE(blobs.contains(*digest).value());
    ASSERT_TRUE(sys::real_disk().create(root + "/tmp/left-behind"));
    ASSERT_TRUE(blobs.sweep());
    EXPECT_TRUE(sys::list_directory(root + "/tmp")->empty());
    ASSERT_TRUE(sys::remove_tree(root));
}

}  // namespace
}  // namespace assay::store
