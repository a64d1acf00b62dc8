// The whole way, with the confined process: what comes of a folder, and what is left of an import that fails.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "archive/tar_builder.hh"
#include "image/image.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::image {
namespace {

namespace fs = std::filesystem;
using archive::TarBuilder;

// The test's own executable is what an import starts.
__attribute__((constructor)) void play_importer(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "importer") std::_Exit(importer_main());
}

constexpr uid_t owner = 64'321;

class ImportTest : public ::testing::Test {
protected:
    ImportTest() {
        fs::create_directories(base_ / "images");
        fs::permissions(base_, fs::perms{0711});
        if (::geteuid() == 0 && ::chown((base_ / "images").c_str(), owner, owner) != 0) std::abort();
    }
    ~ImportTest() override { fs::remove_all(base_); }

    // In a process of its own, since it gives up its rights. What went wrong; empty: nothing.
    std::string import(const std::string& name, const fs::path& source) {
        auto pipe = sys::make_pipe().value();
        const pid_t child = ::fork();
        if (child == 0) {
            auto opened = open_source(source);
            auto done = opened ? import_image(base_ / "images", name, std::move(opened).value(), 64 << 20, [](const Progress&) {}) : Result<Imported>{opened.take_error()};
            if (!done) (void)sys::write_all(pipe.second, std::string_view{done.error().text()});
            ::_exit(0);
        }
        pipe.second.reset();
        std::string said = sys::read_all(pipe.first, 1 << 16).value();
        EXPECT_EQ(::waitpid(child, nullptr, 0), child);
        return said;
    }
    fs::path file(const std::string& bytes) {
        std::ofstream{base_ / "source"} << bytes;
        return base_ / "source";
    }
    std::vector<std::string> there() {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator{base_ / "images"}) all.push_back(entry.path().filename());
        std::ranges::sort(all);
        return all;
    }

    fs::path base_ = fs::temp_directory_path() / ("assay-import-" + sys::random_text(12, "abcdef"));
};

TEST_F(ImportTest, AFolderAndItsTarAreOneImage) {
    fs::create_directories(base_ / "tree/bin");
    std::ofstream{base_ / "tree/bin/tool"} << "x";
    ::chmod((base_ / "tree/bin/tool").c_str(), 04700);
    fs::create_symlink("/bin", base_ / "tree/sbin");
    ASSERT_EQ(import("folder", base_ / "tree"), "");
    ASSERT_EQ(import("tar", file(archive::gzip(TarBuilder{}.dir("bin/").file("bin/tool", "x", 0700).link("sbin", "/bin").done()))), "");
    const Library library{base_ / "images"};
    const Named image = library.find("folder").value();
    EXPECT_EQ(library.find("tar")->info.digest, image.info.digest);
    EXPECT_EQ(library.find(image.info.digest.substr(0, 12))->info.digest, image.info.digest);
    EXPECT_TRUE(library.has(image.info.digest));
    EXPECT_EQ(image.info.left.set_ids, 1);
    EXPECT_EQ(there(), (std::vector<std::string>{image.info.digest, "lock", "names"}));
    struct stat info{};
    ASSERT_EQ(::lstat((base_ / "images" / image.info.digest / "root/bin/tool").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0700U);
    if (::geteuid() == 0) EXPECT_EQ(info.st_uid, owner);
}

TEST_F(ImportTest, WhatFailsLeavesNothing) {
    EXPECT_THAT(import("bad", file(TarBuilder{}.file("../x").done())), ::testing::HasSubstr("climbs out"));
    EXPECT_THAT(import("bad", file(TarBuilder{}.file("x").bytes)), ::testing::HasSubstr("end_missing"));
    EXPECT_THAT(import("bad", file(TarBuilder{}.file("x", std::string(65 << 20, 'x')).done())), ::testing::HasSubstr("the room there is"));
    EXPECT_THAT(import("host", file(TarBuilder{}.file("x").done())), ::testing::HasSubstr("no name for an image"));
    EXPECT_EQ(there(), (std::vector<std::string>{"lock", "names"}));
    EXPECT_THAT(Library{base_ / "images"}.find("bad").error().text(), ::testing::HasSubstr("there is no image 'bad' (none is imported)"));
}

TEST_F(ImportTest, IsRemovedWithItsLastNameUnlessSomebodyNeedsIt) {
    ASSERT_EQ(import("one", file(TarBuilder{}.file("x").done())), "");
    ASSERT_EQ(import("two", base_ / "source"), "");
    Library library{base_ / "images"};
    const std::string digest = library.find("one")->info.digest;
    const auto needed = [&](const std::string& asked) -> Result<std::string> { return std::string{asked == digest ? "ICS/PA1" : ""}; };
    ASSERT_TRUE(library.remove("one", needed));  // Another name means it too.
    EXPECT_TRUE(library.has(digest));
    EXPECT_EQ(library.remove("two", needed).error().text(), "the image two is used by ICS/PA1; give it another image and apply it first");
    EXPECT_TRUE(library.has(digest));
    ASSERT_TRUE(library.remove("two", [](const std::string&) -> Result<std::string> { return std::string{}; }));
    EXPECT_FALSE(library.has(digest));
    EXPECT_TRUE(library.list()->empty());
    EXPECT_EQ(there(), (std::vector<std::string>{"lock", "names"}));
}

// Whoever was killed holds no lock any more; whoever still works does.
TEST_F(ImportTest, WhatAKilledImportLeftIsSweptAndNothingElse) {
    fs::create_directories(base_ / "images/tmp-dead/root");
    std::ofstream{base_ / "images/tmp-dead/lock"};
    fs::create_directories(base_ / "images/tmp-new");
    ASSERT_EQ(import("one", file(TarBuilder{}.file("x").done())), "");
    EXPECT_EQ(there(), (std::vector<std::string>{Library{base_ / "images"}.find("one")->info.digest, "lock", "names"}));
}

}  // namespace
}  // namespace assay::image
