// A line on a real store for the tests of this room: course C with module M and participants p0 … p4, two slots.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "queue/board.hh"
#include "queue/line.hh"
#include "store/store.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::queue {

using model::AttemptEnd;
using model::State;
using store::Reading;
using store::Tx;

inline SubmissionId id_of(int number) {
    const std::string digits = std::to_string(number);
    return SubmissionId{std::string(16 - digits.size(), '0') + digits};
}

inline Finished passed() {
    model::Report report;
    report.verdict = model::Verdict::passed;
    report.score = 10;
    report.score_max = 10;
    return finished_from(report);
}

class LineTest : public ::testing::Test {
protected:
    void SetUp() override {
        const std::string memory = "/dev/shm";  // What is tested here is no disk's doing.
        const std::string base = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path().string();
        directory_ = base + "/assay-line-" + sys::random_text(8, "abcdefgh");
        ASSERT_TRUE(sys::make_directory(directory_));
        open();
        model::Plan plan;
        plan.title = "Module";
        plan.stages.emplace_back();
        plan.stages.back().name = "run";
        plan.stages.back().command = {"true"};
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(tx.put_course({.id = CourseId{"C"}, .title = "Course"}));
            ASSAY_TRY(const RevisionId revision,
                      tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 1, std::string(64, 'd'), model::to_json(plan), 1}));
            ASSAY_CHECK(tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, revision}));
            for (int p = 0; p < 5; ++p) {
                store::Participant participant;
                participant.course = CourseId{"C"};
                participant.id = ParticipantId{"p" + std::to_string(p)};
                ASSAY_CHECK(tx.put_participant(participant));
            }
            return ok;
        });
        board_.set_slots(2);
    }
    void TearDown() override {
        store_.reset();
        ASSERT_TRUE(sys::remove_tree(directory_));
    }
    void open() {
        store_.reset();
        auto opened = store::open_sqlite({.path = directory_ + "/assay.db", .vfs = vfs_, .rebuild_wait = std::chrono::milliseconds{1}});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
    }
    void write(store::Store::Change change) {
        const auto written = store_->write_and_wait(std::move(change));
        ASSERT_TRUE(written) << written.error().text();
    }
    void submit(int number, int participant) {
        write([&](Tx& tx) { return add(tx, number, participant, 0); });
    }
    static Result<> add(Tx& tx, int number, int participant, std::int64_t place) {
        store::Submission s;
        s.id = id_of(number);
        s.course = CourseId{"C"};
        s.module = ModuleId{"M"};
        s.participant = ParticipantId{"p" + std::to_string(participant)};
        s.revision = RevisionId{1};
        s.sha256 = std::string(64, 'a');
        s.last_byte_ms = number;
        ASSAY_CHECK(tx.add_submission(s));
        store::Job job;
        job.submission = s.id;
        job.place = place;
        ASSAY_TRY([[maybe_unused]] const JobId id, tx.add_job(job));
        return ok;
    }
    std::optional<Lease> grant_one(std::int64_t epoch) {
        std::optional<Lease> lease;
        write([&](Tx& tx) -> Result<> {
            Snapshot snapshot;
            ASSAY_CHECK(snapshot.take(tx, board_, now_ms_));
            ASSAY_TRY(lease, grant(tx, snapshot.situation, epoch));
            return ok;
        });
        return lease;
    }
    std::int64_t epoch() {
        std::int64_t value = 0;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(value, begin_epoch(tx));
            return ok;
        });
        return value;
    }
    Result<> finish_it(const Token& token) {
        return store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(finish(tx, token, passed(), now_ms_));
            return ok;
        });
    }
    // And lets the back-off after it pass.
    Result<> fault(const Token& token, const std::string& why = "the sandbox broke") {
        auto given_back = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(give_back(tx, token, AttemptEnd::fault, model::Reason::retry, why, now_ms_));
            return ok;
        });
        now_ms_ += fault_backoff_ms;
        return given_back;
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
    State state(int number) {
        return read([&](Reading& r) { return r.submission(id_of(number)); })->state;
    }

    std::string directory_;
    std::string vfs_;                            // as of StoreConfig
    std::unique_ptr<store::Store> store_;
    std::int64_t now_ms_ = 1'000'000;
    Board board_{1'000'000};
};

}  // namespace assay::queue
