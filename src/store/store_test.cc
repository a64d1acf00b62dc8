// One suite for every backend: what stands behind Store is a parameter.
// long: the suite is one, so that no backend is asked less than another.
#include "store/store.hh"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "store/sqlite/database.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

using model::State;

struct Backend {
    const char* name;
    Result<std::unique_ptr<Store>> (*open)(const std::string& directory);
};
Result<std::unique_ptr<Store>> sqlite_in(const std::string& directory) { return open_sqlite({.path = directory + "/assay.db"}); }

class StoreSuite : public ::testing::TestWithParam<Backend> {
protected:
    void SetUp() override {
        ASSERT_TRUE(sys::make_directory(directory_));
        reopen();
        write([](Tx& tx) -> Result<> {
            ASSAY_CHECK(tx.put_course({CourseId{"C"}, "Course", "Asia/Shanghai", "zh", "staff"}));
            ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 1, std::string(64, 'd'), "{}", 7}));
            ASSAY_CHECK(tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, id}));
            return tx.put_participant(participant("p"));
        });
    }
    void TearDown() override {
        store_.reset();
        ASSERT_TRUE(sys::remove_tree(directory_));
    }
    void reopen() {
        store_.reset();
        auto opened = GetParam().open(directory_);
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
    }
    void write(Store::Change change) {
        const auto written = store_->write_and_wait(std::move(change));
        ASSERT_TRUE(written) << written.error().text();
    }
    template <class F>
    auto read(F query) {
        std::optional<typename std::invoke_result_t<F, Reading&>::Value> value;
        const auto result = store_->read([&](Reading& reading) -> Result<> {
            ASSAY_TRY(auto found, query(reading));
            value.emplace(std::move(found));
            return ok;
        });
        EXPECT_TRUE(result) << result.error().text();
        return std::move(value).value();
    }
    static Participant participant(const std::string& id) {
        return {CourseId{"C"}, ParticipantId{id}, "Name", "", "g", true, "th-" + id, std::string{"\0sealed", 7}, "kh-" + id, "ks"};
    }
    static SubmissionId id_of(int number) {
        std::string digits = std::to_string(number);
        return SubmissionId{std::string(16 - digits.size(), '0') + digits};
    }
    static Submission submission(int number, State state = State::queued) {
        Submission s;
        s.id = id_of(number);
        s.course = CourseId{"C"};
        s.module = ModuleId{"M"};
        s.participant = ParticipantId{"p"};
        s.revision = RevisionId{1};
        s.state = state;
        s.sha256 = std::string(64, 'a');
        s.size = 10;
        s.first_byte_ms = 100;
        s.last_byte_ms = 200 + number;
        s.receipt = "{\"receipt\":true}";
        return s;
    }
    static Result<JobId> submit(Tx& tx, int number, std::int64_t place = 0) {
        ASSAY_CHECK(tx.add_submission(submission(number)));
        Job job;
        job.submission = id_of(number);
        job.place = place;
        return tx.add_job(job);
    }

    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-store-" + sys::random_text(8, "abcdefgh"));
    std::unique_ptr<Store> store_;
};

TEST_P(StoreSuite, WhatWasCommittedIsThereAfterAReopen) {
    write([](Tx& tx) -> Result<> {
        ASSAY_CHECK(submit(tx, 1));
        ASSAY_CHECK(tx.put_setting("epoch", "4"));
        return tx.add_receipt_key({"k1", std::string(32, '\xff'), 5, {}});
    });
    reopen();
    EXPECT_EQ(read([](Reading& r) { return r.courses(); }).at(0).timezone, "Asia/Shanghai");
    EXPECT_EQ(read([](Reading& r) { return r.module(CourseId{"C"}, ModuleId{"M"}); })->revision, RevisionId{1});
    EXPECT_EQ(read([](Reading& r) { return r.current_revisions(); }).at(0).plan, "{}");
    const auto stored = read([](Reading& r) { return r.submission(id_of(1)); });
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->receipt, "{\"receipt\":true}");
    EXPECT_EQ(stored->last_byte_ms, 201);
    EXPECT_FALSE(stored->held_reason);
    EXPECT_EQ(read([](Reading& r) { return r.setting("epoch"); }), "4");
    EXPECT_EQ(read([](Reading& r) { return r.receipt_keys(); }).at(0).public_key, std::string(32, '\xff'));
    EXPECT_EQ(read([](Reading& r) { return r.digests(); }).size(), 2u);
    EXPECT_FALSE(read([](Reading& r) { return r.submission(SubmissionId{"nothing"}); }));
}

