#include "client/settings.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::client {
namespace {

constexpr auto english = wording::Language::english;

class SettingsIn : public ::testing::Test {
protected:
    SettingsIn() {
        std::filesystem::create_directories(folder + "/project/deep/er");
        set["HOME"] = folder;
    }
    ~SettingsIn() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path{folder + path}.parent_path());
        ASSERT_TRUE(sys::write_file_durably(folder + path, text));
    }
    Variables variables() {
        return [this](const char* name) { return set.contains(name) ? std::optional{set[name]} : std::nullopt; };
    }
    std::string folder = std::filesystem::temp_directory_path() / ("assay-test-" + sys::random_text(12, "abcdefghijklmnop"));
    std::map<std::string, std::string> set;
};

TEST_F(SettingsIn, AFlagWinsOverAVariableOverTheProjectOverTheUsersFile) {
    write("/.config/assay/config.toml", "server = \"http://user\"\ncourse = \"user\"\nmodule = \"user\"\n");
    write("/project/.assay.toml", "course = \"project\"\nmodule = \"project\"\n");
    set["ASSAY_MODULE"] = "variable";
    const auto found = settings({.course = "flag"}, variables(), folder + "/project/deep/er", english);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->course, "flag");
    EXPECT_EQ(found->module, "variable");
    EXPECT_EQ(found->server, "http://user");
    EXPECT_EQ(settings({}, variables(), folder + "/project/deep/er", english)->course, "project");
    EXPECT_EQ(settings({}, variables(), folder, english)->course, "user");
}

TEST_F(SettingsIn, AWrongKeyNamesFileAndLine) {
    write("/project/.assay.toml", "course = \"C\"\nmodul = \"M\"\n");
    const auto found = settings({}, variables(), folder + "/project", english);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().text().find("/project/.assay.toml:2: unknown key 'modul'; did you mean 'module'?"), std::string::npos) << found.error().text();
}

// A project that somebody was given may name any server: it must not get the token of another one.
TEST_F(SettingsIn, ATokenGoesToItsServerAndCourseAlone) {
    ASSERT_TRUE(store_token(variables(), {"http://a", "C", "T-1"}, english));
    ASSERT_TRUE(store_token(variables(), {"http://a", "*", "T-2"}, english));
    ASSERT_TRUE(store_token(variables(), {"http://a", "C", "T-3"}, english));
    EXPECT_EQ(token_for(variables(), "http://a", "C", english)->token, "T-3");
    EXPECT_EQ(token_for(variables(), "http://a", "D", english)->token, "T-2");
    EXPECT_EQ(token_for(variables(), "http://b", "C", english).error().fault(), Fault::missing);
    ASSERT_TRUE(store_token(variables(), {"http://b", "C", "T-5"}, english));
    EXPECT_EQ(token_for(variables(), "http://b", "*", english)->token,
              "T-5");  // No course is named, and there is one token.
    set["ASSAY_TOKEN"] = "T-4";
    EXPECT_EQ(token_for(variables(), "http://a", "C", english)->token, "T-4");
}

TEST_F(SettingsIn, ATokenOthersCanReadIsWarnedOf) {
    const auto path = store_token(variables(), {"http://a", "*", "T-1"}, english);
    ASSERT_TRUE(path);
    EXPECT_EQ(token_for(variables(), "http://a", "C", english)->warning, "");
    ASSERT_TRUE(sys::change_mode(*path, 0640));
    EXPECT_EQ(token_for(variables(), "http://a", "C", english)->warning,
              "others can read your token; mend it with: chmod 600 '" + *path + "'");
    ASSERT_TRUE(sys::write_file_durably(*path, "no token\n"));
    EXPECT_FALSE(token_for(variables(), "http://a", "C", english));
}

}  // namespace
}  // namespace assay::client
