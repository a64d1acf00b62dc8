#include "wording/command_line.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

// Every sentence speaks both languages, and no two are one.
TEST(CommandLine, SpeaksBothLanguages) {
    std::set<std::string> seen;
    for (int number = 0; number <= static_cast<int>(Told::last_); ++number) {
        const auto told = static_cast<Told>(number);
        const std::string english = say(Language::english, told, {"<0>", "<1>", "<2>", "<3>", "<4>", "<5>"});
        const std::string chinese = say(Language::chinese, told, {"<0>", "<1>", "<2>", "<3>", "<4>", "<5>"});
        EXPECT_TRUE(seen.insert(english).second && seen.insert(chinese).second) << english;
        EXPECT_TRUE(is_ascii(english)) << english;
        EXPECT_FALSE(is_ascii(chinese)) << chinese;
        EXPECT_EQ((english + chinese).find_first_of("\r\n{}"), std::string::npos) << english;
    }
}

TEST(CommandLine, GoesByTheLocale) {
    for (const char* const zh : {"zh", "zh_CN.UTF-8", "zh_CN", "zh.UTF-8", "zh-Hans", "zh@x"}) EXPECT_EQ(language_of_locale(zh), Language::chinese) << zh;
    for (const char* const other : {"", "C", "C.UTF-8", "POSIX", "en_US.UTF-8", "zhx", "de_DE"}) EXPECT_EQ(language_of_locale(other), Language::english) << other;
}

}  // namespace
}  // namespace assay::wording
