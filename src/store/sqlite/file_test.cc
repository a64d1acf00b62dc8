// What is peculiar to SQLite's file: older and newer schemas, other people's files, damage, and a full disk.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "store/sqlite/database.hh"
#include "store/store.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

class SqliteFile : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(sys::make_directory(directory_)); }
    void TearDown() override { ASSERT_TRUE(sys::remove_tree(directory_)); }
    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-sqlite-" + sys::random_text(8, "abcdefgh"));
    std::string path_ = directory_ + "/assay.db";
};

std::int64_t read_time_ns(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_atim.tv_sec * 1'000'000'000 + info.st_atim.tv_nsec;
}

// As far as the file system keeps read times at all: "relatime", which is usual, keeps the first after each write.
TEST_F(SqliteFile, AReadLeavesNoTimeBehindSoThatItNeverWaitsForTheJournal) {
    auto writer = sqlite::Database::open(path_, sqlite::Database::Access::write);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->script("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))"));
    // So old that any read would renew it.
    const timespec long_ago[] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    for (const char* const end : {"", "-wal"}) ASSERT_EQ(::utimensat(AT_FDCWD, (path_ + end).c_str(), long_ago, 0), 0);
    auto reader = sqlite::Database::open(path_, sqlite::Database::Access::read);
    ASSERT_TRUE(reader);
    const auto size = reader->first<std::int64_t>("SELECT sum(length(x)) FROM t", {}, [](const sqlite::Row& row) { return row.integer(0); });
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, 100'000);
    for (const char* const end : {"", "-wal"}) EXPECT_EQ(read_time_ns(path_ + end), 1'000'000'000) << end;
}

TEST_F(SqliteFile, ANewerSchemaIsRefusedInClearWordsAndLeftAlone) {
    ASSERT_TRUE(open_sqlite({.path = path_}));
    {
        auto raw = sqlite::Database::open(path_, sqlite::Database::Access::write);
        ASSERT_TRUE(raw);
        ASSERT_TRUE(raw->script("PRAGMA user_version = 99"));
    }
    const auto refused = open_sqlite({.path = path_});
    EXPECT_EQ(refused.error().fault(), Fault::unsupported);
    EXPECT_NE(refused.error().text().find("99"), std::string::npos);
}

TEST_F(SqliteFile, WhatAnOlderVersionWroteIsReadOn) {
    ASSERT_TRUE(open_sqlite({.path = path_}));
    {
        auto raw = sqlite::Database::open(path_, sqlite::Database::Access::write);
        ASSERT_TRUE(raw);
        const auto as_of_schema_1 = raw->script(R"sql(
DROP TABLE commitment; ALTER TABLE signing_key DROP COLUMN use; ALTER TABLE signing_key RENAME TO receipt_key;
ALTER TABLE submission DROP COLUMN committed_ms; ALTER TABLE submission DROP COLUMN names_converted;
DROP TABLE extension; ALTER TABLE submission DROP COLUMN declared;
DROP INDEX submission_held; DROP TABLE standing; ALTER TABLE job DROP COLUMN revision;
ALTER TABLE attempt DROP COLUMN partial; DROP TABLE IF EXISTS upload_key;
DROP INDEX job_held; DROP INDEX job_turn; DROP TABLE turn; ALTER TABLE job DROP COLUMN line_course; ALTER TABLE job DROP COLUMN line_module;
ALTER TABLE job DROP COLUMN line_flow; PRAGMA user_version = 1;
INSERT INTO course VALUES ('C', 'Course', 'UTC', 'en', '');
INSERT INTO revision VALUES (1, 'C', 'M', 1, 'd', '{}', 7);
INSERT INTO module VALUES ('C', 'M', 'Module', 0, 1);
INSERT INTO participant VALUES ('C', 'p', '', '', '', 1, NULL, NULL, NULL, NULL);
INSERT INTO submission VALUES (1, '0000000000000001', 'C', 'M', 'p', 1, 'queued', 'a', 10, 100, 200, '{}', 1, NULL, NULL);
INSERT INTO submission VALUES (2, '0000000000000002', 'C', 'M', 'p', 1, 'held', 'b', 10, 100, 200, '{}', 1, NULL, 'submissions_used');
INSERT INTO job VALUES (1, '0000000000000001', 1, 1, 'queued', 0, 0, 0, NULL, '', 0, 0, 0);
)sql");
        ASSERT_TRUE(as_of_schema_1) << as_of_schema_1.error().text();
    }
    auto store = open_sqlite({.path = path_});
    ASSERT_TRUE(store) << store.error().text();
    const auto read = (*store)->read([](Reading& reading) -> Result<> {
        ASSAY_TRY(const auto waiting, reading.waiting(10));
        EXPECT_EQ(waiting.size(), 1u);
        EXPECT_FALSE(waiting.at(0).job.revision);
        EXPECT_EQ(waiting.at(0).revision, RevisionId{1});
        ASSAY_TRY(const auto held, reading.held(10));
        EXPECT_EQ(held.size(), 1u);
        ASSAY_TRY(const Standing standing, reading.standing(CourseId{"C"}, ModuleId{"M"}));
        EXPECT_FALSE(standing.paused);
        ASSAY_TRY(const auto extension, reading.extension(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}));
        EXPECT_FALSE(extension);
        EXPECT_FALSE(held.at(0).declared);
        return ok;
    });
    EXPECT_TRUE(read) << read.error().text();
}

