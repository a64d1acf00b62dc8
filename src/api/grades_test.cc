// What staff take away, as programs read it and as spreadsheets do.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/staff.hh"
#include "testing/small_course.hh"

namespace assay::api {
namespace {

using testing::SmallCourse;

class Grades : public ::testing::Test {
protected:
    void write(const std::function<Result<>(store::Tx&)>& change) {
        const auto written = course.store->write_and_wait(change);
        ASSERT_TRUE(written) << written.error().text();
    }
    std::string taken(bool json) {
        const auto text = grades(*course.store, course.board, CourseId{"C"}, "M", json, SmallCourse::now_ms);
        EXPECT_TRUE(text) << text.error().text();
        return text ? *text : std::string{};
    }

    SmallCourse course;
};

// A spreadsheet must see UTF-8, numbers as numbers, and nothing that it would run.
TEST_F(Grades, ACsvIsWhatASpreadsheetReads) {
    write([](store::Tx& tx) -> Result<> {
        ASSAY_TRY(auto ann, tx.participant(CourseId{"C"}, ParticipantId{"ann"}));
        ann->name = "=HYPERLINK(\"http://x\")";
        ann->email = "@SUM(1)";
        ann->group = "-2+3";
        return tx.put_participant(*ann);
    });
    const std::string csv = taken(false);
    EXPECT_TRUE(csv.starts_with("\xef\xbb\xbfid,name,email,")) << csv;
    EXPECT_TRUE(csv.contains("\nann,\"'=HYPERLINK(\"\"http://x\"\")\",'@SUM(1),'-2+3,M,1,AnnGraded0000001,")) << csv;
    EXPECT_TRUE(csv.contains(",graded,failed,40,100,no,0\n")) << csv;
    EXPECT_EQ(csv.find("\xef\xbb\xbf", 3), std::string::npos);
    const auto json = nlohmann::json::parse(taken(true));  // Programs get it as it is.
    EXPECT_EQ(json[0]["email"], "@SUM(1)");
}

// An empty row reads as nothing handed in, and so as zero; whoever only met faults of ours or the grader's handed in.
TEST_F(Grades, WhereNothingCountsTheNewestIsNamedWithoutPoints) {
    write([](store::Tx& tx) -> Result<> {
        const SubmissionId id{SmallCourse::ben_waits};
        ASSAY_CHECK(tx.move(id, model::State::running));
        model::Report report;
        report.verdict = model::Verdict::grader_fault;
        ASSAY_CHECK(tx.add_verdict({.submission = id,
                                    .verdict = model::Verdict::grader_fault,
                                    .score = 0,
                                    .score_max = 100,
                                    .report = model::to_json(report)}));
        return tx.move(id, model::State::graded);
    });
    const auto rows = nlohmann::json::parse(taken(true));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1]["id"], "ben");
    EXPECT_EQ(rows[1]["submission"], SmallCourse::ben_waits);
    EXPECT_EQ(rows[1]["state"], "graded");
    EXPECT_EQ(rows[1]["verdict"], "grader_fault");
    for (const char* const points : {"score", "score_max", "penalty"}) EXPECT_TRUE(rows[1][points].is_null()) << points;
    EXPECT_EQ(rows[0]["score"], 40);
    EXPECT_TRUE(taken(false).contains(",graded,grader_fault,,,no,\n")) << taken(false);
}

// Who never handed in stays empty.
TEST_F(Grades, NothingHandedInIsAnEmptyRow) {
    const auto text = grades(*course.store, course.board, CourseId{"D"}, "", true, SmallCourse::now_ms);
    ASSERT_TRUE(text) << text.error().text();
    const auto rows = nlohmann::json::parse(*text);
    ASSERT_EQ(rows.size(), 1U);
    for (const char* const empty : {"submission", "state", "verdict", "score", "late"})
        EXPECT_TRUE(rows[0][empty].is_null()) << empty;
}

}  // namespace
}  // namespace assay::api
