#include "serve/data_directory.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/log.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/random.hh"

namespace assay::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Opening every_opening[] = {Opening::existing, Opening::or_new, Opening::to_serve};
constexpr Opening beginning[] = {Opening::or_new, Opening::to_serve};

class DataDirectoryTest : public ::testing::Test {
protected:
    DataDirectoryTest() {
        std::filesystem::create_directory(place_);
        std::filesystem::permissions(place_, std::filesystem::perms{0755});  // Whoever is given the data must come through.
        log::set_sink([this](log::Level, const std::string& line) { logged_.push_back(line); });
    }
    ~DataDirectoryTest() override {
        log::set_sink([](log::Level, const std::string&) {});
        std::filesystem::remove_all(place_);
    }

    std::string at(const std::string& name) const { return place_ + "/" + name; }
    std::string made(const std::string& name) const {
        std::filesystem::create_directory(at(name));
        return at(name);
    }
    static void write(const std::string& path, std::string_view text) { ASSERT_TRUE(sys::write_file_durably(path, text)); }
    static std::string read(const std::string& path) { return sys::read_file(path, 1000).value(); }
    static std::string id_after(const std::string& path, Opening opening) { return DataDirectory::open(path, "", opening).value().id(); }

    // The error, and nothing of what is there was touched.
    static Error refused(const std::string& path, Opening opening) {
        const auto before = sys::info_of_path(path);
        const auto names = sys::list_directory(path);
        auto opened = DataDirectory::open(path, "", opening);
        EXPECT_FALSE(opened);
        const auto after = sys::info_of_path(path);
        EXPECT_EQ(before.has_value(), after.has_value());
        if (before && after) EXPECT_EQ(*before, *after);
        const auto names_after = sys::list_directory(path);
        EXPECT_EQ(names.has_value(), names_after.has_value());
        if (names && names_after) EXPECT_EQ(*names, *names_after);
        return opened ? Error{Fault::internal, "opened"} : opened.take_error();
    }

    std::string place_ = std::filesystem::temp_directory_path() / ("assay-test-" + sys::random_text(12, "abcdefghijklmnop"));
    std::vector<std::string> logged_;
};

// A mistyped --data must not cost anybody a directory: it is not given away, closed to others or filled.
TEST_F(DataDirectoryTest, WhatHoldsOtherFilesIsRefusedAndLeftAsItIs) {
    const std::string path = made("foreign");
    write(path + "/a", "hi\n");
    for (const Opening opening : every_opening) {
        EXPECT_EQ(refused(path, opening).text(),
                  path + " holds other files and no data of assay; name another directory with --data, or an empty one");
    }
    EXPECT_FALSE(holds_data(path));
}

TEST_F(DataDirectoryTest, AFileIsRefusedAndLeftAsItIs) {
    write(at("file"), "hi\n");
    for (const Opening opening : every_opening) {
        EXPECT_EQ(refused(at("file"), opening).text(), at("file") + " is a file, not a directory; name a directory with --data");
    }
    EXPECT_EQ(server_of(at("file")).value(), std::nullopt);
}

TEST_F(DataDirectoryTest, AnIdThatIsNotOursMakesNoData) {
    const std::string path = made("foreign");
    write(path + "/id", "uid=0(root)\n");
    for (const Opening opening : every_opening) EXPECT_THAT(refused(path, opening).text(), HasSubstr("/id is not a directory id"));
    std::filesystem::remove(path + "/id");
    made("foreign/id");
    for (const Opening opening : every_opening) EXPECT_THAT(refused(path, opening).text(), HasSubstr("holds other files"));
}

