// What the client leans on, asked of the system itself.
#include "sys/file.hh"

#include <gtest/gtest.h>
#include <windows.h>

#include <array>
#include <filesystem>

#include "sys/draft.hh"
#include "sys/gb18030.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"
#include "sys/windows/native.hh"
#include "sys/writers.hh"

namespace assay::sys {
namespace {

class Files : public testing::Test {
protected:
    Files() : root_{*narrow(std::filesystem::temp_directory_path().wstring()) + "assay-" + random_text(8, "abcdefgh")} {
        EXPECT_TRUE(make_directory(root_));
    }
    ~Files() override {
        std::error_code ignored;
        std::filesystem::remove_all(std::filesystem::path{*wide(root_)}, ignored);
    }
    void write(const std::string& name, std::string_view content) { ASSERT_TRUE(write_file_durably(root_ + "/" + name, content)); }
    std::vector<std::string> names() { return *list_directory(root_); }

    const std::string root_;
};

TEST_F(Files, ALongPathOfAnyLettersIsWrittenListedAndRead) {
    std::string folder = root_;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(make_directory(folder += "/作业文件夹-" + std::to_string(i)));
    ASSERT_GT(folder.size(), 400u);
    ASSERT_TRUE(write_file_durably(folder + "/一.txt", "content"));
    EXPECT_EQ(*list_directory(folder), std::vector<std::string>{"一.txt"});
    EXPECT_EQ(*read_file(folder + "/一.txt", 100), "content");
    const Fd root = open_directory(root_).value();
    const Fd file = open_beneath(root, folder.substr(root_.size() + 1) + "/一.txt").value();
    EXPECT_EQ(*read_all(file, 100), "content");
}

TEST_F(Files, BeneathAFolderNothingLeadsOut) {
    write("a", "x");
    const Fd root = open_directory(root_).value();
    EXPECT_TRUE(open_beneath(root, "a"));
    EXPECT_EQ(open_beneath(root, "b").error().fault(), Fault::missing);
    for (const char* const path : {"../a", "a/../a", "..\\a", "a:stream", "C:/a", "/a"}) EXPECT_EQ(open_beneath(root, path).error().fault(), Fault::denied) << path;
}

TEST_F(Files, OfALockedFileTheReasonIsTold) {
    write("locked", "x");
    const Handle holder{::CreateFileW(native_path(root_ + "/locked")->c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr)};
    ASSERT_TRUE(holder);
    const Fd root = open_directory(root_).value();
    EXPECT_EQ(open_beneath(root, "locked").error().fault(), Fault::busy);
    EXPECT_TRUE(info_of_path(root_ + "/locked"));
}

// The file is opened so that everybody may go on with it; the guard alone keeps writers out, and is not had where there is one.
TEST_F(Files, AGuardKeepsWritersOut) {
    write("a", "x");
    const std::wstring name = *native_path(root_ + "/a");
    const auto open_writing = [&] { return Handle{::CreateFileW(name.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING, 0, nullptr)}; };
    const Fd file = open_read(root_ + "/a").value();
    {
        const Handle writer = open_writing();
        ASSERT_TRUE(writer);
        EXPECT_FALSE(WriteGuard::take(file));
    }
    const auto guard = WriteGuard::take(file);
    ASSERT_TRUE(guard);
    EXPECT_TRUE(guard->held());
    EXPECT_FALSE(open_writing());
}

TEST_F(Files, ADraftIsThereWholeOrNotAtAll) {
    write("pack", "old");
    {
        auto draft = Draft::make(root_ + "/pack", 0644);
        ASSERT_TRUE(draft);
        ASSERT_TRUE(write_all(draft->file(), "new"));
    }
    EXPECT_EQ(names(), std::vector<std::string>{"pack"});
    EXPECT_EQ(*read_file(root_ + "/pack", 100), "old");
    auto draft = Draft::make(root_ + "/pack", 0644);
    ASSERT_TRUE(draft);
    ASSERT_TRUE(write_all(draft->file(), "new"));
    ASSERT_TRUE(draft->publish());
    EXPECT_EQ(names(), std::vector<std::string>{"pack"});
    EXPECT_EQ(*read_file(root_ + "/pack", 100), "new");
    EXPECT_EQ(Draft::make(root_ + "/aux.gz", 0644).error().fault(), Fault::invalid);
}

TEST_F(Files, TwoLooksTellAChange) {
    write("a", "one");
    const auto before = info_of_path(root_ + "/a");
    ASSERT_TRUE(before);
    EXPECT_EQ(before->kind, FileInfo::Kind::regular);
    EXPECT_EQ(before->size, 3);
    EXPECT_EQ(*before, *info_of_path(root_ + "/a"));
    EXPECT_EQ(*before, *info_of(open_read(root_ + "/a").value()));
    write("a", "two");
    EXPECT_NE(before->inode, info_of_path(root_ + "/a")->inode);
    EXPECT_LE(before->changed_ns, file_stamp_now());
    EXPECT_GT(before->changed_ns, file_stamp_now() - 3600LL * 1'000'000'000);
}

TEST_F(Files, ReadingAtAnOffsetEndsInNothing) {
    write("a", "0123456789");
    const Fd file = open_read(root_ + "/a").value();
    std::array<std::byte, 4> some{};
    EXPECT_EQ(*read_at(file, some, 8), 2u);
    EXPECT_EQ(*read_at(file, some, 10), 0u);
    EXPECT_EQ(*read_at(file, some, 1'000'000'000'000), 0u);
}

TEST_F(Files, WhatIsKeptInMemoryLeavesNothing) {
    const Fd file = memory_file("x", bytes_of("abc"), false).value();
    EXPECT_EQ(*read_all(file, 10), "abc");
}

TEST(Sums, AreTheWorldsOwn) {
    EXPECT_EQ(sha256_hex(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    Sha256 sum;
    sum.add(bytes_of("a"));
    EXPECT_EQ(sum.hex_so_far(), sha256_hex(bytes_of("a")));
    sum.add(bytes_of("bc"));
    EXPECT_EQ(std::move(sum).hex(), sha256_hex(bytes_of("abc")));
    EXPECT_NE(random_bytes(32), random_bytes(32));
}

}  // namespace
}  // namespace assay::sys
