#include "wording/diagnosis.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

// Every sentence speaks both languages, but for a setting that is one in any; and no two are one.
TEST(Diagnosis, SpeaksBothLanguages) {
    const std::vector<std::string> arguments{"<0>", "<1>", "<2>", "<3>", "<4>", "<5>"};
    std::set<std::string> seen;
    for (int number = 0; number <= static_cast<int>(Diagnosis::last_); ++number) {
        const auto it = static_cast<Diagnosis>(number);
        const std::string english = say(Language::english, it, arguments);
        const std::string chinese = say(Language::chinese, it, arguments);
        EXPECT_TRUE(seen.insert(english).second) << english;
        EXPECT_TRUE(it == Diagnosis::do_workers || !is_ascii(chinese)) << chinese;
        EXPECT_EQ((english + chinese).find_first_of("\n{}"), std::string::npos) << english;
    }
}

}  // namespace
}  // namespace assay::wording