// A restored backup that lacks the id is not called somebody else's.
TEST_F(DataDirectoryTest, WhereOnlyTheIdIsMissingItIsSaidHowToMakeOne) {
    const std::string path = made("restored");
    write(path + "/assay.db", "SQLite");
    for (const Opening opening : every_opening) ASSERT_THAT(refused(path, opening).text(), HasSubstr("make one with: od "));
    const std::string text = refused(path, Opening::to_serve).text();
    ASSERT_EQ(std::system(text.substr(text.find("od ")).c_str()), 0);
    EXPECT_EQ(id_after(path, Opening::to_serve), read(path + "/id").substr(0, 16));
    EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(DataDirectoryTest, WhoOnlyLooksMakesNothing) {
    const std::string said = "; assay serve makes it, or name another with --data";
    const Error missing = refused(at("none"), Opening::existing);
    EXPECT_EQ(missing.fault(), Fault::missing);
    EXPECT_EQ(missing.text(), "there is no data of assay at " + at("none") + said);
    EXPECT_EQ(refused(at("none/below"), Opening::existing).fault(), Fault::missing);
    EXPECT_EQ(refused(made("empty"), Opening::existing).text(), "there is no data of assay at " + at("empty") + said);
}

// A start that was cut short, a file system of its own, clients that were laid there first: none of it is anybody's data.
TEST_F(DataDirectoryTest, WhatIsEmptyIsTaken) {
    for (const Opening opening : beginning) {
        for (const std::string name : {"", "clients", "id.new", "lock", "lost+found"}) {
            const std::string path = made("empty");
            if (name == "clients" || name == "lost+found") made("empty/" + name);
            else if (!name.empty()) write(path + "/" + name, "");
            EXPECT_EQ(id_after(path, opening).size(), 16u) << name;
            EXPECT_TRUE(holds_data(path)) << name;
            EXPECT_EQ(sys::info_of_path(path)->mode, 0700u) << name;
            std::filesystem::remove_all(path);
        }
    }
}

TEST_F(DataDirectoryTest, AMissingOneIsMadeAndFoundAgain) {
    const std::string id = id_after(at("new/"), Opening::or_new);
    for (const Opening opening : every_opening) EXPECT_EQ(id_after(at("new"), opening), id);
    EXPECT_THAT(sys::list_directory(at("new")).value(), ElementsAre("id", "lock"));  // Nothing comes before the id but the lock.
    EXPECT_THAT(logged_, IsEmpty());
}

// Two servers of one id would end each other's sandboxes.
TEST_F(DataDirectoryTest, ACopyThatIsServedGetsAnIdOfItsOwn) {
    const std::string id = id_after(at("first"), Opening::or_new);
    std::filesystem::copy(at("first"), at("second"), std::filesystem::copy_options::recursive);
    EXPECT_EQ(id_after(at("second"), Opening::existing), id);  // Nothing runs for who only looks, and nothing is cleaned.
    const std::string own = id_after(at("second"), Opening::to_serve);
    EXPECT_NE(own, id);
    ASSERT_EQ(logged_.size(), 1u);
    EXPECT_THAT(logged_[0], HasSubstr("directory.copied"));
    EXPECT_THAT(logged_[0], HasSubstr(own));
    EXPECT_EQ(id_after(at("second"), Opening::to_serve), own);
    EXPECT_EQ(id_after(at("first"), Opening::to_serve), id);
    EXPECT_EQ(logged_.size(), 1u);
}

// What a server that was killed left behind is found by the id.
TEST_F(DataDirectoryTest, AMovedOneKeepsItsId) {
    const std::string id = id_after(at("before"), Opening::to_serve);
    std::filesystem::rename(at("before"), at("after"));
    EXPECT_EQ(id_after(at("after"), Opening::to_serve), id);
    EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(DataDirectoryTest, AnIdOfAnEarlierVersionStaysAndIsBoundWhenServed) {
    const std::string path = made("old");
    const std::string id = "0123456789abcdef";
    write(path + "/id", id + "\n");
    EXPECT_EQ(id_after(path, Opening::or_new), id);
    EXPECT_EQ(read(path + "/id"), id + "\n");
    EXPECT_EQ(id_after(path, Opening::to_serve), id);
    const sys::FileInfo info = sys::info_of_path(path).value();
    EXPECT_EQ(read(path + "/id"), id + "\n" + std::to_string(info.device) + " " + std::to_string(info.inode) + "\n");
    EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(DataDirectoryTest, OnlyALockThatIsHeldIsInUse) {
    const std::string path = made("odd");
    made("odd/lock");
    const Error error = refused(path, Opening::or_new);
    EXPECT_THAT(error.text(), Not(HasSubstr("in use")));
    EXPECT_THAT(error.text(), EndsWith("Is a directory"));
}

// What is given away is the directory, not the link that leads to it.
TEST_F(DataDirectoryTest, ALinkStandsForItsDirectory) {
    const std::string path = made("real");
    std::filesystem::create_directory_symlink(path, at("link"));
    const auto opened = DataDirectory::open(at("link"), "", Opening::to_serve).value();
    EXPECT_EQ(opened.path(), std::filesystem::canonical(path).string());
    EXPECT_EQ(sys::info_of_path(path)->owner, opened.owner_uid());
    EXPECT_TRUE(holds_data(at("link")));
}

TEST_F(DataDirectoryTest, AUserWhoDoesNotOwnItIsNotTakenForItsOwner) {
    if (sys::effective_uid() != 0) GTEST_SKIP() << "only root names a user";
    const std::string path = made("owned");
    EXPECT_TRUE(DataDirectory::open(path, "daemon", Opening::to_serve));
    EXPECT_TRUE(DataDirectory::open(path, "daemon", Opening::to_serve));
    const auto other = DataDirectory::open(path, "games", Opening::to_serve);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().text(), HasSubstr("not games's; leave `user` out, or give all of it away: chown -R games " + path));
    EXPECT_FALSE(DataDirectory::open(path, "nobody", Opening::to_serve));
    EXPECT_FALSE(DataDirectory::open(path, "nosuchuser", Opening::to_serve));
}

}  // namespace
}  // namespace assay::serve
