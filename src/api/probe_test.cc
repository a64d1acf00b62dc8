#include "api/probe.hh"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "testing/ask_router.hh"
#include "testing/manual_clock.hh"

namespace assay::api {
namespace {

// What all probes of a minute take together is bounded, whoever sends them.
TEST(ProbeBudget, IsOfEachMinute) {
    testing::ManualClock clock;
    ProbeBudget budget;
    EXPECT_TRUE(budget.take(probe_bytes_per_minute_max, clock.now()));
    EXPECT_FALSE(budget.take(1, clock.now()));
    clock.advance(std::chrono::seconds{59});
    EXPECT_FALSE(budget.take(1, clock.now()));
    clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(budget.take(1, clock.now()));
}

}  // namespace
}  // namespace assay::api
