#include "wording/way.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

TEST(Way, SpeaksBothLanguages) {
    std::set<std::string> seen;
    for (int number = 0; number <= static_cast<int>(WaySaid::last_); ++number) {
        const auto it = static_cast<WaySaid>(number);
        const std::string english = say(Language::english, it, {"<0>", "<1>", "<2>", "<3>"});
        const std::string chinese = say(Language::chinese, it, {"<0>", "<1>", "<2>", "<3>"});
        EXPECT_TRUE(seen.insert(english).second && seen.insert(chinese).second) << english;
        EXPECT_FALSE(is_ascii(chinese)) << chinese;
    }
    std::set<std::string_view> ids;
    for (int number = 0; number <= static_cast<int>(WayStep::last_); ++number) {
        const auto step = static_cast<WayStep>(number);
        EXPECT_TRUE(ids.insert(id_of(step)).second);
        EXPECT_NE(name(Language::english, step), name(Language::chinese, step));
    }
}

}  // namespace
}  // namespace assay::wording
