#include "client/ignore.hh"

#include <gtest/gtest.h>

namespace assay::client {
namespace {

// "4" where line 4 leaves it out, "!4" where it lets it go, "" where no rule is about it.
std::string by(std::string_view rules, std::string_view path, bool directory = false) {
    Ignore ignore;
    EXPECT_TRUE(ignore.enter("", rules, ""));
    const auto ruling = ignore.ruling(path, directory);
    return ruling ? (ruling->stays ? "" : "!") + std::to_string(ruling->line) : "";
}

struct Case {
    std::string_view rules;
    std::string_view path;
    std::string_view verdict;
    bool directory = false;
};

// The random trees in tests/client/ignore.cc hold us to git; these say what of it matters.
TEST(Ignore, ReadsRulesAsGitDoes) {
    constexpr Case cases[] = {
        {"*.o", "a.o", "1"},
        {"*.o", "src/deep/a.o", "1"},
        {"*.o\n!keep.o", "keep.o", "!2"},
        {"!keep.o\n*.o", "keep.o", "2"},              // the last one decides
        {"# *.o\n\n\\#a", "#a", "3"},
        {"\\!a", "!a", "1"},
        {"/a", "b/a", ""},
        {"/a", "a", "1"},
        {"b/a", "b/a", "1"},
        {"b/a", "c/b/a", ""},                         // a '/' inside ties it to the file's folder
        {"build/", "build", "1", true},
        {"build/", "build", ""},                      // a file of this name
        {"build/", "src/build", "1", true},
        {"**/x", "x", "1"},
        {"**/x", "a/b/x", "1"},
        {"a/**/x", "a/x", "1"},
        {"a/**/x", "a/b/c/x", "1"},
        {"a/**", "a", "", true},
        {"a/**", "a/b/c", "1"},
        {"a**/x", "ab/c/x", "1"},                     // git's own reading of what it calls undefined
        {"a/**\\/x", "a/b/x", "1"},
        {"a/**\\/x", "a/x", ""},                      // the slash is written, so it must be there
        {"a/*/x", "a/b/c/x", ""},
        {"a?c", "a/c", ""},
        {"[!a]b", "bb", "1"},
        {"[^a]b", "ab", ""},
        {"[]]", "]", "1"},
        {"[a-c]x", "bx", "1"},
        {"[[:digit:]]*", "7z", "1"},
        {"[[:nothing:]]", "n", ""},
        {"[[:space:]]", "\v", ""},                    // not among git's white space
        {"a[", "a[", ""},                             // without its end it matches nothing
        {"a\\", "a\\", ""},
        {"a ", "a", "1"},
        {"a\\ ", "a ", "1"},
        {"a\t", "a", ""},
        {"a\r\nb\r\n", "b", "2"},
        {"\xEF\xBB\xBF*.o", "a.o", "1"},
        {"\xE7\x9B\xAE?", "\xE7\x9B\xAE\xE5\xBD\x95", ""},  // '?' is one byte
        {"/", "a", ""},
        {"!", "a", ""},
    };
    for (const Case& c : cases) EXPECT_EQ(by(c.rules, c.path, c.directory), c.verdict) << c.rules << " | " << c.path;
}

TEST(Ignore, TheDeepestFileDecidesAndTheParticipantsOwnBeforeAll) {
    Ignore ignore;
    ASSERT_TRUE(ignore.enter("", "*.o\n/src/a.c", "!lib.o"));
    ASSERT_TRUE(ignore.enter("src", "!*.o\n/b.c", ""));
    const auto object = ignore.ruling("src/x.o", false);
    ASSERT_TRUE(object);
    EXPECT_FALSE(object->stays);
    EXPECT_EQ(object->file, "src/.gitignore");
    EXPECT_EQ(object->rule, "!*.o");
    EXPECT_EQ(ignore.ruling("src/lib.o", false)->file, ".assayignore");
    EXPECT_EQ(ignore.ruling("src/a.c", false)->file, ".gitignore");
    EXPECT_TRUE(ignore.ruling("src/b.c", false)->stays);
    ignore.leave();
    EXPECT_FALSE(ignore.ruling("b.c", false));
    EXPECT_TRUE(ignore.ruling("x.o", false)->stays);
}

// Hours, with a matcher that goes back.
TEST(Ignore, AHostilePatternCostsItsLengthForEachByte) {
    std::string stars, folders;
    for (int i = 0; i < 100; ++i) {
        stars += "a*?";
        folders += "**/a*/";
    }
    EXPECT_EQ(by(stars + "b", std::string(250, 'a')), "");
    std::string path;
    for (int i = 0; i < 500; ++i) path += "a/";
    EXPECT_EQ(by(folders + "b", path + "c"), "");
}

TEST(Ignore, WhatIsTooLargeIsNamedWithItsLine) {
    Ignore ignore;
    const auto longer = ignore.enter("src", "a\n" + std::string(pattern_bytes_max + 1, 'x'), "");
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().fault(), Fault::too_large);
    EXPECT_EQ(longer.error().text(), "src/.gitignore: line 2: a rule has at most 1024 bytes");
    std::string many;
    for (std::size_t i = 0; i <= ignore_rules_max; ++i) many += "a\n";
    EXPECT_FALSE(ignore.enter("src", "", many));
}

}  // namespace
}  // namespace assay::client
