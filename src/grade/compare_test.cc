#include "grade/compare.hh"

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::grade {
namespace {

TEST(FirstDifference, IsWhereAReaderLooks) {
    struct Case {
        model::Compare how;
        std::string expected, got;
        std::optional<model::Difference> difference;
    };
    using enum model::Compare;
    using enum model::DifferenceKind;
    using Side = std::optional<std::string>;
    constexpr std::nullopt_t the_end = std::nullopt;
    const auto at = [](std::int64_t line, std::int64_t column, Side want, Side have) {
        return model::Difference{.kind = character, .line = line, .column = column, .expected = std::move(want), .got = std::move(have)};
    };
    const auto at_word = [](std::int64_t number, std::int64_t line, Side want, Side have) {
        return model::Difference{.kind = word, .line = line, .word = number, .expected = std::move(want), .got = std::move(have)};
    };
    const Case cases[] = {
        {exact, "", "", {}},
        {exact, "a\nb\n", "a\nb\n", {}},
        {exact, "a\nb\n", "a\nb", model::Difference{.kind = newline_missing}},
        {exact, "a", "a\n", model::Difference{.kind = newline_extra}},
        {exact, "one\ntwo\n", "one\ntwx\n", at(2, 3, "o", "x")},
        {exact, "one\ntwo\n", "one\n", at(2, 1, "two", the_end)},
        {exact, "one\n", "one\ntwo\n", at(2, 1, the_end, "two")},
        {exact, "one\ntwo\n", "one\r\ntwo\r\n", at(1, 4, "", "\\x0d")},
        {exact, "中文\n", "中丈\n", at(1, 2, "文", "丈")},
        {exact, "a", "\x1b[2J", at(1, 1, "a", "\\x1b[2J")},
        {exact, "a b", "a  b", at(1, 3, "b", " b")},
        {whitespace, " a\t b\n\n", "a b", {}},
        {whitespace, "", " \n", {}},
        {whitespace, "a b\nc", "a b\nd", at_word(3, 2, "c", "d")},
        {whitespace, "a b", "ab", at_word(1, 1, "a", "ab")},
        {whitespace, "a b", "a", at_word(2, 1, "b", the_end)},
        {whitespace, "a", "a b", at_word(2, 1, the_end, "b")},
    };
    const auto text = [](const std::optional<model::Difference>& it) { return it ? model::to_json(*it) : std::string{"equal"}; };
    for (const Case& c : cases) {
        const auto found = first_difference({c.how, 1e-6}, c.expected, c.got);
        EXPECT_EQ(found, c.difference) << escaped(c.expected) << " | " << escaped(c.got) << ": " << text(found);
    }
    // It stays short however long the line is, and no bytes can break it.
    EXPECT_LT(first_difference({exact}, std::string(1 << 20, 'a'), std::string(1 << 20, 'b'))->got->size(), 100u);
    EXPECT_TRUE(valid_utf8(*first_difference({exact}, "\xff\xfe", "\xff\xfd")->got));
}

// What an editor leaves at the end of lines and files is nobody's mistake; everything else is compared.
TEST(FirstDifference, OfLinesLeavesTheirEndsAlone) {
    const auto equal = [](std::string_view expected, std::string_view got) {
        return !first_difference({model::Compare::lines}, expected, got);
    };
    EXPECT_TRUE(equal("a\nb\n", "a\nb"));
    EXPECT_TRUE(equal("a\nb", "a  \r\nb\t\n\n \n"));
    EXPECT_TRUE(equal("", "\n\n"));
    EXPECT_TRUE(equal("\na", "\na\n"));
    EXPECT_FALSE(equal("a\n\nb", "a\nb")) << "an empty line inside counts";
    EXPECT_FALSE(equal("a", " a")) << "blanks at the beginning count";
    EXPECT_FALSE(equal("a b", "a  b"));
    EXPECT_FALSE(equal("\na", "a"));
    EXPECT_FALSE(equal("a", ""));

    using Difference = model::Difference;
    constexpr auto character = model::DifferenceKind::character;
    EXPECT_EQ(first_difference({model::Compare::lines}, "one\ntwo\nthree\n", "one \ntwx\n"),
              (Difference{.kind = character, .line = 2, .column = 3, .expected = "o", .got = "x"}));
    EXPECT_EQ(first_difference({model::Compare::lines}, "one\ntwo", "one"),
              (Difference{.kind = character, .line = 2, .column = 1, .expected = "two", .got = std::nullopt}));
    EXPECT_EQ(first_difference({model::Compare::lines}, "one", "one\n\nmore"),
              (Difference{.kind = character, .line = 2, .column = 1, .expected = std::nullopt, .got = ""}));
    EXPECT_EQ(first_difference({model::Compare::lines}, "one two", "one"),
              (Difference{.kind = character, .line = 1, .column = 4, .expected = " two", .got = ""}));
    EXPECT_EQ(first_difference({model::Compare::lines}, "中文", "中丈")->column, 2);
}

TEST(FirstDifference, OfNumbersKnowsTheTolerance) {
    struct Case {
        const char* expected;
        const char* got;
        double tolerance;
        bool equal;
    };
    const Case cases[] = {
        {"3.14159", "3.1416", 1e-3, true},
        {"3.14159", "3.15", 1e-3, false},
        {"1000000", "1000001", 1e-6, true},   // as a share of what was expected
        {"0", "0.0000005", 1e-6, true},       // as it is
        {"1.5", "1.5", 0, true},
        {"1.5", "+1.50e0", 0, true},
        {"1", "1.0000001", 0, false},
        {"-0.0", "0", 0, true},
        {"x = 1.0 m", "x\n=\t0.9999999 m\n", 1e-6, true},
        {"x = 1.0", "y = 1.0", 1e-6, false},  // what is no number is text
        {"1.0", "one", 1, false},
        {"one", "1", 1, false},
        {"1 2", "1", 1e-6, false},
        {"1", "1 2", 1e-6, false},
        {"inf", "Infinity", 1e-6, true},
        {"inf", "-inf", 1e-6, false},
        {"inf", "1e308", 1, false},
        {"1e308", "inf", 1, false},
        {"nan", "-nan", 1e-6, true},
        {"nan", "0", 1, false},
        {"0", "nan", 1, false},
        {"1e999", "1e999", 0, true},          // More than a double holds: text, and the same.
        {"1e999", "inf", 1, false},
        {"0x10", "16", 1, false},
        {"1,5", "1.5", 1, false},
        {"+-1", "-1", 1, false},
        {"1.5abc", "1.5", 1, false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(!first_difference({model::Compare::float_, c.tolerance}, c.expected, c.got), c.equal) << c.expected << " | " << c.got;
    }
    EXPECT_EQ(first_difference({model::Compare::float_, 1e-6}, "a\n1.0", "a\n2.0"),
              (model::Difference{.kind = model::DifferenceKind::number, .line = 2, .word = 2, .expected = "1.0", .got = "2.0"}));
}

TEST(FirstDifference, OfAPatternTakesTheWholeOutput) {
    const auto matches = [](std::string_view pattern, std::string_view got) {
        return !first_difference({model::Compare::regex}, pattern, got);
    };
    EXPECT_TRUE(matches("[0-9]+", "42"));
    EXPECT_TRUE(matches("[0-9]+", "42\n")) << "the newline that every program prints need not be written";
    EXPECT_TRUE(matches("[0-9]+\n", "42\n"));
    EXPECT_FALSE(matches("[0-9]+\n", "42"));
    EXPECT_FALSE(matches("[0-9]+", "42\n\n"));
    EXPECT_FALSE(matches("[0-9]+", "x42"));
    EXPECT_TRUE(matches("(?s).*done.*", "line\ndone\nline"));
    EXPECT_FALSE(matches(".*done.*", "line\ndone"));
    EXPECT_TRUE(matches("中.", "中文\n"));
    EXPECT_FALSE(matches(".", "\xff"));
    // What takes a backtracking matcher for ever.
    EXPECT_FALSE(matches("(a*)*b", std::string(1 << 20, 'a')));
    EXPECT_FALSE(matches("(?s).*", std::string(pattern_got_max + 1, 'a')));
    EXPECT_EQ(first_difference({model::Compare::regex}, "a+", "b"),
              (model::Difference{.kind = model::DifferenceKind::pattern, .expected = "a+"}));

    EXPECT_TRUE(check_pattern("a{1,3}[[:alpha:]]\\d"));
    EXPECT_EQ(check_pattern("a(b").error().text(), "no pattern: missing ): a(b");
    EXPECT_FALSE(check_pattern("(a)\\1")) << "back references need a matcher that can be made to run for ever";
    EXPECT_FALSE(check_pattern("((a{100}){100}){100}"));
    EXPECT_FALSE(check_pattern(std::string(pattern_bytes_max + 1, 'a')));
}

}  // namespace
}  // namespace assay::grade
