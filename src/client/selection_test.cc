#include "client/selection.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "archive/folder.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::client {
namespace {

namespace fs = std::filesystem;

class SelectionOf : public ::testing::Test {
protected:
    SelectionOf() { fs::create_directories(root); }
    ~SelectionOf() override {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    void file(const std::string& path, const std::string& content = "x") {
        fs::create_directories((root / path).parent_path());
        ASSERT_TRUE(sys::write_file_durably((root / path).string(), content));
    }
    Selection selected(bool use_ignore_files = true, const std::string& folder = "") {
        auto selection = select((root / folder).string(), {}, use_ignore_files);
        EXPECT_TRUE(selection) << selection.error().text();
        return selection ? std::move(*selection) : Selection{};
    }
    static std::string goes(const Selection& selection) {
        std::string text;
        for (const archive::Entry& entry : selection.goes) text += entry.path + " ";
        return text;
    }
    static std::string stays(const Selection& selection) {
        std::string text;
        for (const Stay& stay : selection.stays) {
            text +=
                stay.path +
                (stay.why == Stay::Why::tool     ? " tool"
                 : stay.why == Stay::Why::module ? " module"
                                                 : " " + stay.ruling.file + ":" + std::to_string(stay.ruling.line)) +
                "\n";
        }
        return text;
    }
    const fs::path root = fs::temp_directory_path() / ("assay-test-" + sys::random_text(12, "abcdefghijklmnop"));
};

TEST_F(SelectionOf, EachThingThatStaysHasItsReason) {
    for (const char* const path :
         {"a.c", "a.o", "build/x", "keep/a.o", ".git/config", "sub/.git", ".assay.toml", "Thumbs.db", "sub/b.log"})
        file(path);
    file(".gitignore", "*.o\nbuild/\n");
    file("sub/.gitignore", "\n*.log\n");
    file(".assayignore", "!keep/*.o\n");
    const Selection selection = selected();
    EXPECT_EQ(goes(selection), ".gitignore a.c keep keep/a.o sub sub/.gitignore ");
    EXPECT_EQ(stays(selection),
              ".assay.toml tool\n.assayignore tool\n.git tool\nThumbs.db module\na.o .gitignore:1\nbuild "
              ".gitignore:2\nsub/.git tool\nsub/b.log sub/.gitignore:2\n");
    EXPECT_EQ(stays(selected(false)),
              ".assay.toml tool\n.assayignore tool\n.git tool\nThumbs.db module\nsub/.git tool\n");
}

// A link to rules is none, as git has it; rules that are there and cannot be read are no reason to hand in everything.
TEST_F(SelectionOf, RulesAreFilesThatCanBeRead) {
    file("rules", "*\n");
    fs::create_symlink("rules", root / ".gitignore");
    EXPECT_EQ(goes(selected()), ".gitignore rules ");
    file("sub/.gitignore", std::string(ignore_file_bytes_max + 1, 'a'));
    const auto selection = select(root.string(), {}, true);
    ASSERT_FALSE(selection);
    EXPECT_EQ(selection.error().fault(), Fault::too_large);
    EXPECT_NE(selection.error().text().find("sub/.gitignore"), std::string::npos) << selection.error().text();
}

TEST_F(SelectionOf, WhatTheModuleRequiresAndARuleKeepsBackIsFoundInsideOfAFolderToo) {
    file("out/bin/calc");
    file("report.pdf");
    file(".gitignore", "*.pdf\nout/\n");
    const Selection selection = selected();
    const auto kept = [&](std::string_view glob) { return kept_back(root.string(), selection, glob); };
    EXPECT_EQ(kept("report.*")->ruling.line, 1);
    EXPECT_EQ(kept("out/*/calc")->path, "out/bin/calc");
    EXPECT_EQ(kept("out/*/calc")->stays, "out");
    EXPECT_EQ(kept("out/")->path, "out");
    EXPECT_FALSE(kept("out/calc"));
    EXPECT_FALSE(kept("Makefile"));
}

TEST_F(SelectionOf, ABetterRootIsOneFolderBelowOrAbove) {
    file("work/Makefile");
    file("work/src/a.c");
    file("notes");
    const auto better = [&](const std::string& folder, const std::vector<std::string>& required) {
        return better_root((root / folder).string(), selected(true, folder), required);
    };
    EXPECT_EQ(better("", {"Makefile", "src/*.c"}), "work");
    EXPECT_EQ(better("work/src", {"Makefile", "src/*.c"}), "..");
    EXPECT_FALSE(better("", {"Makefile", "missing"}));
    EXPECT_FALSE(better("", {}));
}

// The same judgement as of the packed bytes, before there are any.
TEST_F(SelectionOf, NamesAndSizesAreEnoughToRefuse) {
    file("Read.me");
    file("read.ME");
    const auto judged = [&](const model::UploadRules& rules) {
        return archive::judge(selected().goes, archive::Format::tar_gz, rules).value();
    };
    EXPECT_EQ(judged({}).refused->fault, model::ArchiveFault::names_meet);
    fs::remove(root / "read.ME");
    fs::create_directories(root / "only");
    EXPECT_FALSE(judged({}).refused);
    EXPECT_EQ(judged({.entries_max = 1}).refused->fault, model::ArchiveFault::entries);
    EXPECT_EQ(judged({.unpacked_max = 0}).refused->fault, model::ArchiveFault::unpacked);
    EXPECT_EQ(judged({.required = {"*.c"}}).refused->fault, model::ArchiveFault::required);
    fs::remove(root / "Read.me");
    file("only/a.c");
    EXPECT_EQ(judged({.required = {"a.c"}}).refused->fault,
              model::ArchiveFault::required);  // one folder is no wrapping: it is what is handed in
    EXPECT_FALSE(judged({.required = {"only/a.c"}}).refused);
    fs::create_symlink("/etc/passwd", root / "only/out");
    EXPECT_EQ(judged({}).refused->fault, model::ArchiveFault::link_absolute);
}

}  // namespace
}  // namespace assay::client