TEST_P(StoreSuite, ParticipantsAreFoundByTheirHashes) {
    EXPECT_EQ(read([](Reading& r) { return r.participants_by_token("th-p"); }).at(0).token_sealed, (std::string{"\0sealed", 7}));
    EXPECT_TRUE(read([](Reading& r) { return r.participant_by_key(CourseId{"C"}, "kh-p"); }));
    EXPECT_FALSE(read([](Reading& r) { return r.participant_by_key(CourseId{"D"}, "kh-p"); }));
    EXPECT_TRUE(read([](Reading& r) { return r.participants_by_token(""); }).empty());

    auto twin = participant("q");
    twin.token_hash = "th-p";
    const auto refused = store_->write_and_wait([&](Tx& tx) { return tx.put_participant(twin); });
    EXPECT_EQ(refused.error().fault(), Fault::conflict);
    auto changed = participant("p");
    changed.name = "New name";
    write([&](Tx& tx) { return tx.put_participant(changed); });
    EXPECT_EQ(read([](Reading& r) { return r.participants(CourseId{"C"}); }).at(0).name, "New name");
}

TEST_P(StoreSuite, TheLineIsInOrderOfPlaceAndAReplacementStandsWhereTheOldOneStood) {
    write([](Tx& tx) -> Result<> {
        for (int i = 1; i <= 3; ++i) ASSAY_CHECK(submit(tx, i));
        ASSAY_TRY(const auto replaced, tx.job_of(id_of(1), 1));
        ASSAY_CHECK(tx.add_submission(submission(4)));
        ASSAY_CHECK(tx.supersede(id_of(1), id_of(4)));
        Job job;
        job.submission = id_of(4);
        job.place = replaced->place;
        ASSAY_CHECK(tx.add_job(job));
        return tx.move(id_of(2), State::running);
    });
    const auto waiting = read([](Reading& r) { return r.waiting(10); });
    ASSERT_EQ(waiting.size(), 2u);
    EXPECT_EQ(waiting[0].job.submission, id_of(4));
    EXPECT_EQ(waiting[0].received_ms, 204);
    EXPECT_EQ(waiting[1].job.submission, id_of(3));
    EXPECT_EQ(read([](Reading& r) { return r.waiting(1); }).size(), 1u);
    EXPECT_EQ(read([](Reading& r) { return r.running(); }).at(0).job.submission, id_of(2));
    const auto old = read([](Reading& r) { return r.submission(id_of(1)); });
    EXPECT_EQ(old->state, State::superseded);
    EXPECT_EQ(old->superseded_by, id_of(4));
    EXPECT_EQ(read([](Reading& r) { return r.job_of(id_of(1), 1); })->state, State::superseded);
    const auto mine = read([](Reading& r) { return r.submissions(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}, 2); });
    ASSERT_EQ(mine.size(), 2u);
    EXPECT_EQ(mine[0].id, id_of(4));
    EXPECT_EQ(read([](Reading& r) { return r.submissions_counted(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}); }), 3);
}

TEST_P(StoreSuite, AttemptsAndVerdictsAreWrittenOnce) {
    write([](Tx& tx) -> Result<> {
        ASSAY_TRY(const JobId job, submit(tx, 1));
        ASSAY_CHECK(tx.move(id_of(1), State::running));
        ASSAY_CHECK(tx.add_attempt({job, 1, 9, 1000, 0, {}, "", ""}));
        ASSAY_CHECK(tx.keep_partial(job, 1, "{}"));
        ASSAY_CHECK(tx.end_attempt(job, 1, model::AttemptEnd::verdict, "", 2000));
        ASSAY_CHECK(tx.add_verdict({id_of(1), 1, model::Verdict::grader_fault, {}, 10.0, "{}", 1000, 2000}));
        return tx.move(id_of(1), State::graded);
    });
    const auto verdict = read([](Reading& r) { return r.verdict(id_of(1), 1); });
    ASSERT_TRUE(verdict);
    EXPECT_FALSE(verdict->score);
    EXPECT_EQ(verdict->score_max, 10.0);
    const auto attempts = read([](Reading& r) { return r.attempts(JobId{1}); });
    EXPECT_EQ(attempts.at(0).end, model::AttemptEnd::verdict);
    EXPECT_EQ(attempts.at(0).partial, "{}");
    // A fault that is not the participant's does not count to what he may hand in.
    EXPECT_EQ(read([](Reading& r) { return r.submissions_counted(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}); }), 0);

    const auto again = store_->write_and_wait(
        [](Tx& tx) { return tx.add_verdict({id_of(1), 1, model::Verdict::passed, {}, {}, "{}", 0, 0}); });
    EXPECT_EQ(again.error().fault(), Fault::conflict);
    const auto ended = store_->write_and_wait([](Tx& tx) { return tx.end_attempt(JobId{1}, 1, model::AttemptEnd::cut, "", 1); });
    EXPECT_EQ(ended.error().fault(), Fault::missing);
}

