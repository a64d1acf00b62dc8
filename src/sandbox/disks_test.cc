#include "sandbox/disks.hh"

#include <gtest/gtest.h>

namespace assay::sandbox {
namespace {

TEST(Disks, AreFoundBehindAMount) {
    constexpr std::string_view mounts =
        "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        "28 27 0:25 /@home /home rw shared:3 - btrfs /dev/sdb2 rw,subvolid=257\n"
        "29 27 0:26 / /srv rw - overlay overlay rw\n"
        "2 27 8:16 / /other rw - xfs /dev/sdb rw\n"
        "31 27 0:40 / /net rw - nfs4 server:/dev/x rw\n"
        "32 27 bro";
    EXPECT_EQ(device_in(mounts, 27), "254:1");
    EXPECT_EQ(device_in(mounts, 28), "/dev/sdb2");
    EXPECT_EQ(device_in(mounts, 2), "8:16");
    for (const std::uint64_t none : {29U, 31U, 32U, 7U}) EXPECT_EQ(device_in(mounts, none), "") << none;
}

TEST(Disks, WhatLiesInMemoryLiesOnNoDisk) {
    const Result<std::string> found = disk_of("/proc");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().fault(), Fault::unsupported);
    EXPECT_FALSE(disk_of("/nowhere"));
}

}  // namespace
}  // namespace assay::sandbox
