#include "store/blobs.hh"

#include <gtest/gtest.h>

#include <algorithm>
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

int number_of(const FakeDisk& disk, std::string_view operation) {
    return static_cast<int>(std::ranges::find(disk.log(), operation) - disk.log().begin());
}

// Whatever fails, once: nothing is promised, nothing stays in tmp/, and what is promised afterwards holds.
TEST(Blobs, AFailureOfAnyCallIsARefusalAndNoMore) {
    const int operations = operations_of_one_put();
    for (int at = 0; at < operations; ++at) {
        FakeDisk disk = fresh_disk();
        disk.fail(at);
        {
            Blobs blobs = on(disk);
            const auto refused = blobs.put(bytes_of(content));
            ASSERT_FALSE(refused) << at;
            EXPECT_TRUE(disk.list("/d/tmp")->empty()) << at;
        }
        disk.crash();
        EXPECT_TRUE(survives(disk)) << at;  // By the next process.
    }
}

// The page cache takes what a failed sync lost for written, so that the next sync "succeeds".
TEST(Blobs, AFileWhoseSyncFailedGetsNoName) {
    FakeDisk probe = fresh_disk();
    ASSERT_TRUE(on(probe).put(bytes_of(content)));
    FakeDisk disk = fresh_disk();
    disk.fail(number_of(probe, "sync_data"));
    EXPECT_EQ(on(disk).put(bytes_of(content)).error().fault(), Fault::disk_failed);
    EXPECT_EQ(std::ranges::count(disk.log(), "rename"), 0);
    EXPECT_EQ(std::ranges::count(disk.log(), "sync_data"), 1);
}

TEST(Blobs, ADirectoryWhoseSyncFailedIsNotBelievedAgainByThisProcess) {
    FakeDisk probe = fresh_disk();
    const auto digest = on(probe).put(bytes_of(content));
    ASSERT_TRUE(digest);
    FakeDisk disk = fresh_disk();
    disk.fail(number_of(probe, "sync_directory"));
    Blobs blobs = on(disk);
    EXPECT_TRUE(blobs.untrusted().empty());
    ASSERT_FALSE(blobs.put(bytes_of(content)));
    EXPECT_EQ(blobs.put(bytes_of(content)).error().fault(), Fault::disk_failed);
    EXPECT_EQ(blobs.untrusted(), (std::vector<std::string>{"/d/blobs/" + digest->substr(0, 2)}));
    // Another directory is another matter.
    std::string other = content;
    do other += '.';
    while (sys::sha256_hex(bytes_of(other)).starts_with(digest->substr(0, 2)));
    EXPECT_TRUE(blobs.put(bytes_of(other)));
    disk.crash();
    EXPECT_EQ(blobs.get(sys::sha256_hex(bytes_of(other)), 1000).value(), other);
}

// What is on its way leaves the room to what must be written.
TEST(Blobs, ASpentDiskTakesNoMoreBytes) {
    FakeDisk disk = fresh_disk();
    const auto space = Space::open(disk, "/d", "/d/reserve", 0);
    ASSERT_TRUE(space);
    Blobs blobs{disk, "/d/blobs", "/d/tmp", space->get()};
    auto incoming = blobs.begin();
    ASSERT_TRUE(incoming);
    ASSERT_TRUE(incoming->write(bytes_of("half")));
    disk.set_free(1);
    (*space)->look();
    EXPECT_EQ(incoming->write(bytes_of("more")).error().fault(), Fault::disk_full);
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