// Who stands for whom in line is found without reading the line; a course's rejudges stand apart, with turns of their own.
TEST_P(StoreSuite, TheHeadsOfTheLineKnowTheirLastTurns) {
    JobId first;
    write([&](Tx& tx) -> Result<> {
        ASSAY_TRY(first, submit(tx, 1));
        ASSAY_CHECK(submit(tx, 2));
        ASSAY_CHECK(submit(tx, 3));
        return ok;
    });
    const auto heads = [&] { return read([](Reading& r) { return r.heads(); }); };
    ASSERT_EQ(heads().size(), 1u);
    EXPECT_EQ(heads().at(0).job.id, first);
    EXPECT_EQ(heads().at(0).turn_ms, 0);
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(tx.move(id_of(1), State::running));
        ASSAY_CHECK(tx.put_turn(first, 77));
        ASSAY_CHECK(tx.add_verdict({id_of(1), 1, model::Verdict::passed, {}, {}, "{}", 1000, 2000}));
        ASSAY_CHECK(tx.move(id_of(1), State::graded));
        Job again;
        again.submission = id_of(1);
        again.generation = 2;
        again.revision = RevisionId{1};
        ASSAY_CHECK(tx.add_job(again));
        return ok;
    });
    const auto both = heads();
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(both.at(0).job.submission, id_of(2));
    EXPECT_EQ(both.at(0).turn_ms, 77);
    EXPECT_EQ(both.at(1).job.generation, 2);
    EXPECT_EQ(both.at(1).turn_ms, 0);
    EXPECT_EQ(read([](Reading& r) { return r.waiting(10); }).at(1).turn_ms, 77);
}

TEST_P(StoreSuite, ARejudgeMovesItsJobAloneUntilItsVerdictIsThere) {
    JobId second;
    write([&](Tx& tx) -> Result<> {
        ASSAY_TRY(const JobId first, submit(tx, 1));
        ASSAY_CHECK(tx.move_job(first, State::running));
        ASSAY_CHECK(tx.move_job(first, State::graded));
        ASSAY_TRY(const RevisionId newer, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 2, std::string(64, 'e'), "{}", 8}));
        Job job;
        job.submission = id_of(1);
        job.generation = 2;
        job.revision = newer;
        ASSAY_TRY(second, tx.add_job(job));
        return ok;
    });
    const auto submission = [&] { return *read([](Reading& r) { return r.submission(id_of(1)); }); };
    EXPECT_EQ(submission().state, State::graded);
    EXPECT_EQ(read([](Reading& r) { return r.newest_job(id_of(1)); })->id, second);
    const auto waiting = read([](Reading& r) { return r.waiting(10); });
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].revision, RevisionId{2});
    write([&](Tx& tx) { return tx.move_job(second, State::running); });
    EXPECT_EQ(submission().state, State::graded);
    EXPECT_EQ(submission().generation, 1);
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(tx.move_job(second, State::graded));
        return tx.advance(id_of(1), 2, RevisionId{2});
    });
    EXPECT_EQ(submission().generation, 2);
    EXPECT_EQ(submission().revision, RevisionId{2});
    const auto back = store_->write_and_wait([](Tx& tx) { return tx.advance(id_of(1), 1, RevisionId{1}); });
    EXPECT_EQ(back.error().fault(), Fault::missing);
}

TEST_P(StoreSuite, WhatIsHeldAndHowAModuleStands) {
    write([](Tx& tx) -> Result<> {
        for (int i = 1; i <= 2; ++i) ASSAY_CHECK(submit(tx, i));
        return tx.hold(id_of(2), model::Reason::held_by_staff);
    });
    const auto held = read([](Reading& r) { return r.held(10); });
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held[0].held_reason, model::Reason::held_by_staff);
    EXPECT_EQ(read([](Reading& r) { return r.waiting(10); }).size(), 1u);
    write([](Tx& tx) { return tx.move(id_of(2), State::queued); });
    EXPECT_FALSE(read([](Reading& r) { return r.submission(id_of(2)); })->held_reason);

    const auto standing = [&] { return read([](Reading& r) { return r.standing(CourseId{"C"}, ModuleId{"M"}); }); };
    const auto paused = [&] { return read([](Reading& r) { return r.paused(); }).size(); };
    EXPECT_FALSE(standing().paused);
    Standing noted{CourseId{"C"}, ModuleId{"M"}, model::Reason::grader_broken, 77, RevisionId{1}, 5, ParticipantId{"p"}, true};
    write([&](Tx& tx) { return tx.put_standing(noted); });
    reopen();
    EXPECT_EQ(standing(), noted);
    EXPECT_EQ(paused(), 1u);
    EXPECT_EQ(read([](Reading& r) { return r.waiting(10); }).size(), 2u);
    EXPECT_EQ(read([](Reading& r) { return r.heads(); }).size(), 1u);
    write([](Tx& tx) -> Result<> {
        ASSAY_TRY(const RevisionId newer, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 2, std::string(64, 'e'), "{}", 8}));
        return tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, newer});
    });
    EXPECT_EQ(read([](Reading& r) { return r.heads(); }).size(), 1u);
    EXPECT_EQ(paused(), 0u);  // A repaired grader deserves a try; staff's own pause does not end so.
    noted.paused = model::Reason::module_paused;
    write([&](Tx& tx) { return tx.put_standing(noted); });
    EXPECT_EQ(paused(), 1u);
}

