#include "sys/kept_record.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sys/random.hh"

namespace assay::sys {
namespace {

class KeptRecords : public ::testing::Test {
protected:
    ~KeptRecords() override { std::filesystem::remove(path_); }
    KeptRecord open() { return KeptRecord::open(path_, 10'000).value(); }
    void spoil(std::streamoff at) {
        std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
        file.seekg(at);
        const char old = static_cast<char>(file.get());
        file.seekp(at);
        file.put(static_cast<char>(old ^ 1));
    }
    const std::string path_ =
        std::filesystem::temp_directory_path() / ("assay-test-" + random_text(12, "abcdefghijklmnop"));
};

TEST_F(KeptRecords, KeepsWhatWasSavedLast) {
    EXPECT_EQ(open().content(), std::nullopt);
    for (const std::string& content :
         {std::string{"one"}, std::string(10'000, 'x'), std::string{}, std::string{"four"}}) {
        ASSERT_TRUE(open().save(content));
        EXPECT_EQ(open().content(), content);
    }
    KeptRecord record = open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(record.save(std::to_string(i)));
    EXPECT_EQ(open().content(), "4");
    EXPECT_EQ(record.save(std::string(10'001, 'x')).error().fault(), Fault::too_large);
    EXPECT_EQ(open().content(), "4");
}

// A write that was cut short leaves what was there before.
TEST_F(KeptRecords, AnUnsoundPlaceDoesNotCount) {
    constexpr std::streamoff second = 12'288;  // 10,064 bytes in whole blocks
    KeptRecord record = open();
    ASSERT_TRUE(record.save("older"));  // sequence 1: the second place
    ASSERT_TRUE(record.save("newer"));
    for (const std::streamoff at : {0, 8, 16, 24, 64, 68}) {
        spoil(at);
        EXPECT_EQ(open().content(), "older") << at;
        spoil(at);
        EXPECT_EQ(open().content(), "newer") << at;
    }
    spoil(64);
    spoil(second + 64);
    EXPECT_EQ(open().content(), std::nullopt);
    ASSERT_TRUE(open().save("fresh"));
    EXPECT_EQ(open().content(), "fresh");
}

}  // namespace
}  // namespace assay::sys
