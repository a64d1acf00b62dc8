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

// A count of one is not followed by several.
TEST(CommandLine, CountsAgreeInEnglish) {
    struct Row {
        Told told;
        std::initializer_list<std::string_view> arguments;
        const char* english;
    };
    const Row rows[] = {
        {Told::packed, {"a.tar", "1 KiB", "1", "9 B", "f00"}, "a.tar: 1 KiB, 1 entry of 9 B, sha256 f00"},
        {Told::packed, {"a.tar", "1 KiB", "0", "0 B", "f00"}, "a.tar: 1 KiB, 0 entries of 0 B, sha256 f00"},
        {Told::sound, {"a.tar", "tar", "1", "9 B"}, "a.tar: sound tar, 1 entry of 9 B"},
        {Told::sound, {"a.tar", "tar", "21", "9 B"}, "a.tar: sound tar, 21 entries of 9 B"},
        {Told::plan_folder, {"1", "9 B", "1 KiB", "tar"}, "to hand in: 1 entry of 9 B, packed 1 KiB (tar)"},
        {Told::plan_folder, {"2", "9 B", "1 KiB", "tar"}, "to hand in: 2 entries of 9 B, packed 1 KiB (tar)"},
        {Told::plan_file, {"1", "9 B", "1 KiB", "tar"}, "to hand in: an archive of 1 KiB (tar), with 1 entry of 9 B"},
        {Told::plan_limits, {"1 KiB", "2 KiB", "1", "tar"}, "limits: 1 KiB packed, 2 KiB unpacked, 1 entry; tar"},
        {Told::plan_limits, {"1 KiB", "2 KiB", "100", "tar"}, "limits: 1 KiB packed, 2 KiB unpacked, 100 entries; tar"},
        {Told::file_too_large, {"1", "2"}, "the file is larger than the module takes: limit 1 byte, 2 bytes found"},
        {Told::file_locked, {"a", "1"}, "'a' is kept locked by another process; tried 1 time"},
        {Told::file_locked, {"a", "3"}, "'a' is kept locked by another process; tried 3 times"},
        {Told::receipt_genuine, {"i", "p", "c", "m", "1", "t"}, "genuine: i of p in c/m, 1 byte, received t"},
        {Told::receipt_genuine, {"i", "p", "c", "m", "11", "t"}, "genuine: i of p in c/m, 11 bytes, received t"},
    };
    for (const Row& row : rows) EXPECT_EQ(say(Language::english, row.told, row.arguments), row.english);
}

TEST(CommandLine, GoesByTheLocale) {
    for (const char* const zh : {"zh", "zh_CN.UTF-8", "zh_CN", "zh.UTF-8", "zh-Hans", "zh@x"}) EXPECT_EQ(language_of_locale(zh), Language::chinese) << zh;
    for (const char* const other : {"", "C", "C.UTF-8", "POSIX", "en_US.UTF-8", "zhx", "de_DE"}) EXPECT_EQ(language_of_locale(other), Language::english) << other;
}

}  // namespace
}  // namespace assay::wording
