// One suite for every backend: what stands behind Store is a parameter.
// long: the suite is one, so that no backend is asked less than another.
#include "store/store.hh"

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

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
        return tx.put_signing_key({model::KeyUse::receipt, "k1", std::string(32, '\xff'), 5, {}});
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
    EXPECT_EQ(read([](Reading& r) { return r.signing_keys(model::KeyUse::receipt); }).at(0).public_key, std::string(32, '\xff'));
    EXPECT_EQ(read([](Reading& r) { return r.digests(); }).size(), 2u);
    EXPECT_FALSE(read([](Reading& r) { return r.submission(SubmissionId{"nothing"}); }));
}

TEST_P(StoreSuite, CommitmentsAreFoundWhileTheirTimeLasts) {
    const CourseId course{"C"};
    const ModuleId module{"M"};
    const ParticipantId p{"p"};
    const auto made = [&](const std::string& sha256, std::int64_t committed_ms, std::int64_t until_ms) {
        return Commitment{course, module, p, sha256, 10, committed_ms, until_ms, "{\"signed\":true}", {}};
    };
    const auto shas = [&](std::int64_t at_ms) {
        std::string found;
        for (const Commitment& one : read([&](Reading& r) { return r.commitments(course, module, p, at_ms); })) found += one.sha256 + (one.submission ? "+" : " ");
        return found;
    };
    write([&](Tx& tx) -> Result<> {
        ASSAY_CHECK(tx.add_commitment(made("b", 20, 120)));
        return tx.add_commitment(made("a", 10, 110));
    });
    EXPECT_EQ(store_->write_and_wait([&](Tx& tx) { return tx.add_commitment(made("a", 10, 500)); }).error().fault(), Fault::conflict);
    reopen();
    EXPECT_EQ(shas(110), "a b ");
    EXPECT_EQ(shas(111), "b ");
    EXPECT_TRUE(read([&](Reading& r) { return r.commitments(course, module, ParticipantId{"q"}, 0); }).empty());
    EXPECT_EQ(read([&](Reading& r) { return r.latest_commitment(course, module); }), 120);
    EXPECT_FALSE(read([&](Reading& r) { return r.latest_commitment(course, ModuleId{"N"}); }));

    // A submission of those bytes keeps what was promised of them, and of no others.
    write([&](Tx& tx) -> Result<> {
        auto s = submission(1);
        s.sha256 = "b";
        s.size = 10;
        s.committed_ms = 20;
        s.names_converted = 3;
        ASSAY_CHECK(tx.add_submission(s));
        return tx.keep_promise(s.id);
    });
    EXPECT_EQ(shas(0), "a b+");
    EXPECT_EQ(read([](Reading& r) { return r.submission(id_of(1)); })->committed_ms, 20);
    EXPECT_EQ(read([](Reading& r) { return r.submission(id_of(1)); })->names_converted, 3);
    EXPECT_EQ(read([&](Reading& r) { return r.latest_commitment(course, module); }), 110);

    write([](Tx& tx) { return tx.forget_commitments(110); });
    EXPECT_EQ(shas(0), "a b+");
    write([](Tx& tx) { return tx.forget_commitments(1000); });
    EXPECT_EQ(shas(0), "b+");
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

}  // namespace
}  // namespace assay::store
