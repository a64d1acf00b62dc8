#include "wording/trouble.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

TEST(Trouble, SpeaksBothLanguages) {
    std::set<std::string> seen;
    const auto is_fresh = [&](const std::string& english, const std::string& chinese) {
        EXPECT_TRUE(seen.insert(english).second && seen.insert(chinese).second) << english;
        EXPECT_FALSE(is_ascii(chinese)) << chinese;
    };
    constexpr auto en = Language::english;
    constexpr auto zh = Language::chinese;
    for (int i = 0; i <= static_cast<int>(Trouble::last_); ++i) {
        const auto it = static_cast<Trouble>(i);
        is_fresh(summary(en, it), summary(zh, it));
        is_fresh(remedy(en, it), remedy(zh, it));
        EXPECT_TRUE(seen.insert(std::string{to_string(it)}).second);
    }
    for (int i = 0; i <= static_cast<int>(Figure::last_); ++i)
        is_fresh(label(en, static_cast<Figure>(i)), label(zh, static_cast<Figure>(i)));
    const std::vector<std::string> arguments{"<0>", "<1>", "<2>", "<3>"};
    for (int i = 0; i <= static_cast<int>(TroubleLine::last_); ++i)
        is_fresh(say(en, static_cast<TroubleLine>(i), arguments), say(zh, static_cast<TroubleLine>(i), arguments));
}

}  // namespace
}  // namespace assay::wording
