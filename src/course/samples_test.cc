#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "course/course.hh"
#include "course/samples.hh"

namespace assay::course {
namespace {

using ::testing::HasSubstr;
using Files = std::vector<archive::SourceFile>;

std::string refusal_of(const Files& files) {
    const auto read = read_samples("PA1", files);
    return read ? "(accepted)" : read.error().text();
}

TEST(Samples, AreReadWithWhatTheyExpect) {
    const auto read = read_samples("PA1", {{"module.toml", false, ""},
                                           {"samples/README.md", false, "about them"},
                                           {"samples/right/expect.toml", false, "verdict = \"passed\"\nscore = 100\n"},
                                           {"samples/right/src/d/a.c", true, "int a;"},
                                           {"samples/wrong/expect.toml", false, "verdict = \"time_limit\"\n"},
                                           {"samples/wrong/src/a.c", false, ""},
                                           {"samples/wrong/NOTES", false, "for authors"}});
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ((*read)[0].name, "right");
    EXPECT_EQ((*read)[0].verdict, model::Verdict::passed);
    EXPECT_EQ((*read)[0].score, 100);
    ASSERT_EQ((*read)[0].files.size(), 1U);
    EXPECT_EQ((*read)[0].files[0].path, "d/a.c");
    EXPECT_TRUE((*read)[0].files[0].executable);
    EXPECT_EQ((*read)[1].verdict, model::Verdict::time_limit);
    EXPECT_EQ((*read)[1].score, std::nullopt);
    EXPECT_EQ((*read)[1].files.size(), 1U);
}

TEST(Samples, WhatIsMissingOrUnknownIsNamed) {
    const archive::SourceFile source{"samples/one/src/a", false, ""};
    const auto expecting = [&](std::string text) { return refusal_of({source, {"samples/one/expect.toml", false, std::move(text)}}); };
    EXPECT_THAT(refusal_of({source}), HasSubstr("PA1/samples/one has no expect.toml"));
    EXPECT_THAT(refusal_of({{"samples/one/expect.toml", false, "verdict = \"passed\""}}), HasSubstr("no files in src/"));
    EXPECT_THAT(expecting("score = 1"), HasSubstr("verdict"));
    EXPECT_THAT(expecting("verdict = \"pass\""), HasSubstr("PA1/samples/one/expect.toml:1:"));
    EXPECT_THAT(expecting("verdict = \"passed\"\nscor = 1"), HasSubstr("did you mean 'score'"));
    EXPECT_THAT(expecting("verdict = \"passed\"\nscore = -1"), HasSubstr("score"));
}

// What `module new` writes is a module, and says itself how it must end.
TEST(Samples, ANewModuleCompilesAndHasBothKinds) {
    Files files = new_module("Sum");
    const auto samples = read_samples("Sum", files);
    ASSERT_TRUE(samples) << samples.error().text();
    ASSERT_EQ(samples->size(), 2U);
    EXPECT_NE((*samples)[0].verdict, (*samples)[1].verdict);
    for (archive::SourceFile& file : files) file.path = "Sum/" + file.path;
    files.push_back({"course.toml", false, "[course]\nid = \"C\"\ntimezone = \"UTC\"\n"});
    const auto compiled = compile(std::move(files), "UTC");
    ASSERT_TRUE(compiled) << compiled.error().text();
    ASSERT_EQ(compiled->modules.size(), 1U);
    EXPECT_EQ(compiled->modules[0].id.text(), "Sum");
    EXPECT_TRUE(check_fits(compiled->modules[0], {.memory_bytes = 1LL << 30, .cpus = 1}));
}

}  // namespace
}  // namespace assay::course
