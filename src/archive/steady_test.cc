#include "archive/steady.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "sys/random.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;
using Kind = Trouble::Kind;

TEST(Steady, TwoLooksTellWhatWasDoneInBetween) {
    const sys::FileInfo before{.kind = sys::FileInfo::Kind::regular, .size = 10, .modified_ns = 5, .changed_ns = 5};
    const auto after = [&](std::int64_t size, std::int64_t changed_ns) {
        sys::FileInfo info = before;
        info.size = size;
        info.changed_ns = changed_ns;
        return info;
    };
    EXPECT_EQ(change_between(before, after(10, 5), 10), std::nullopt);
    EXPECT_EQ(change_between(before, after(10, 5), 9), Kind::shrank);   // and grew again
    EXPECT_EQ(change_between(before, after(9, 6), 10), Kind::shrank);
    EXPECT_EQ(change_between(before, after(11, 6), 10), Kind::grew);
    EXPECT_EQ(change_between(before, after(10, 5), 11),
              Kind::grew);    // a file that says less than it holds, as those of /proc do
    EXPECT_EQ(change_between(before, after(10, 6), 10), Kind::rewritten);
}

// A second write within the tick of the first leaves no trace, and neither does one that stamped the file before it was looked at.
TEST(Steady, AChangeHidesBehindOneThatWasJustMade) {
    constexpr std::int64_t second = 1'000'000'000, now = 1000 * second + 7;
    EXPECT_TRUE(may_hide(now, now, now));
    EXPECT_TRUE(may_hide(now - settled_after_ns, now, now + 1));
    EXPECT_FALSE(may_hide(now - settled_after_ns - 1, now, now + 1));
    EXPECT_FALSE(may_hide(now + 2, now, now + 1));  // A clock was set back: nothing is stamped like this now.
}

// A folder of one file, on a disk that does to it what the test says, and has a clock that stands.
class SteadyTest : public ::testing::Test, public Disk {
protected:
    SteadyTest() {
        folder_ = fs::temp_directory_path() / ("assay-steady-" + sys::random_text(12, "abcdefghijklmnopqrstuvwxyz"));
        EXPECT_TRUE(fs::create_directory(folder_));
        put("content");
        root_ = sys::open_directory(folder_.string()).value();
    }
    ~SteadyTest() override {
        root_.reset();  // Where an open folder cannot go.
        fs::remove_all(folder_);
    }

    void put(std::string_view text) { std::ofstream{folder_ / "file", std::ios::binary} << text; }

    Result<std::size_t> read(const sys::Fd& file, std::span<std::byte> buffer, std::int64_t offset) override {
        ++reads_;
        if (failing_reads_ > 0 && failing_reads_-- > 0) return Error{fault_, "read: not now"};
        auto count = Disk::read(file, buffer.first(std::min(buffer.size(), piece_max_)), offset);
        if (on_read_) on_read_();
        return count;
    }
    std::optional<sys::WriteGuard> guard(const sys::Fd&) override { return std::nullopt; }
    std::int64_t stamp_ns() override { return stamp_ns_ ? *stamp_ns_ : std::numeric_limits<std::int64_t>::max(); }
    void pause(sys::Duration time) override { paused_ += time; }

    std::optional<Steady> read_file() { return reader_.read("file", 100, 1000); }

    fs::path folder_;
    sys::Fd root_;
    std::size_t piece_max_ = 1000;
    int reads_ = 0, failing_reads_ = 0;
    Fault fault_ = Fault::disk_failed;
    std::function<void()> on_read_;
    std::optional<std::int64_t> stamp_ns_;
    sys::Duration paused_{};
    SteadyReader reader_{*this, root_, {.reads_max = 4, .first_pause = sys::Duration{10}}};
};

TEST_F(SteadyTest, ShortReadsAreNoEnd) {
    piece_max_ = 3;
    EXPECT_EQ(read_file()->content, "content");
}

// What passes by itself costs a pause, twice as long each time.
TEST_F(SteadyTest, AFileThatCanBeReadLaterIsWaitedFor) {
    failing_reads_ = 2;
    const auto file = read_file();
    ASSERT_TRUE(file);
    EXPECT_EQ(file->content, "content");
    EXPECT_EQ(paused_, sys::Duration{30});
}

TEST_F(SteadyTest, WhatNeverComesIsNamedAfterSoManyTries) {
    failing_reads_ = 100;
    EXPECT_FALSE(read_file());
    EXPECT_EQ(reader_.trouble().kind, Kind::unreadable);
    EXPECT_EQ(reader_.trouble().path, "file");
    EXPECT_EQ(reader_.trouble().reads, 4);
    fault_ = Fault::busy;
    EXPECT_FALSE(read_file());
    EXPECT_EQ(reader_.trouble().kind, Kind::locked);
    fs::remove(folder_ / "file");
    EXPECT_FALSE(read_file());
    EXPECT_EQ(reader_.trouble().kind, Kind::vanished);
    EXPECT_EQ(reader_.trouble().reads, 1);
}

TEST_F(SteadyTest, WhatIsDoneToAFileWhileItIsReadIsToldApart) {
    for (const auto& [text, kind] : {std::pair{"cut", Kind::shrank}, std::pair{"content and more", Kind::grew},
                                     std::pair{"CONTENT", Kind::rewritten}}) {
        put("content");
        on_read_ = [&, other = text] {
            put(other);
            fs::last_write_time(folder_ / "file",
                                fs::file_time_type{} + std::chrono::seconds{reads_});  // The clock may not have moved.
        };
        SteadyReader reader{*this, root_, {.reads_max = 1}};
        EXPECT_FALSE(reader.read("file", 100, 1000));
        EXPECT_EQ(reader.trouble().kind, kind);
        on_read_ = nullptr;
    }
}

// A file that somebody may be writing to counts only once its last change has aged.
TEST_F(SteadyTest, AFileThatWasJustWrittenIsNotTrusted) {
    stamp_ns_ = sys::info_of_path((folder_ / "file").string()).value().changed_ns + 1;
    EXPECT_FALSE(read_file());
    EXPECT_EQ(reader_.trouble().kind, Kind::written);
    *stamp_ns_ += settled_after_ns;
    EXPECT_TRUE(read_file());
}

TEST_F(SteadyTest, ALargeFileIsReadTwiceAndMustBeTheSame) {
    const std::string large(900, 'x');
    put(large);
    auto file = read_file();
    ASSERT_TRUE(file);
    EXPECT_FALSE(file->whole);
    EXPECT_EQ(file->size, 900);
    std::string got;
    const auto take = [&](ByteView bytes) -> Result<> {
        got += text_of(bytes);
        return ok;
    };
    EXPECT_TRUE(reader_.stream("file", *file, take).value());
    EXPECT_EQ(got, large);
    for (const auto& [other, kind] :
         {std::pair{std::string(899, 'x') + "y", Kind::rewritten}, std::pair{std::string(899, 'x'), Kind::shrank},
          std::pair{std::string(901, 'x'), Kind::grew}}) {
        put(other);
        EXPECT_FALSE(reader_.stream("file", *file, take).value());
        EXPECT_EQ(reader_.trouble().kind, kind);
    }
}

}  // namespace
}  // namespace assay::archive
