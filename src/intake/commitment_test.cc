#include "intake/commitment.hh"

#include <gtest/gtest.h>

namespace assay::intake {
namespace {

const std::string a(64, 'a');
const std::string b(64, 'b');

store::Commitment made(const std::string& sha256, std::int64_t committed_ms, std::int64_t until_ms, bool came = false) {
    store::Commitment one;
    one.sha256 = sha256;
    one.size = 10;
    one.committed_ms = committed_ms;
    one.until_ms = until_ms;
    one.document = sha256.substr(0, 1) + std::to_string(committed_ms);
    if (came) one.submission = SubmissionId{"0123456789abcdef"};
    return one;
}

TEST(CommittedTime, IsOfTheEarliestThatFitsAndWasKept) {
    struct Case {
        const char* why;
        std::vector<store::Commitment> made;
        std::int64_t last_byte_ms;
        std::optional<std::int64_t> committed;
    };
    const std::vector<Case> cases{
        {"none was made", {}, 100, {}},
        {"kept", {made(a, 50, 100)}, 99, 50},
        {"its last moment counts", {made(a, 50, 100)}, 100, 50},
        {"too late", {made(a, 50, 100)}, 101, {}},
        {"a clock that was set back proves nothing", {made(a, 50, 100)}, 49, {}},
        {"other bytes", {made(b, 50, 100)}, 60, {}},
        {"the earliest", {made(a, 60, 110), made(a, 50, 100)}, 100, 50},
        {"whose time is not over", {made(a, 50, 100), made(a, 60, 110)}, 101, 60},
        {"they came before, and come again", {made(a, 50, 100, true)}, 100, 50},
    };
    for (const Case& c : cases) EXPECT_EQ(committed_ms(c.made, a, 10, c.last_byte_ms), c.committed) << c.why;
    const std::vector one{made(a, 50, 100)};
    EXPECT_EQ(committed_ms(one, a, 11, 60), std::nullopt);  // Of another size: not these bytes.
}

TEST(CommitmentDecision, ThreeAtOnceAndTheSameOnceMore) {
    using Kind = CommitmentDecision::Kind;
    struct Case {
        const char* why;
        std::vector<store::Commitment> made;
        Kind kind;
        std::string document;
        std::int64_t wait_ms;
    };
    const std::string c(64, 'c'), d(64, 'd');
    const std::vector<Case> cases{
        {"the first", {}, Kind::fresh, "", 0},
        {"the third", {made(b, 1, 200), made(c, 2, 210)}, Kind::fresh, "", 0},
        {"the fourth", {made(b, 1, 220), made(c, 2, 210), made(d, 3, 230)}, Kind::too_many, "", 110},
        {"whose bytes came is open no longer",
         {made(b, 1, 220), made(c, 2, 210, true), made(d, 3, 230)},
         Kind::fresh,
         "",
         0},
        {"nor is what lapsed", {made(b, 1, 220), made(c, 2, 99), made(d, 3, 230)}, Kind::fresh, "", 0},
        {"the same again", {made(a, 5, 200)}, Kind::again, "a5", 0},
        {"also of four", {made(b, 1, 220), made(c, 2, 210), made(d, 3, 230), made(a, 5, 200)}, Kind::again, "a5", 0},
        {"also after its bytes came", {made(a, 5, 200, true)}, Kind::again, "a5", 0},
        {"not once it lapsed", {made(a, 5, 99)}, Kind::fresh, "", 0},
    };
    for (const Case& it : cases) {
        const auto decision = decide_commitment(it.made, a, 10, 100);
        EXPECT_EQ(decision.kind, it.kind) << it.why;
        EXPECT_EQ(decision.document, it.document) << it.why;
        EXPECT_EQ(decision.wait_ms, it.wait_ms) << it.why;
    }
}

TEST(CommitmentAsked, IsReadOrRefusedByName) {
    const auto fault = [](std::string_view json) { return commitment_asked(json).error(); };
    const std::string rest = R"("course": "C", "module": "M", "sha256": ")" + std::string(64, 'A') + '"';
    const auto asked = commitment_asked("{" + rest + R"(, "size": 12, "later": [1]})");
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->course, "C");
    EXPECT_EQ(asked->module, "M");
    EXPECT_EQ(asked->sha256, a);
    EXPECT_EQ(asked->size, 12);

    EXPECT_EQ(fault("").fault, wording::FormFault::json_broken);
    EXPECT_EQ(fault("[]").argument, "course");
    EXPECT_EQ(fault(R"({"course": 1})").argument, "course");
    EXPECT_EQ(fault(R"({"course": "C", "module": ""})").argument, "module");
    EXPECT_EQ(fault(R"({"course": "C", "module": "M"})").argument, "sha256");
    EXPECT_EQ(fault("{" + rest + "}").argument, "size");
    for (const char* size : {"-1", "1.5", "\"1\"", "null", "1e3", "99999999999999999999"}) {
        EXPECT_EQ(fault("{" + rest + ", \"size\": " + size + "}").fault, wording::FormFault::size_unreadable) << size;
    }
    EXPECT_EQ(fault(R"({"course": "C", "module": "M", "size": 1, "sha256": "abc"})").fault,
              wording::FormFault::sha256_unreadable);
    EXPECT_EQ(fault(std::string(commitment_request_bytes_max + 1, ' ')).fault, wording::FormFault::json_broken);
}

}  // namespace
}  // namespace assay::intake
