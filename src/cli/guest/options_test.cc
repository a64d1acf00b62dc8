#include "cli/guest/options.hh"

#include <gmock/gmock.h>

namespace assay::cli {
namespace {

using ::testing::ElementsAre;

Result<GuestOptions> parsed(const std::vector<const char*>& words) { return guest_options(words); }
std::string refusal(const std::vector<const char*>& words) {
    const auto options = parsed(words);
    return options ? "" : options.error().text();
}

TEST(GuestOptions, WhatIsNotSaidIsTheStages) {
    const GuestOptions options = parsed({"--", "true"}).value();
    EXPECT_EQ(options.limits, (model::Limits{.cpu_ms = -1, .wall_ms = -1, .memory_bytes = -1, .processes = -1, .output_bytes = -1, .disk_bytes = -1, .open_files = -1}));
    EXPECT_EQ(options.report, -1);
}

TEST(GuestOptions, BothSpellingsOfAValue) {
    const GuestOptions options =
        parsed({"--cpu", "1.5s", "--wall=2min", "--memory", "64MiB", "--processes=7", "--output", "0", "--disk=1 MiB", "--open-files", "9", "--report=3", "--", "a"}).value();
    EXPECT_EQ(options.limits, (model::Limits{.cpu_ms = 1500, .wall_ms = 120'000, .memory_bytes = 64 << 20, .processes = 7, .output_bytes = 0, .disk_bytes = 1 << 20, .open_files = 9}));
    EXPECT_EQ(options.report, 3);
}

// Whatever follows is the program's own, however much it looks like ours.
TEST(GuestOptions, TheCommandIsLeftAlone) {
    EXPECT_THAT(parsed({"--", "--cpu", "--", "[a,b]", ""}).value().command, ElementsAre("--cpu", "--", "[a,b]", ""));
    EXPECT_THAT(parsed({"--cpu=1s", "ls", "--help", "--", "-h"}).value().command, ElementsAre("ls", "--help", "--", "-h"));
    EXPECT_THAT(parsed({"", "x"}).value().command, ElementsAre("", "x"));
}

TEST(GuestOptions, HelpIsAskedForBeforeTheCommandAlone) {
    EXPECT_TRUE(parsed({"--help"}).value().help);
    EXPECT_TRUE(parsed({"--cpu=1s", "-h", "--", "true"}).value().help);
    EXPECT_FALSE(parsed({"--", "-h"}).value().help);
}

TEST(GuestOptions, WhatIsWrongIsNamed) {
    const std::string hint = " (/assay/run --help says more)";
    EXPECT_EQ(refusal({}), "there is no command" + hint);
    EXPECT_EQ(refusal({"--"}), "there is no command" + hint);
    EXPECT_EQ(refusal({"--cpu"}), "--cpu lacks its value" + hint);
    EXPECT_EQ(refusal({"--cp", "1s", "--", "true"}), "there is no option '--cp'" + hint);
    EXPECT_EQ(refusal({"-c", "--", "true"}), "there is no option '-c'" + hint);
    EXPECT_EQ(refusal({"--cpu=1s", "--cpu", "2s", "true"}), "--cpu is given twice" + hint);
    EXPECT_EQ(refusal({"--cpu", "1x", "--", "true"}), "--cpu: '1x' is not a duration such as 200ms, \"1.5 s\", 2min, 1h or 3d");
    EXPECT_EQ(refusal({"--memory=", "--", "true"}), "--memory: '' is not a size such as 512, 64KiB, \"12 MiB\" or 1GiB");
    for (const char* const wrong : {"x", "", "-1", "1.5", "0x10", "99999999999999999999", "2000000000"}) {
        EXPECT_EQ(refusal({"--report", wrong, "--", "true"}), "--report: '" + std::string{wrong} + "' is not a number from 0 up");
    }
}

}  // namespace
}  // namespace assay::cli
