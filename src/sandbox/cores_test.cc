#include "sandbox/cores.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace assay::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Cores, AreNeededFirstWhereTheOnlyInterruptOfADiskComesIn) {
    const std::vector<int> four{0, 1, 2, 3};
    EXPECT_THAT(by_need(four, {}), ElementsAre(0, 1, 2, 3));
    const Interrupt movable{.cores = four, .comes_to = 3, .movable = true};
    const Interrupt of_one_core{
        .cores = {2}, .comes_to = 2, .movable = false};  // a queue for each core: what others ask comes to them
    EXPECT_THAT(by_need(four, std::vector{movable, of_one_core}), ElementsAre(0, 1, 2, 3));
    const Interrupt disk{.cores = four, .comes_to = 3, .movable = false};
    const Interrupt other_disk{.cores = {0, 1}, .comes_to = 1, .movable = false};
    EXPECT_THAT(by_need(four, std::vector{movable, disk, other_disk}), ElementsAre(1, 3, 0, 2));
    EXPECT_THAT(by_need(four, std::vector{disk, disk, other_disk}), ElementsAre(3, 1, 0, 2)) << "the busiest first";
    EXPECT_THAT(by_need({0, 1}, std::vector{disk}), ElementsAre(0, 1)) << "not one of ours";
}

TEST(Cores, AreReadFromTheListsOfTheKernel) {
    EXPECT_THAT(cores_in("0-2,5\n"), ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(cores_in("7"), ElementsAre(7));
    for (const char* wrong : {"", "\n", "a", "1-", "-1", "0-100000", "1,,2"})
        EXPECT_THAT(cores_in(wrong), IsEmpty()) << wrong;
}

}  // namespace
}  // namespace assay::sandbox
