#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "course/course.hh"

namespace assay::course {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view csv) {
    const auto rows = parse_roster(csv);
    return rows ? "parsed" : rows.error().text();
}

TEST(Roster, ReadsWhatSpreadsheetsWrite) {
    const auto rows =
        parse_roster("\xef\xbb\xbfid,Name,email\r\n241220001,陈一鸣,a@x\r\n\r\n 7 ,\"Li, \"\"Anna\"\"\",\r\n");
    ASSERT_TRUE(rows) << rows.error().text();
    ASSERT_EQ(rows->size(), 2U);
    EXPECT_EQ((*rows)[0].name, "陈一鸣");
    EXPECT_EQ((*rows)[1].id, "7");
    EXPECT_EQ((*rows)[1].name, "Li, \"Anna\"");
    EXPECT_EQ((*rows)[1].token, "");
}

// What a Chinese spreadsheet writes when it is not told otherwise.
TEST(Roster, ReadsGb18030) {
    const auto rows = parse_roster("id,name\n241220001,\xb3\xc2\xd2\xbb\xc3\xf9\n2,\x81\x30\x89\x38\n");
    ASSERT_TRUE(rows) << rows.error().text();
    EXPECT_EQ((*rows)[0].name, "陈一鸣");
    EXPECT_EQ((*rows)[1].name, "ß");
}

TEST(Roster, ComesBackFromWhatItWrites) {
    const std::vector<RosterRow> rows{
        {.id = "1", .name = "a,\"b\"", .email = "", .group = "x", .token = "T-1", .key = "k"}};
    const auto csv = roster_csv(rows);
    EXPECT_EQ(csv, "id,name,email,group,token,key\n1,\"a,\"\"b\"\"\",,x,T-1,k\n");
}

TEST(Roster, RefusesWithTheLine) {
    struct Case {
        std::string_view csv;
        const char* error;
    };
    for (const auto& [csv, error] : {
             Case{"", "empty"},
             {"name\nA\n", "line 1: there is no column 'id'"},
             {"id,nmae\n", "line 1: unknown column 'nmae'; did you mean 'name'?"},
             {"id,id\n", "two columns 'id'"},
             {"id,name\n1\n", "line 2: 1 fields, but the header names 2"},
             {"id,name\n1,\"a\nb\n", "line 2: a quote is not closed"},
             {"id,name\n1,a\"b\n", "line 2: a quote inside"},
             {"id,name\n1,\"a\"b\n", "line 2: text behind a closing quote"},
             {"id,name\n1,a\n,b\n", "line 3: the id is empty"},
             {"id\n2.02E+09\n", "line 2: the id 2.02E+09 looks as if a spreadsheet"},
             {"id\n2E+09\n", "looks as if a spreadsheet"},
             {"id\n2.02E9\n", "looks as if a spreadsheet"},
             {"id\n2.02e09\n", "looks as if a spreadsheet"},
             {"id\n\"2,02E9\"\n", "looks as if a spreadsheet"},
             {"id\n1\n2\n1\n", "line 4: the same id as in line 2"},
             {"id,token\n1,short\n", "shorter than 8 characters"},
             {"id,token\n241220001,241220001\n", "the token is the id"},
             {"id,key\n241220001,241220001\n", "the key is the id"},
             {"id,key\n1,abc/def?gh\n", "only A-Z a-z 0-9 - _"},
             {"id,token\n1,abcd-efgh-jkmn-pqrs\n2,ABCDEFGHJKMNPQRS\n", "line 3: the same token as in line 2"},
             {"id,name\n1,\xff\xff\n", "neither UTF-8 nor GB18030"},
             {"\xff\xfei\0d\0", "the roster is UTF-16"},
         }) {
        EXPECT_THAT(error_of(csv), HasSubstr(error)) << csv;
    }
    // An id that only resembles such a number stays what it is.
    for (const char* id : {"E2024", "2024E", "12e5", "21E1234", "CE+09", "1e+", "2.02E", "2.0x2E9", "a2.02E+09"})
        EXPECT_EQ(error_of(std::string{"id\n"} + id + "\n"), "parsed") << id;
}

TEST(Text, TellsWhatAServerSaid) {
    EXPECT_EQ(problem_detail(R"({"title":"Refused","status":400,"detail":"line 2: the id is empty"})"), "line 2: the id is empty");
    EXPECT_EQ(problem_detail("Bad gateway\n"), "Bad gateway");
    EXPECT_EQ(problem_detail("[1]"), "[1]");
    EXPECT_EQ(imported_text({.added = 2, .updated = 1, .unchanged = 0}, false), "2 added, 1 updated, 0 unchanged");
    EXPECT_EQ(imported_text({.added = 2, .updated = 1, .unchanged = 0}, true), R"({"added":2,"updated":1,"unchanged":0,"inactive":[]})");
    EXPECT_EQ(imported_text({.added = 0, .updated = 0, .unchanged = 1, .inactive = {"b", "c"}}, false),
              "0 added, 0 updated, 1 unchanged, 2 made inactive: b c");
    EXPECT_FALSE(list_text("{"));
}

TEST(Token, IsReadableAndForgiving) {
    const std::string token = new_token();
    EXPECT_THAT(token, testing::MatchesRegex("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"));
    EXPECT_EQ(token.find_first_of("ILOU"), std::string::npos);
    EXPECT_NE(token, new_token());
    EXPECT_EQ(normal_token(token), token);
    EXPECT_EQ(normal_token("7h2k-9qxm-0il0-abcd"), "7H2K-9QXM-0110-ABCD");
    EXPECT_EQ(normal_token("7H2K9QXMOIL0ABCD"), "7H2K-9QXM-0110-ABCD");
    for (const char* other : {"", "my own secret", "7H2K-9QXM-0110-ABCU", "7H2K-9QXM-0110-ABCDE", "7H2K-9QXM-0110"})
        EXPECT_EQ(normal_token(other), other);
}

}  // namespace
}  // namespace assay::course