// Schema 7 knew keys of receipts alone, and neither commitments nor what became of names.
TEST_F(SqliteFile, KeysAndSubmissionsOfSchema7StayWhatTheyWere) {
    ASSERT_TRUE(open_sqlite({.path = path_}));
    {
        auto raw = sqlite::Database::open(path_, sqlite::Database::Access::write);
        ASSERT_TRUE(raw);
        const auto as_of_schema_7 = raw->script(R"sql(
DROP TABLE commitment; ALTER TABLE signing_key DROP COLUMN use; ALTER TABLE signing_key RENAME TO receipt_key;
ALTER TABLE submission DROP COLUMN committed_ms; ALTER TABLE submission DROP COLUMN names_converted; PRAGMA user_version = 7;
INSERT INTO course VALUES ('C', 'Course', 'UTC', 'en', '');
INSERT INTO revision VALUES (1, 'C', 'M', 1, 'd', '{}', 7);
INSERT INTO module VALUES ('C', 'M', 'Module', 0, 1);
INSERT INTO participant VALUES ('C', 'p', '', '', '', 1, NULL, NULL, NULL, NULL);
INSERT INTO submission VALUES (1, '0000000000000001', 'C', 'M', 'p', 1, 'queued', 'a', 10, 100, 200, '{}', 1, NULL, NULL, 1);
INSERT INTO receipt_key VALUES ('0011223344556677', x'00ff', 5, NULL);
)sql");
        ASSERT_TRUE(as_of_schema_7) << as_of_schema_7.error().text();
    }
    auto store = open_sqlite({.path = path_});
    ASSERT_TRUE(store) << store.error().text();
    const CourseId course{"C"};
    const ModuleId module{"M"};
    const auto read = (*store)->read([&](Reading& reading) -> Result<> {
        ASSAY_TRY(const auto submission, reading.submission(SubmissionId{"0000000000000001"}));
        EXPECT_TRUE(submission->declared);
        EXPECT_FALSE(submission->committed_ms);
        EXPECT_EQ(submission->names_converted, 0);
        ASSAY_TRY(const auto keys, reading.signing_keys(model::KeyUse::receipt));
        EXPECT_EQ(keys, (std::vector<SigningKey>{{model::KeyUse::receipt, "0011223344556677", std::string{"\0\xff", 2}, 5, {}}}));
        ASSAY_TRY(const auto none, reading.signing_keys(model::KeyUse::commitment));
        EXPECT_TRUE(none.empty());
        ASSAY_TRY(const auto commitments, reading.commitments(course, module, ParticipantId{"p"}, 0));
        EXPECT_TRUE(commitments.empty());
        return ok;
    });
    EXPECT_TRUE(read) << read.error().text();
    EXPECT_TRUE((*store)->write_and_wait([&](Tx& tx) { return tx.add_commitment({course, module, ParticipantId{"p"}, "a", 10, 1, 2, "{}", {}}); }));
}

TEST_F(SqliteFile, SomebodyElsesDatabaseIsRefused) {
    {
        auto raw = sqlite::Database::open(path_, sqlite::Database::Access::write);
        ASSERT_TRUE(raw);
        ASSERT_TRUE(raw->script("CREATE TABLE theirs (a)"));
    }
    EXPECT_EQ(open_sqlite({.path = path_}).error().fault(), Fault::unsupported);
}

