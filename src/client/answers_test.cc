#include "client/answers.hh"

#include <gtest/gtest.h>

#include "client/event_reader.hh"
#include "client/url.hh"

namespace assay::client {
namespace {

constexpr auto english = wording::Language::english;

TEST(Url, IsReadAndWrittenOneWay) {
    const struct {
        std::string_view text, same;
    } cases[] = {{"http://host", "http://host"},
                 {"HOST:8080/", "http://host:8080"},
                 {"http://host:80/prefix//", "http://host/prefix"},
                 {"http://[::1]:9/a/b", "http://[::1]:9/a/b"},
                 {" http://host ", "http://host"}};
    for (const auto& c : cases) {
        const auto url = parse_url(c.text, english);
        ASSERT_TRUE(url) << c.text << ' ' << url.error().text();
        EXPECT_EQ(url->text(), c.same);
    }
    for (const char* const wrong : {"", "ftp://host", "http://", "http://host:", "http://host:0", "http://host:99999", "http://a b", "http://user@host",
                                    "http://host/a?b", "http://[::1", "http://host\nX: y"}) {
        EXPECT_FALSE(parse_url(wrong, english)) << wrong;
    }
    EXPECT_EQ(parse_url("HTTPS://Host:443/a/", english)->text(), "https://host/a");
    EXPECT_EQ(parse_url("https://host:80", english)->text(), "https://host:80");
    EXPECT_TRUE(parse_url("https://host", english)->tls);
}

TEST(EventReader, TakesEventsHoweverTheirBytesWereCut) {
    const std::string stream = "retry: 3000\n\nid: 1\nevent: submission\ndata: a\ndata:b\n\n: beat\r\r\ndata: c\r\n\r\nid: 2\n\ndata: cut";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        std::string seen;
        EventReader reader;
        const auto take = [&](const ServerEvent& event) -> Result<> {
            seen += event.id + "/" + event.name + "/" + event.data + ";";
            return ok;
        };
        for (std::size_t at = 0; at < stream.size(); at += size) ASSERT_TRUE(reader.feed(std::string_view{stream}.substr(at, size), take));
        EXPECT_EQ(seen, "1/submission/a\nb;1/message/c;") << size;
        EXPECT_EQ(reader.last_id(), "2");
    }
    EventReader reader;
    EXPECT_EQ(reader.feed(std::string(EventReader::line_bytes_max + 1, 'x'), {}).error().fault(), Fault::too_large);
}

TEST(Limits, AreThoseOfTheModuleOrNone) {
    const std::string whole =
        R"({"size_max":100,"formats":["tar"],"unpacked_max":200,"entries_max":3,"required":["Makefile"],"ignore":["._*"],"symlinks":"inside",)"
        R"("names":"utf-8","rate":{"count":30,"per_ms":60000},"open":false,"opens":"soon","closes":null})";
    const auto limits = limits_from(whole);
    ASSERT_TRUE(limits) << limits.error().text();
    EXPECT_EQ(limits->rules.size_max, 100);
    EXPECT_EQ(limits->rules.required, std::vector<std::string>{"Makefile"});
    EXPECT_EQ(limits->rules.rate, (model::Rate{30, 60'000}));
    EXPECT_FALSE(limits->open);
    EXPECT_EQ(limits->opens, "soon");
    std::string without_rate = whole;
    without_rate.replace(without_rate.find(R"({"count":30,"per_ms":60000})"), 27, "null");
    EXPECT_EQ(limits_from(without_rate).value().rules.rate, std::nullopt);
    for (const char* const wrong : {"", "[]", "{}", "{\"open\":true}", "{\"open\":1,\"size_max\":100}", "{\"open\":true,\"size_max\":\"100\"}"}) EXPECT_FALSE(limits_from(wrong)) << wrong;
}

// Bytes are announced where an upload that takes as long as it may could miss a date.
TEST(Limits, SayWhetherAnnouncingIsWorthIt) {
    struct Case {
        const char* why;
        const char* due;
        const char* closes;
        bool worth;
    };
    const std::vector<Case> cases{
        {"no dates", "", "", false},
        {"both far", "2026-10-15T12:31:00Z", "2026-10-15T12:31:00Z", false},
        {"due is near", "2026-10-15T12:30:00Z", "2026-10-16T12:30:00Z", true},
        {"it closes soon, though nothing is due", "", "2026-10-15T12:01:00Z", true},
        {"due has passed: each day counts", "2026-10-01T12:00:00Z", "2026-10-20T12:00:00Z", true},
        {"another zone", "2026-10-15T20:10:00+08:00", "2026-10-16T12:30:00Z", true},
        {"no date at all", "tomorrow", "soon", false},
    };
    for (const Case& c : cases) {
        Limits limits;
        limits.now = "2026-10-15T12:00:00.000Z";
        limits.due = c.due;
        limits.closes = c.closes;
        limits.upload_grace_ms = 30LL * 60 * 1000;
        EXPECT_EQ(worth_committing(limits), c.worth) << c.why;
    }
    EXPECT_FALSE(committed_from("{}"));
    EXPECT_FALSE(committed_from(R"({"committed_at": "2026", "bytes_until": "2026"})"));
    EXPECT_EQ(committed_from(R"({"committed_at": "a", "bytes_until": "b", "signature": "c"})").value().until, "b");
}

TEST(Standing, IsTakenFromTheSubmissionsJson) {
    const auto waits = standing_from(R"({"id":"AbCdEfGh12345678","state":"queued","verdict":null,"position":3,)"
                                     R"("reason":{"text":"All \u001b[2J taken.","details":"2 of 2"}})");
    ASSERT_TRUE(waits);
    EXPECT_FALSE(waits->over());
    EXPECT_EQ(line_of(*waits, english), "AbCdEfGh12345678 waiting, place 3 in line\n  All \\x1b[2J taken.\n  (2 of 2)");
    const auto graded = standing_from(R"({"id":"AbCdEfGh12345678","state":"graded","verdict":"passed","score":87.5,"score_max":100})");
    EXPECT_TRUE(graded->over());
    EXPECT_EQ(line_of(*graded, english), "AbCdEfGh12345678 graded: passed, 87.5 / 100");
    EXPECT_EQ(line_of(*graded, wording::Language::chinese), "AbCdEfGh12345678 已评分: 通过, 87.5 / 100");
    // The time that counts is said where it is not the one of the last byte.
    const auto at = [](const char* committed, const char* counts) {
        return line_of(*standing_from(std::string{R"({"id":"AbCdEfGh12345678","state":"queued","received_at":"9","committed_at":)"} + committed +
                                      ",\"handed_in_at\":" + counts + "}"), english);
    };
    EXPECT_EQ(at("\"5\"", "\"5\""), "AbCdEfGh12345678 waiting, committed 5, which is the time that counts");
    for (const auto& line : {at("\"5\"", "\"4\""), at("null", "\"9\""), at("\"9\"", "\"9\"")}) EXPECT_EQ(line, "AbCdEfGh12345678 waiting");
    EXPECT_FALSE(standing_from(R"({"id":"short","state":"graded"})"));
    EXPECT_FALSE(standing_from(R"({"id":"AbCdEfGh12345678","state":"lost"})"));
}

TEST(Answers, ADateIsAnInstantOrNothing) {
    EXPECT_EQ(instant_ms("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(instant_ms("2026-10-15T23:59:59.123+08:00"), 1'792'079'999'123);
    EXPECT_EQ(instant_ms("1969-12-31T18:30:00-05:30"), 0);
    for (const char* const no : {"", "2026-10-15", "2026-13-15T00:00:00Z", "2026-10-15T24:00:00Z",
                                 "2026-10-15T23:59:59", "2026-10-15T23:59:59+8:00", "2026-10-15T23:59:59.1+08:00"}) {
        EXPECT_FALSE(instant_ms(no)) << no;
    }
}

}  // namespace
}  // namespace assay::client
