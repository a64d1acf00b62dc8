#include "wording/client_side.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

// Every sentence speaks both languages, and no two are one.
TEST(ClientSide, SpeaksBothLanguages) {
    std::set<std::string> seen;
    for (int number = 0; number <= static_cast<int>(ClientSide::last_); ++number) {
        const auto it = static_cast<ClientSide>(number);
        const std::string english = say(Language::english, it, {"<0>", "<1>", "<2>", "<3>", "<4>"});
        const std::string chinese = say(Language::chinese, it, {"<0>", "<1>", "<2>", "<3>", "<4>"});
        EXPECT_TRUE(seen.insert(english).second && seen.insert(chinese).second) << english;
        EXPECT_FALSE(is_ascii(chinese)) << chinese;
        EXPECT_EQ((english + chinese).find_first_of("\n{}"), std::string::npos) << english;
    }
}

}  // namespace
}  // namespace assay::wording
