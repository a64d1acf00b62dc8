#include "wording/wording.hh"

#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/text.hh"
#include "wording/duration.hh"
#include "wording/text.hh"

namespace assay::wording {
namespace {

bool has_chinese(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto point = next_code_point(text, at);
        if (point && *point >= 0x4e00 && *point <= 0x9fff) return true;
    }
    return false;
}

// Every text of the catalogue, with a name for messages.
void each_text(const std::function<void(const std::string&, const Text&)>& see) {
    for (std::size_t i = 0; i < sentence_count; ++i) {
        see("sentence " + std::to_string(i), text_of(static_cast<Sentence>(i)));
    }
    for (const auto word : model::all<model::Refusal>()) see(std::string{to_string(word)}, text_of(word));
    for (const auto word : model::all<model::Reason>()) see(std::string{to_string(word)}, text_of(word));
    for (const auto word : model::all<model::Verdict>()) see(std::string{to_string(word)}, text_of(word));
    for (const auto word : model::all<model::DifferenceKind>()) see(std::string{to_string(word)}, text_of(word));
    for (const auto word : model::all<model::WaitDetailKind>()) see(std::string{to_string(word)}, text_of(word));
    for (const auto word : model::all<model::Verdict>()) see(std::string{to_string(word)} + " (name)", name_of(word));
    for (const auto word : model::all<model::State>()) see(std::string{to_string(word)} + " (name)", name_of(word));
}

TEST(Catalogue, EveryEntryHasBothLanguagesWithTheSamePlaceholders) {
    each_text([](const std::string& name, const Text& text) {
        EXPECT_FALSE(text.english.empty()) << name;
        EXPECT_FALSE(text.chinese.empty()) << name;
        EXPECT_TRUE(valid_utf8(text.english)) << name;
        EXPECT_TRUE(valid_utf8(text.chinese)) << name;
        EXPECT_EQ(placeholders(text.english), placeholders(text.chinese)) << name;
        for (const auto part : {text.english, text.chinese}) {
            EXPECT_EQ(part, trimmed(part)) << name;
            EXPECT_EQ(part.find_first_of("\n\r\t"), std::string_view::npos) << name << ": a sentence is one line";
            EXPECT_EQ(part.find("  "), std::string_view::npos) << name;
            EXPECT_EQ(part.find("FIXME"), std::string_view::npos) << name;
        }
    });
}

// Words behind a number go by it: singular after 1 alone, in every sentence that has such words.
TEST(Catalogue, WordsGoByTheirNumber) {
    EXPECT_EQ(filled("{0} {0:file|files} of {1}", {"1", "2"}), "1 file of 2");
    EXPECT_EQ(filled("{0} {0:file|files} of {1}", {"0", "1"}), "0 files of 1");
    EXPECT_EQ(filled("{0} {0:is|are}{1:|s}", {"11", "1"}), "11 are");
    EXPECT_EQ(filled("{0:|many}{1}", {"1.0", "|}"}), "many|}");
    EXPECT_EQ(placeholders("{0} {2:file|files}"), 5u);
    for (const char* const wrong : {"{", "}", "{a}", "{0", "{8}", "{0:one}", "{0:a|b|c}", "{0file|files}", "{0:{1}|x}", "{}"})
        EXPECT_ANY_THROW(placeholders(wrong)) << wrong;
    const auto detail = [](model::WaitDetailKind kind, std::int64_t number, std::int64_t of) {
        return sentence(Language::english, model::WaitDetail{.kind = kind, .number = number, .of = of});
    };
    EXPECT_EQ(detail(model::WaitDetailKind::slots_busy, 1, 1), "1 of 1 slot is busy");
    EXPECT_EQ(detail(model::WaitDetailKind::slots_busy, 2, 2), "2 of 2 slots are busy");
    EXPECT_EQ(detail(model::WaitDetailKind::far_back, 1, 0), "behind at least 1 other");
    EXPECT_EQ(say(Language::english, Sentence::tests_left_out, {"1"}), "1 more test is not listed here; the report has them all.");
}

// A refusal or reason says what it means and what to do; in Chinese it is Chinese, and each is told apart from the others.
TEST(Catalogue, ClosedSetsAreRealSentencesInBothLanguages) {
    std::set<std::string> seen;
    const auto check = [&seen](std::string_view word, const Text& text) {
        EXPECT_GT(text.english.size(), 30u) << word;
        EXPECT_TRUE(text.english.ends_with('.')) << word;
        EXPECT_FALSE(has_chinese(text.english)) << word;
        EXPECT_TRUE(has_chinese(text.chinese)) << word;
        EXPECT_TRUE(text.chinese.ends_with("。")) << word;
        EXPECT_TRUE(seen.insert(std::string{text.english}).second) << word;
        EXPECT_TRUE(seen.insert(std::string{text.chinese}).second) << word;
    };
    for (const auto word : model::all<model::Refusal>()) check(to_string(word), text_of(word));
    for (const auto word : model::all<model::Reason>()) check(to_string(word), text_of(word));
    for (const auto word : model::all<model::Verdict>()) check(to_string(word), text_of(word));
}

// The plain upload's answer is one line of one sentence.
TEST(Catalogue, ARefusalIsOneSentence) {
    for (const auto word : model::all<model::Refusal>()) {
        const std::string text = sentence(Language::english, word);
        EXPECT_EQ(text.find(". "), std::string::npos) << text;
        EXPECT_EQ(sentence(Language::chinese, word).find("。"), sentence(Language::chinese, word).size() - 3) << text;
    }
}

// Programs are told the two halves apart.
TEST(Catalogue, ARefusalSaysWhatItIsAndWhatToDo) {
    for (const auto word : model::all<model::Refusal>()) {
        for (const auto language : {Language::english, Language::chinese}) {
            EXPECT_GT(meaning(language, word).size(), 10u) << to_string(word);
            EXPECT_GT(next_step(language, word).size(), 10u) << to_string(word);
            EXPECT_LT(meaning(language, word).size() + next_step(language, word).size(), sentence(language, word).size()) << to_string(word);
        }
    }
    EXPECT_EQ(meaning(Language::english, model::Refusal::empty), "The file is empty");
    EXPECT_EQ(next_step(Language::english, model::Refusal::empty), "Check that packing it worked, then send it again.");
    EXPECT_EQ(next_step(Language::chinese, model::Refusal::empty), "请检查打包是否成功，然后重新提交。");
}

TEST(Say, PutsArgumentsInPlaceAndNeverLooksInsideThem) {
    EXPECT_EQ(say(Language::english, Sentence::received_notice, {"{1}", "noon"}),
              "Received {1} at noon. It is stored and cannot get lost.");
    EXPECT_EQ(say(Language::chinese, Sentence::received_notice, {"ab12", "12:00"}), "已于 12:00 收到提交 ab12，已可靠保存，不会丢失。");
}

TEST(Sentence, OfADifference) {
    using enum model::DifferenceKind;
    const struct {
        model::Difference difference;
        const char* english;
        const char* chinese;
    } cases[] = {
        {{.kind = character, .line = 2, .column = 3, .expected = "o", .got = "{0}"}, "line 2, column 3: expected “o”, got “{0}”",
         "第 2 行第 3 列：期望为“o”，实际为“{0}”"},
        {{.kind = character, .line = 1, .column = 4, .expected = "", .got = {}}, "line 1, column 4: expected the end of the line, got the end",
         "第 1 行第 4 列：期望为行尾，实际为输出结尾"},
        {{.kind = word, .line = 2, .word = 3, .expected = "c", .got = "d"}, "word 3 (line 2 of what was expected): expected “c”, got “d”",
         "第 3 个词（期望输出的第 2 行）：期望为“c”，实际为“d”"},
        {{.kind = newline_missing}, "the newline at the end is missing", "末尾缺少一个换行符"},
        {{.kind = newline_extra}, "there is a newline too many at the end", "末尾多了一个换行符"},
        {{.kind = number, .line = 1, .word = 2, .expected = "1.0", .got = "2"},
         "the number at word 2 (line 1 of what was expected) is not close enough: expected “1.0”, got “2”",
         "第 2 个词（期望输出的第 1 行）的数值误差过大：期望为“1.0”，实际为“2”"},
        {{.kind = pattern, .expected = "a+"}, "it does not match the pattern “a+”", "内容与模式“a+”不匹配"},
        {{.kind = newline_missing, .file = "out.txt"}, "file out.txt: the newline at the end is missing", "文件 out.txt：末尾缺少一个换行符"},
        {{.kind = file_missing, .file = "out.txt"}, "file out.txt: there is no such file", "文件 out.txt：没有这个文件"},
        {{.kind = exit_code, .expected = "0", .got = "2"}, "expected exit code 0, got 2", "期望退出码为 0，实际为 2"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(sentence(Language::english, c.difference), c.english);
        EXPECT_EQ(sentence(Language::chinese, c.difference), c.chinese);
    }
}

TEST(Sentence, OfWhyItWaits) {
    using enum model::WaitDetailKind;
    const struct {
        model::WaitDetail detail;
        const char* english;
        const char* chinese;
    } cases[] = {
        {{.kind = slots_busy, .number = 1, .of = 2}, "1 of 2 slots is busy", "2 个运行位置中有 1 个正在使用"},
        {{.kind = cut_backoff, .number = 2000}, "cut by server stops; starts again in 2.0 s", "曾因服务器停止而中断，2.0 秒后重新开始"},
        {{.kind = host_lacks, .text = "memory {9}"}, "this host lacks: memory {9}", "这台主机缺少：memory {9}"},
        {{.kind = memory_short, .number = 20 << 20, .of = 1 << 30}, "memory: 20 MiB of 1 GiB are available", "内存：1 GiB 中仅有 20 MiB 可用"},
        {{.kind = disk_slow, .number = 2000}, "disk: a small write takes 2.0 s to be safe", "磁盘：一次小的写入需要 2.0 秒才能落盘"},
        {{.kind = disk_low, .number = 20 << 20, .of = 1 << 30}, "20 MiB are free on the server's disk, 1 GiB are needed",
         "服务器磁盘可用空间为 20 MiB，需要 1 GiB"},
        {{.kind = scratch_short, .number = 20 << 20, .of = 1 << 30},
         "1 GiB are needed for scratch on the server's disk, by it and those that run; 20 MiB may be taken",
         "它与正在运行的任务的临时空间需要服务器磁盘 1 GiB，目前可用 20 MiB"},
        {{.kind = none_connected}, "no runner is connected", "没有已连接的评测进程"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(sentence(Language::english, c.detail), c.english);
        EXPECT_EQ(sentence(Language::chinese, c.detail), c.chinese);
    }
    // Every kind finds the arguments its text asks for, and speaks both languages.
    for (const auto kind : model::all<model::WaitDetailKind>()) {
        EXPECT_FALSE(has_chinese(sentence(Language::english, model::WaitDetail{.kind = kind}))) << to_string(kind);
        EXPECT_TRUE(has_chinese(sentence(Language::chinese, model::WaitDetail{.kind = kind}))) << to_string(kind);
    }
}

TEST(Choose, FollowsQualities) {
    const struct {
        const char* header;
        Language expected;
    } cases[] = {
        {"", Language::english},
        {"zh-CN,zh;q=0.9,en;q=0.8", Language::chinese},
        {"en-US,en;q=0.9,zh;q=0.8", Language::english},
        {"en;q=0.5, zh;q=0.9", Language::chinese},
        {"de, fr;q=0.9", Language::english},
        {"de, zh-Hans;q=0.1", Language::chinese},
        {"zh;q=0, en;q=0.1", Language::english},
        {"ZH-cn", Language::chinese},
        {"zh , en", Language::chinese},
        {"en;q=nonsense, zh;q=0.1", Language::chinese},
        {"zhuang", Language::english},
        {";;;,,,q=1", Language::english},
        {"zh;q=1.000", Language::chinese},
        {"zh;q=7, en;q=0.1", Language::english},
    };
    for (const auto& c : cases) EXPECT_EQ(choose(c.header), c.expected) << c.header;
    EXPECT_EQ(choose("", Language::chinese), Language::chinese);
    EXPECT_EQ(choose("de, *;q=0.5", Language::chinese), Language::chinese);
    EXPECT_EQ(choose("*;q=0.5, en", Language::chinese), Language::english);
}

TEST(Duration, IsWordsOfItsLanguage) {
    const std::pair<double, const char*> rows[] = {{140, "140 毫秒"},      {3200, "3.2 秒"},       {125'000, "2 分 5 秒"}, {300'000, "5 分钟"},
                                                   {7'200'000, "2 小时"}, {9'000'000, "2 小时 30 分钟"}};
    for (const auto& [milliseconds, text] : rows) EXPECT_EQ(duration(Language::chinese, milliseconds), text);
    EXPECT_EQ(duration(Language::english, 300'000), "5 min");
}

// A header of any length is looked at only so far.
TEST(Choose, IsBounded) {
    std::string header;
    for (int i = 0; i < 10'000; ++i) header += "de,";
    EXPECT_EQ(choose(header + "zh"), Language::english);
}

}  // namespace
}  // namespace assay::wording
