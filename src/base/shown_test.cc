#include "base/shown.hh"

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay {
namespace {

TEST(Shown, LeavesOrdinaryTextAlone) {
    EXPECT_EQ(shown("a\tb\n中文 é 👍"), "a\tb\n中文 é 👍");
    EXPECT_EQ(shown("a\r\nb"), "a\nb");
}

// A terminal or a reader must not be fooled by what a submission prints.
TEST(Shown, MakesControlAndHiddenCharactersVisible) {
    EXPECT_EQ(shown("\x1b[2J"), "␛[2J");
    EXPECT_EQ(shown(std::string_view{"\0\r\x7f", 3}), "␀␍␡");
    EXPECT_EQ(shown("abc\u202Etxt"), "abc⟨U+202E⟩txt");
    EXPECT_EQ(shown("\u009b1m"), "\uFFFD1m");
    EXPECT_EQ(shown("\xff ok \xe4\xb8"), "\uFFFD ok \uFFFD");
}

TEST(Shown, IsValidWhateverComesIn) {
    std::string bytes;
    for (unsigned seed = 1, i = 0; i < 20'000; ++i) {
        seed = seed * 1664525u + 1013904223u;
        bytes += static_cast<char>(seed >> 24);
    }
    EXPECT_TRUE(valid_utf8(shown(bytes)));
    EXPECT_LE(shown(bytes).size(), 6 * bytes.size());
}

TEST(EndsOf, CutsBetweenCodePoints) {
    const std::string text = "中文中文中文";
    const Ends ends = ends_of(text, 10);
    EXPECT_EQ(ends.head, "中");
    EXPECT_EQ(ends.tail, "文");
    EXPECT_EQ(ends.left_out_bytes, 12u);
    EXPECT_EQ(ends_of("short", 10).head, "short");
    EXPECT_EQ(ends_of("short", 10).left_out_bytes, 0u);
}

}  // namespace
}  // namespace assay
