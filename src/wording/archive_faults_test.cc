#include "wording/archive_faults.hh"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

using model::ArchiveFault;

bool has_chinese(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto point = next_code_point(text, at);
        if (point && *point >= 0x4e00 && *point <= 0x9fff) return true;
    }
    return false;
}

// Every fault speaks both languages, says each of its arguments, and is told apart from the others.
TEST(ArchiveFaults, AreSaidInBothLanguages) {
    std::set<std::string> seen;
    for (const ArchiveFault fault : model::all<ArchiveFault>()) {
        const std::vector<std::string> marks{"<0>", "<1>"};
        const std::span arguments = std::span{marks}.first(model::argument_count(fault));
        for (const Language language : {Language::english, Language::chinese}) {
            const std::string text = sentence(language, fault, arguments);
            EXPECT_EQ(has_chinese(text), language == Language::chinese) << text;
            EXPECT_TRUE(seen.insert(text).second) << text;
            EXPECT_GT(text.size(), 10u) << to_string(fault);
            EXPECT_EQ(text, trimmed(text));
            EXPECT_EQ(text.find_first_of("\n{}"), std::string::npos) << text;
            EXPECT_FALSE(text.ends_with('.') || text.ends_with("。")) << text << ": it stands in brackets";
            for (const std::string& mark : arguments) EXPECT_TRUE(text.contains(mark)) << to_string(fault) << ": " << text;
        }
    }
}

TEST(ArchiveFaults, SayWhere) {
    const std::vector<std::string> size{"64 KiB"};
    const Place place{.entry = "zeros", .limit = 65536, .value = 70000, .offset = 512};
    EXPECT_EQ(sentence(Language::english, ArchiveFault::unpacked, size, place),
              "unpacks to more than 64 KiB, entry 'zeros', limit 65536, found 70000, at byte 512");
    EXPECT_EQ(sentence(Language::chinese, ArchiveFault::unpacked, size, place),
              "解开后超过 64 KiB，条目“zeros”，上限 65536，实际 70000，位于第 512 字节");
    EXPECT_EQ(sentence(Language::english, ArchiveFault::unpacked, size, {.limit = 65536}), "unpacks to more than 64 KiB");
    const std::vector<std::string> names{"{1}", "b"};  // What comes from the archive is never looked into.
    EXPECT_EQ(sentence(Language::english, ArchiveFault::required_below, names),
              "nothing below the wrapping folder 'b' matches '{1}', which this module requires");
}

TEST(TurnFaults, AreSaidInBothLanguages) {
    for (const TurnFault fault : {TurnFault::no_room, TurnFault::too_late}) {
        EXPECT_FALSE(has_chinese(sentence(Language::english, fault, 37)));
        EXPECT_TRUE(has_chinese(sentence(Language::chinese, fault, 37)));
        for (const Language language : {Language::english, Language::chinese})
            EXPECT_TRUE(sentence(language, fault, 37).contains("37"));
    }
    EXPECT_FALSE(has_chinese(sentence(Language::english, TurnFault::under_way, 0)));
    EXPECT_TRUE(has_chinese(sentence(Language::chinese, TurnFault::under_way, 0)));
}

TEST(FormFaults, AreSaidInBothLanguages) {
    EXPECT_EQ(sentence(Language::english, FormFault::field_missing, "token"), "the field 'token' is missing");
    EXPECT_EQ(sentence(Language::chinese, FormFault::field_missing, "token"), "缺少字段“token”");
    for (int i = 0; i <= static_cast<int>(FormFault::key_reused); ++i) {
        EXPECT_FALSE(has_chinese(sentence(Language::english, static_cast<FormFault>(i), "x"))) << i;
        EXPECT_TRUE(has_chinese(sentence(Language::chinese, static_cast<FormFault>(i), "x"))) << i;
    }
}

TEST(WithDetail, PutsItInBracketsOfTheLanguage) {
    EXPECT_EQ(with_detail(Language::english, "It is empty.", "no bytes"), "It is empty. (no bytes)");
    EXPECT_EQ(with_detail(Language::chinese, "是空的。", "大小为 0"), "是空的。（大小为 0）");
    EXPECT_EQ(with_detail(Language::english, "It is empty.", ""), "It is empty.");
}

}  // namespace
}  // namespace assay::wording