TEST_F(SqliteFile, AFileThatIsNoDatabaseIsADiskFailure) {
    ASSERT_TRUE(sys::write_file_durably(path_, std::string(4096, 'x')));
    EXPECT_EQ(open_sqlite({.path = path_}).error().fault(), Fault::disk_failed);
}

// A log that has outgrown its bound is moved into the file although nobody asked for it.
TEST_F(SqliteFile, TheLogIsKeptShort) {
    auto store = open_sqlite({.path = path_});
    ASSERT_TRUE(store);
    for (int i = 0; i < 24; ++i) {
        ASSERT_TRUE((*store)->write_and_wait([&](Tx& tx) { return tx.put_setting("x", std::string(1u << 20, static_cast<char>('a' + i))); }));
    }
    EXPECT_LT(sys::info_of_path(path_ + "-wal")->size, 12 << 20);
}

// Damage found in mid-change: the whole group hears of it, and as a copy would be damaged too, nothing more is taken.
TEST_F(SqliteFile, WhatIsDamagedTakesNothingMore) {
    { ASSERT_TRUE(open_sqlite({.path = path_})); }
    std::size_t page = 0;
    {
        auto raw = sqlite::Database::open(path_, sqlite::Database::Access::read);
        ASSERT_TRUE(raw);
        const auto root = [](const sqlite::Row& row) { return static_cast<std::size_t>(row.integer(0)); };
        page = raw->first<std::size_t>("SELECT rootpage FROM sqlite_schema WHERE name = 'setting'", {}, +root).value().value();
    }
    std::string bytes = sys::read_file(path_, 64u << 20).value();
    bytes.replace((page - 1) * 4096, 4096, 4096, '\x5a');
    ASSERT_TRUE(sys::write_file_durably(path_, bytes));
    auto store = open_sqlite({.path = path_});
    ASSERT_TRUE(store) << store.error().text();
    EXPECT_FALSE((*store)->read_only());
    EXPECT_EQ((*store)->write_and_wait([](Tx& tx) { return tx.put_setting("a", "1"); }).error().fault(), Fault::disk_failed);
    EXPECT_EQ((*store)->write_and_wait([](Tx&) -> Result<> { return ok; }).error().fault(), Fault::busy);
    EXPECT_TRUE((*store)->read_only());
}

// Needs a small file system of its own: a mount, so root.
class FullDisk : public SqliteFile {
protected:
    void SetUp() override {
        SqliteFile::SetUp();
        if (!command("mount -t tmpfs -o size=2m tmpfs " + directory_)) GTEST_SKIP() << "a small file system cannot be mounted here";
        mounted_ = true;
    }
    void TearDown() override {
        if (mounted_) EXPECT_TRUE(command("umount " + directory_));
        SqliteFile::TearDown();
    }
    static bool command(const std::string& line) { return std::system((line + " 2>/dev/null").c_str()) == 0; }
    void fill() {
        const auto ballast = sys::open_append(directory_ + "/ballast");
        ASSERT_TRUE(ballast);
        while (sys::write_all(*ballast, std::string(4096, 'b'))) {}
    }

private:
    bool mounted_ = false;
};

// Rule 3: a full disk is said as such, costs only what did not fit, and ends when there is room again.
TEST_F(FullDisk, RefusesWhatDoesNotFitAndGoesOnWhenThereIsRoom) {
    auto store = open_sqlite({.path = path_});
    ASSERT_TRUE(store) << store.error().text();
    ASSERT_TRUE((*store)->write_and_wait([](Tx& tx) { return tx.put_setting("before", "1"); }));
    fill();
    const std::string large(200'000, 'x');
    for (int i = 0; i < 3; ++i) {
        const auto refused = (*store)->write_and_wait([&](Tx& tx) { return tx.put_setting("large", large); });
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault(), Fault::disk_full) << refused.error().text();
    }
    ASSERT_TRUE(sys::remove_file(directory_ + "/ballast"));
    EXPECT_TRUE((*store)->write_and_wait([&](Tx& tx) { return tx.put_setting("large", large); }));
    EXPECT_FALSE((*store)->read_only());
    store = open_sqlite({.path = path_});
    ASSERT_TRUE(store);
    EXPECT_TRUE((*store)->read([&](Reading& reading) -> Result<> {
        ASSAY_TRY(const auto before, reading.setting("before"));
        ASSAY_TRY(const auto after, reading.setting("large"));
        EXPECT_EQ(before, "1");
        EXPECT_EQ(after, large);
        return ok;
    }));
}

}  // namespace
}  // namespace assay::store
