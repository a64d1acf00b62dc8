// A real store in a folder of its own: course C with modules M (open) and Old (archived), course D with module N; ann is in
// both with the same token, ben and the inactive zoe are in C. ann has the graded submission `ann_graded`, ben waits.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "course/course.hh"
#include "model/plan.hh"
#include "model/report.hh"
#include "queue/board.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"
#include "sys/disk.hh"
#include "sys/random.hh"
#include "testing/manual_clock.hh"

namespace assay::testing {

class SmallCourse {
public:
    static constexpr std::int64_t now_ms = 1'795'000'000'000;
    static constexpr const char* ann_token = "AAAABBBBCCCCDDDD";
    static constexpr const char* ann_key = "annannannkey1";
    static constexpr const char* ben_token = "EEEEFFFFGGGGHHHH";
    static constexpr const char* ben_key = "benbenbenkey1";
    static constexpr const char* zoe_token = "JJJJKKKKMMMMNNNN";
    static constexpr const char* ann_graded = "AnnGraded0000001";
    static constexpr const char* ben_waits = "BenWaits00000001";

    SmallCourse() {
        std::filesystem::create_directories(directory + "/keys");
        std::filesystem::create_directories(directory + "/tmp");
        std::filesystem::create_directories(directory + "/revisions");
        keys = std::make_unique<store::Keys>(store::Keys::open(directory + "/keys", now_ms).value());
        store = store::open_sqlite({.path = directory + "/assay.db"}).value();
        revisions = std::make_unique<store::Blobs>(sys::real_disk(), directory + "/revisions", directory + "/tmp");
        board.set_slots(0);
        const auto written = store->write_and_wait([this](store::Tx& tx) { return fill(tx); });
        EXPECT_TRUE(written) << written.error().text();
    }
    ~SmallCourse() {
        store.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }
    SmallCourse(const SmallCourse&) = delete;
    SmallCourse& operator=(const SmallCourse&) = delete;

    std::string directory = std::filesystem::temp_directory_path() / ("assay-test-" + sys::random_text(12, "abcdefghijklmnop"));
    std::unique_ptr<store::Keys> keys;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<store::Blobs> revisions;
    queue::Board board{now_ms};

private:
    Result<> fill(store::Tx& tx) {
        ASSAY_CHECK(tx.put_course({CourseId{"C"}, "Course C", "Asia/Shanghai", "zh", "staff@example.edu"}));
        ASSAY_CHECK(tx.put_course({CourseId{"D"}, "Course D", "UTC", "en", ""}));
        ASSAY_CHECK(add_module(tx, "C", "M", false));
        ASSAY_CHECK(add_module(tx, "C", "Old", true));
        ASSAY_CHECK(add_module(tx, "D", "N", false));
        ASSAY_CHECK(tx.put_participant(person("C", "ann", ann_token, ann_key)));
        ASSAY_CHECK(tx.put_participant(person("D", "ann", ann_token, "annkeyofcourseD")));
        ASSAY_CHECK(tx.put_participant(person("C", "ben", ben_token, ben_key)));
        auto zoe = person("C", "zoe", zoe_token, "zoezoezoekey1");
        zoe.active = false;
        ASSAY_CHECK(tx.put_participant(zoe));

        ASSAY_CHECK(tx.add_submission(submission(ann_graded, "ann", now_ms - 60'000)));
        ASSAY_TRY([[maybe_unused]] const JobId first, tx.add_job({.submission = SubmissionId{ann_graded}}));
        ASSAY_CHECK(tx.move(SubmissionId{ann_graded}, model::State::running));
        ASSAY_CHECK(tx.add_verdict({.submission = SubmissionId{ann_graded},
                                    .verdict = model::Verdict::failed,
                                    .score = 40,
                                    .score_max = 100,
                                    .report = model::to_json(report()),
                                    .started_ms = now_ms - 50'000,
                                    .finished_ms = now_ms - 40'000}));
        ASSAY_CHECK(tx.move(SubmissionId{ann_graded}, model::State::graded));
        ASSAY_CHECK(tx.add_submission(submission(ben_waits, "ben", now_ms - 30'000)));
        ASSAY_TRY([[maybe_unused]] const JobId second, tx.add_job({.submission = SubmissionId{ben_waits}}));
        return ok;
    }

    static Result<> add_module(store::Tx& tx, const std::string& course, const std::string& module, bool archived) {
        model::Plan plan;
        plan.title = "Module " + module;
        plan.timezone = "Asia/Shanghai";
        plan.stages.push_back({.name = "tests", .command = {"true"}});
        ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{course}, ModuleId{module}, 1, std::string(64, 'd'), model::to_json(plan), now_ms}));
        return tx.put_module({CourseId{course}, ModuleId{module}, "Module " + module, archived, id});
    }

    store::Participant person(const std::string& course, const std::string& id, const std::string& token, const std::string& key) {
        store::Participant made;
        made.course = CourseId{course};
        made.id = ParticipantId{id};
        made.name = "Name of " + id;
        made.token_hash = keys->hash("token", course::normal_token(token));
        made.token_sealed = keys->seal(token);
        made.key_hash = keys->hash("key", key);
        made.key_sealed = keys->seal(key);
        return made;
    }

    store::Submission submission(const std::string& id, const std::string& participant, std::int64_t at_ms) {
        store::Submission made;
        made.id = SubmissionId{id};
        made.course = CourseId{"C"};
        made.module = ModuleId{"M"};
        made.participant = ParticipantId{participant};
        made.revision = RevisionId{1};
        made.sha256 = std::string(64, 'a');
        made.size = 1234;
        made.first_byte_ms = at_ms - 5;
        made.last_byte_ms = at_ms;
        made.receipt = "{\"id\":\"" + id + "\",\"signature\":\"kept to the byte\"}";
        return made;
    }

    static model::Report report() {
        model::StageReport build;
        build.name = "build";
        build.verdict = model::Verdict::passed;
        build.output = "hello \x1b[2J from make\n";
        model::StageReport score;
        score.name = "score";
        score.trusted = true;
        score.verdict = model::Verdict::failed;
        score.output = "secret of the grader\n";
        score.score = 40;
        score.score_max = 100;
        model::Report made;
        made.verdict = model::Verdict::failed;
        made.score = 40;
        made.score_max = 100;
        made.stages = {build, score};
        return made;
    }
};

}  // namespace assay::testing
