#include "wording/chain.hh"

#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::wording {
namespace {

TEST(Chain, SpeaksBothLanguages) {
    const std::vector<std::string> arguments{"<0>", "<1>", "<2>", "<3>", "<4>"};
    std::set<std::string> seen;
    const auto is_fresh = [&](const std::string& english, const std::string& chinese) {
        EXPECT_TRUE(seen.insert(english).second && seen.insert(chinese).second) << english;
        EXPECT_FALSE(is_ascii(chinese)) << chinese;
    };
    for (int number = 0; number <= static_cast<int>(Chain::last_); ++number) {
        const auto it = static_cast<Chain>(number);
        is_fresh(say(Language::english, it, arguments), say(Language::chinese, it, arguments));
    }
    for (const model::Reason reason : model::all<model::Reason>())
        is_fresh(remedy(Language::english, reason), remedy(Language::chinese, reason));
}

}  // namespace
}  // namespace assay::wording
