#include "serve/admission_keeper.hh"

#include <gtest/gtest.h>

namespace assay::serve {
namespace {

TEST(JobsMemory, LeavesAFifthAndNeverLessThan384MiBWhereThereIsMore) {
    constexpr std::int64_t mib = 1 << 20;
    EXPECT_EQ(jobs_memory_bytes(8000 * mib), 6400 * mib);
    EXPECT_EQ(jobs_memory_bytes(1000 * mib), 616 * mib);
    EXPECT_EQ(jobs_memory_bytes(400 * mib), 100 * mib) << "some of the smallest is still for jobs";
    EXPECT_EQ(jobs_memory_bytes(0), 0) << "what is not known bounds nothing";
}

TEST(WhyNothingStarts, NamesTheResourceAndItsNumbers) {
    using enum model::WaitDetailKind;
    admission::Samples samples;
    samples.memory = admission::Memory{.total_bytes = 1000, .available_bytes = 40};
    samples.sync_ms = 2500;
    admission::Decision decision;
    EXPECT_FALSE(why_nothing_starts(samples, decision));
    decision.level = 1;
    EXPECT_EQ(why_nothing_starts(samples, decision), (model::WaitDetail{.kind = memory_short, .number = 40, .of = 1000}));
    decision.resource = admission::Resource::disk;
    EXPECT_EQ(why_nothing_starts(samples, decision), (model::WaitDetail{.kind = disk_slow, .number = 2500}));
}

}  // namespace
}  // namespace assay::serve
