#include "cli/check_load.hh"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

using sandbox::Standing;

// Whatever is amiss names its substitute or its cure.
TEST(LoadFindings, EachWithItsCure) {
    EXPECT_EQ(judge_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1").standing, Standing::fine);
    EXPECT_TRUE(judge_pressure("").cure.contains("psi=1"));

    EXPECT_TRUE(judge_lru_gen("", "").cure.contains("CONFIG_LRU_GEN"));
    EXPECT_EQ(judge_lru_gen("0x0000", "0").value, "off");
    EXPECT_TRUE(judge_lru_gen("0x0000", "0").cure.contains("min_ttl_ms"));
    EXPECT_EQ(judge_lru_gen("0x0007", "0").standing, Standing::weak);
    EXPECT_EQ(judge_lru_gen("0x0007", "1000").standing, Standing::fine);
    EXPECT_EQ(judge_lru_gen("0x0007", "1000").value, "on, min_ttl_ms 1000");

    EXPECT_TRUE(judge_protection("", false).value.contains("version 1"));
    EXPECT_TRUE(judge_protection("0", true).cure.contains("MemoryMin="));
    EXPECT_EQ(judge_protection("67108864", true).value, "64 MiB");
    EXPECT_EQ(judge_protection("max", true).standing, Standing::fine);
}

}  // namespace
}  // namespace assay::cli
