#include "sandbox/own_cores.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OwnCores, AreCountedFromTheLastAndLeaveTheFirst) {
    const int eight[] = {0, 1, 2, 3, 4, 5, 6, 7};
    EXPECT_THAT(cores_of_slot(eight, 1, 0), ElementsAre(7));
    EXPECT_THAT(cores_of_slot(eight, 1, 6), ElementsAre(1));
    EXPECT_THAT(cores_of_slot(eight, 1, 7), IsEmpty());
    EXPECT_THAT(cores_of_slot(eight, 3, 0), ElementsAre(5, 6, 7));
    EXPECT_THAT(cores_of_slot(eight, 3, 1), ElementsAre(2, 3, 4));
    EXPECT_THAT(cores_of_slot(eight, 3, 2), IsEmpty());
    const int some[] = {2, 5};  // a container's share
    EXPECT_THAT(cores_of_slot(some, 1, 0), ElementsAre(5));
    EXPECT_THAT(cores_of_slot(some, 2, 0), IsEmpty());
    EXPECT_THAT(cores_of_slot({}, 1, 0), IsEmpty());
    const int needed_first[] = {3, 1, 0, 2};
    EXPECT_THAT(cores_of_slot(needed_first, 2, 0), ElementsAre(0, 2));
    EXPECT_THAT(cores_of_slot(needed_first, 1, 1), ElementsAre(0));
}

}  // namespace
}  // namespace assay::sandbox