TEST_P(StoreSuite, AChangeThatFailsTakesNothingWithItButItself) {
    constexpr int writers = 100;
    std::mutex mutex;
    std::condition_variable all_done;
    int succeeded = 0;
    int failed = 0;
    std::vector<std::jthread> threads;
    for (int i = 1; i <= writers; ++i) {
        threads.emplace_back([&, i] {
            const auto change = [i](Tx& tx) -> Result<> {
                ASSAY_CHECK(submit(tx, i));
                if (i % 3 == 0) return Error{Fault::denied, "no"};
                return ok;
            };
            store_->write(change, [&](Result<> result) {
                const std::lock_guard lock{mutex};
                ++(result ? succeeded : failed);
                all_done.notify_one();
            });
        });
    }
    std::unique_lock lock{mutex};
    ASSERT_TRUE(all_done.wait_for(lock, std::chrono::seconds{60}, [&] { return succeeded + failed == writers; }));
    EXPECT_EQ(failed, writers / 3);
    EXPECT_EQ(read([](Reading& r) { return r.waiting(1000); }).size(), static_cast<std::size_t>(succeeded));
    EXPECT_FALSE(read([](Reading& r) { return r.submission(id_of(3)); }));
    EXPECT_TRUE(read([](Reading& r) { return r.submission(id_of(4)); }));
}

TEST_P(StoreSuite, AnAnswerComesOnlyWhenOthersCanReadTheChange) {
    bool seen = false;
    std::mutex mutex;
    std::condition_variable answered;
    bool done = false;
    store_->write([](Tx& tx) { return tx.put_setting("a", "1"); },
                  [&](Result<>) {
                      seen = read([](Reading& r) { return r.setting("a"); }) == "1";
                      const std::lock_guard lock{mutex};
                      done = true;
                      answered.notify_one();
                  });
    std::unique_lock lock{mutex};
    ASSERT_TRUE(answered.wait_for(lock, std::chrono::seconds{60}, [&] { return done; }));
    EXPECT_TRUE(seen);
}

TEST_P(StoreSuite, AReadingSeesOneMomentHoweverLongItLasts) {
    const auto result = store_->read([&](Reading& reading) -> Result<> {
        ASSAY_TRY(const auto before, reading.setting("a"));
        ASSAY_CHECK(store_->write_and_wait([](Tx& tx) { return tx.put_setting("a", "2"); }));
        ASSAY_TRY(const auto after, reading.setting("a"));
        EXPECT_EQ(before, after);
        return ok;
    });
    EXPECT_TRUE(result);
    EXPECT_EQ(read([](Reading& r) { return r.setting("a"); }), "2");
}

TEST_P(StoreSuite, RowsThatPointNowhereAreRefused) {
    const auto refused = store_->write_and_wait([](Tx& tx) -> Result<> {
        Submission s = submission(1);
        s.participant = ParticipantId{"nobody"};
        return tx.add_submission(s);
    });
    EXPECT_EQ(refused.error().fault(), Fault::conflict);
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreSuite, ::testing::Values(Backend{"sqlite", sqlite_in}),
                         [](const auto& info) { return std::string{info.param.name}; });

// --- What is SQLite's alone.

class SqliteFile : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(sys::make_directory(directory_)); }
    void TearDown() override { ASSERT_TRUE(sys::remove_tree(directory_)); }
    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-sqlite-" + sys::random_text(8, "abcdefgh"));
    std::string path_ = directory_ + "/assay.db";
};

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
DROP TABLE extension; ALTER TABLE submission DROP COLUMN declared;
DROP INDEX submission_held; DROP TABLE standing; ALTER TABLE job DROP COLUMN revision;
ALTER TABLE attempt DROP COLUMN partial; DROP TABLE IF EXISTS upload_key;
DROP INDEX job_turn; DROP TABLE turn; ALTER TABLE job DROP COLUMN line_course; ALTER TABLE job DROP COLUMN line_module;
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
