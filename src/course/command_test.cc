#include "course/command.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::course {
namespace {

using Words = std::vector<std::string>;

TEST(Command, SplitsLikeAShell) {
    struct Case {
        std::string_view text;
        Words words;
    };
    for (const auto& [text, words] : {
             Case{"make", {"make"}},
             {"  make\t-j2  all\n", {"make", "-j2", "all"}},
             {"echo 'a b' \"c d\"", {"echo", "a b", "c d"}},
             {"echo a'b'\"c\"d", {"echo", "abcd"}},
             {"echo '' \"\"", {"echo", "", ""}},
             {R"(echo a\ b \' \\)", {"echo", "a b", "'", "\\"}},
             {R"(echo "a\"b\\c\n")", {"echo", "a\"b\\c\\n"}},
             {R"(echo '$HOME | > ;' '\n')", {"echo", "$HOME | > ;", "\\n"}},
             {R"(echo \$HOME "\$x")", {"echo", "$HOME", "$x"}},
             {"echo a#b a~b X=1 {a}", {"echo", "a#b", "a~b", "X=1", "{a}"}},
         }) {
        const auto split = split_command(text);
        ASSERT_TRUE(split) << text << ": " << split.error().text();
        EXPECT_EQ(*split, words) << text;
    }
}

TEST(Command, RefusesWhatOnlyAShellCouldDo) {
    for (const char* text : {"a $HOME", "a | b", "a > b", "a < b", "a ; b", "a & b", "a `b`", "a \"$b\"", "a \"`b`\"",
                             "a *.c", "a ~/b", "a # b", "a (b)", "a ?.c"}) {
        const auto split = split_command(text);
        ASSERT_FALSE(split) << text;
        EXPECT_THAT(split.error().text(), testing::HasSubstr("would need a shell")) << text;
    }
    for (const char* text : {"", "  ", "''", "a 'b", "a \"b", "a \\"}) EXPECT_FALSE(split_command(text)) << text;
    EXPECT_FALSE(split_command(std::string(40'000, 'a')));
    EXPECT_FALSE(check_command({"a", std::string("b\0c", 3)}));
}

}  // namespace
}  // namespace assay::course
