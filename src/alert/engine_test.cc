#include "alert/engine.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace assay::alert {
namespace {

constexpr std::int64_t begin_ms = 1'760'000'000'000;
constexpr std::int64_t s = 1000;
constexpr std::int64_t minute = 60 * s;

Rule rule(std::string_view name, std::string_view condition, std::int64_t for_ms = 0, Severity severity = Severity::day,
          std::string_view cause = {}, std::string_view inhibits = {}) {
    return rule_from({name, condition, for_ms, severity, cause, inhibits}).value();
}

// An engine whose figures are set by hand and which is looked at every second.
struct Bench {
    explicit Bench(std::vector<Rule> rules, Pace pace = {}) : engine{"box", std::move(rules), pace} {}

    // Goes on for so long; returns what was said, as "12 firing disk" (seconds since the beginning).
    std::vector<std::string> run(std::int64_t length_ms) {
        std::vector<std::string> said;
        for (const std::int64_t end_ms = now_ms + length_ms; now_ms < end_ms; now_ms += s) {
            for (Message& message : engine.look(figures, now_ms)) {
                said.push_back(
                    fmt::format("{} {} {}", (now_ms - begin_ms) / s, to_string(message.kind), message.cause));
                last = std::move(message);
            }
        }
        return said;
    }
    using Said = std::vector<std::string>;

    Engine engine;
    Figures figures;
    std::int64_t now_ms = begin_ms;
    Message last;
};

TEST(Engine, TellsOnceWhenItBeginsAndOnceWhenItEnds) {
    Bench bench{{rule("slow", "lag > 1", 5 * s)}};
    bench.figures.set("lag", 2);
    bench.figures.findings["slow"] = {.cause = "a hog", .offender = "job 7"};
    EXPECT_EQ(bench.run(minute), Bench::Said{"15 firing slow"});  // 5 s pending, 10 s gathering
    EXPECT_EQ(bench.last.parts.at(0).finding.offender, "job 7");
    EXPECT_EQ(bench.last.parts.at(0).evidence, std::vector<std::string>{"lag = 2 (> 1)"});
    EXPECT_EQ(bench.last.since_ms, begin_ms + 5 * s);
    const std::string first = bench.last.id;
    bench.figures.set("lag", 0);
    EXPECT_EQ(bench.run(5 * minute), Bench::Said{"120 resolved slow"});
    EXPECT_EQ(bench.last.ended_ms, begin_ms + 60 * s);
    EXPECT_NE(bench.last.id, first);
    EXPECT_EQ(bench.last.parts.at(0).finding.cause, "a hog");
    EXPECT_TRUE(bench.engine.incidents().empty());
}

TEST(Engine, WhatIsShortIsNotTold) {
    Bench bench{{rule("slow", "lag > 1", 5 * s)}};
    for (const int held_s : {4, 12}) {  // not for long enough; gone before it was told
        bench.figures.set("lag", 2);
        EXPECT_EQ(bench.run(held_s * s), Bench::Said{});
        bench.figures.set("lag", 0);
        EXPECT_EQ(bench.run(5 * minute), Bench::Said{});
    }
}

TEST(Engine, AFigureThatIsMissingChangesNothing) {
    Bench bench{{rule("slow", "lag > 1")}};
    bench.figures.set("lag", 2);
    EXPECT_EQ(bench.run(minute), Bench::Said{"10 firing slow"});
    bench.figures = {};
    EXPECT_EQ(bench.run(10 * minute), Bench::Said{});
    bench.figures.set("lag", 0);
    EXPECT_EQ(bench.run(2 * minute), Bench::Said{"720 resolved slow"});
}

TEST(Engine, OneMessageForWhatHasOneCause) {
    Bench bench{{rule("nearly_full", "used > 90", 0, Severity::day, "disk"),
                 rule("names_low", "names < 10", 0, Severity::info, "disk")}};
    bench.figures.set("used", 95);
    bench.figures.set("names", 100);
    EXPECT_EQ(bench.run(5 * s), Bench::Said{});
    bench.figures.set("names", 5);
    EXPECT_EQ(bench.run(minute), Bench::Said{"10 firing disk"});
    ASSERT_EQ(bench.last.parts.size(), 2U);
    EXPECT_EQ(bench.last.parts[0].rule, "nearly_full");  // The more severe first.
    bench.figures.set("used", 50);
    EXPECT_EQ(bench.run(10 * minute), Bench::Said{});    // Not over while a part of it holds.
    bench.figures.set("names", 100);
    EXPECT_EQ(bench.run(2 * minute), Bench::Said{"725 resolved disk"});
}

TEST(Engine, WhatBecomesUrgentIsToldAgain) {
    Bench bench{{rule("refusing", "refuses > 0", 0, Severity::wake, "disk"),
                 rule("nearly_full", "used > 90", 0, Severity::day, "disk")}};
    bench.figures.set("used", 95);
    bench.figures.set("refuses", 0);
    EXPECT_EQ(bench.run(minute), Bench::Said{"10 firing disk"});
    bench.figures.set("refuses", 1);
    EXPECT_EQ(bench.run(minute), Bench::Said{"60 escalated disk"});
    EXPECT_EQ(bench.last.severity, Severity::wake);
    bench.figures.set("refuses", 0);
    EXPECT_EQ(bench.run(minute), Bench::Said{});
    bench.figures.set("refuses", 1);
    EXPECT_EQ(bench.run(minute), Bench::Said{});  // Once.
}

TEST(Engine, RepeatsWhatGoesOn) {
    Bench bench{{rule("slow", "lag > 1")}};
    bench.figures.set("lag", 2);
    EXPECT_EQ(bench.run(9 * 3600 * s), (Bench::Said{"10 firing slow", "14410 repeated slow", "28810 repeated slow"}));
}

TEST(Engine, WhatFollowsFromAnotherIsNotTold) {
    Bench bench{{rule("thrash", "refaults > 9", 0, Severity::day, "", "slow"), rule("slow", "lag > 1")}};
    bench.figures.set("refaults", 10);
    bench.figures.set("lag", 2);
    EXPECT_EQ(bench.run(minute), Bench::Said{"10 firing thrash"});
    EXPECT_EQ(bench.engine.standings()[1].state, Standing::State::inhibited);
    bench.figures.set("refaults", 0);
    EXPECT_EQ(bench.run(2 * minute), (Bench::Said{"70 firing slow", "120 resolved thrash"}));
    // It was told already when its reason came: it is not over for that.
    bench.figures.set("refaults", 10);
    EXPECT_EQ(bench.run(5 * minute), Bench::Said{"190 firing thrash"});
    bench.figures.set("lag", 0);
    EXPECT_EQ(bench.run(5 * minute), Bench::Said{"540 resolved slow"});
}

TEST(Engine, WhatComesAndGoesIsToldAsThat) {
    Bench bench{{rule("slow", "lag > 1")}};
    Bench::Said said;
    for (int i = 0; i < 30; ++i) {  // An hour of it: 20 s on, 100 s off.
        bench.figures.set("lag", 2);
        for (const auto& it : bench.run(20 * s)) said.push_back(it);
        bench.figures.set("lag", 0);
        for (const auto& it : bench.run(100 * s)) said.push_back(it);
    }
    EXPECT_EQ(said, (Bench::Said{"10 firing slow", "80 resolved slow", "130 firing slow"}));
    EXPECT_TRUE(bench.last.flapping);
    EXPECT_EQ(bench.run(3600 * s), Bench::Said{"4100 resolved slow"});
    bench.figures.set("lag", 2);  // Quiet for long: told as if it were new.
    EXPECT_EQ(bench.run(minute), Bench::Said{"7210 firing slow"});
    EXPECT_FALSE(bench.last.flapping);
}

TEST(Engine, WhatSomebodyGetsUpForIsToldAgainWhenItComesAgain) {
    Bench bench{{rule("down", "lag > 1", 0, Severity::wake)}};
    Bench::Said said;
    for (int i = 0; i < 15; ++i) {  // Half an hour of it.
        bench.figures.set("lag", 2);
        for (const auto& it : bench.run(20 * s)) said.push_back(it);
        bench.figures.set("lag", 0);
        for (const auto& it : bench.run(100 * s)) said.push_back(it);
    }
    // Then once in flap_window.
    EXPECT_EQ(said, (Bench::Said{"10 firing down", "80 resolved down", "130 firing down", "240 repeated down", "360 repeated down",
                                 "600 repeated down", "1080 repeated down", "1680 repeated down"}));
    bench.figures.set("lag", 2);  // A short break is none: it is still the same.
    EXPECT_EQ(bench.run(30 * s), Bench::Said{});
}

TEST(Engine, ASilenceSaysNothingUntilItEnds) {
    Bench bench{{rule("slow", "lag > 1"), rule("full", "used > 90")}};
    ASSERT_TRUE(
        bench.engine.silence({"a1", "slow", "ann", "moving racks", begin_ms, begin_ms + 10 * minute}, begin_ms));
    bench.figures.set("lag", 2);
    bench.figures.set("used", 95);
    EXPECT_EQ(bench.run(5 * minute), Bench::Said{"10 firing full"});
    EXPECT_EQ(bench.run(6 * minute), Bench::Said{"600 firing slow"});
    EXPECT_TRUE(bench.engine.silences().empty());
    // One that began to be told is told to its end.
    ASSERT_TRUE(
        bench.engine.silence({"a2", "*", "ann", "again", bench.now_ms, bench.now_ms + 10 * minute}, bench.now_ms));
    bench.figures.set("lag", 0);
    EXPECT_EQ(bench.run(2 * minute), Bench::Said{"720 resolved slow"});
    EXPECT_TRUE(bench.engine.unsilence("a2"));
    EXPECT_FALSE(bench.engine.unsilence("a2"));
}

TEST(Engine, ASilenceNamesItsAuthorItsReasonAndItsEnd) {
    Bench bench{{rule("slow", "lag > 1", 0, Severity::day, "sloth")}};
    const Silence good{"a", "slow", "ann", "because", begin_ms, begin_ms + minute};
    const auto with = [&](auto change) {
        Silence silence = good;
        change(silence);
        return bench.engine.silence(silence, begin_ms);
    };
    EXPECT_FALSE(with([](Silence& it) { it.author.clear(); }));
    EXPECT_FALSE(with([](Silence& it) { it.reason.clear(); }));
    EXPECT_FALSE(with([](Silence& it) { it.reason = std::string(201, 'x'); }));
    EXPECT_EQ(with([](Silence& it) { it.match = "slwo"; }).error().text(),
              "'slwo' is no rule, no cause, and not * for all; did you mean 'slow'?");
    EXPECT_EQ(with([](Silence& it) { it.match = "no such thing"; }).error().text(),
              "'no such thing' is no rule, no cause, and not * for all; assay alert list --json shows the rules");
    EXPECT_FALSE(with([](Silence& it) { it.match.clear(); }));
    EXPECT_TRUE(with([](Silence& it) { it.match = "sloth"; }));
    EXPECT_TRUE(with([](Silence& it) { it.match = "*"; }));
    EXPECT_FALSE(with([](Silence& it) { it.end_ms = begin_ms; }));
    EXPECT_FALSE(with([](Silence& it) { it.end_ms = begin_ms + silence_ms_max + 1; }));
    for (std::size_t i = 0; i < silences_max - 2; ++i) ASSERT_TRUE(with([](Silence&) {}));
    EXPECT_EQ(with([](Silence&) {}).error().fault(), Fault::busy);
}

// After a restart nothing is told twice, and what is over by then is told as over.
TEST(Engine, RemembersOverARestart) {
    const auto rules = [] { return std::vector{rule("slow", "lag > 1", 5 * minute), rule("full", "used > 90")}; };
    Bench before{rules()};
    before.figures.set("lag", 2);
    before.figures.set("used", 95);
    EXPECT_EQ(before.run(6 * minute), (Bench::Said{"10 firing full", "310 firing slow"}));
    Bench after{rules()};
    after.now_ms = before.now_ms;
    after.engine.remember(before.engine.memory(), after.now_ms);
    after.figures.set("lag", 2);  // Need not hold five minutes again.
    after.figures.set("used", 50);
    EXPECT_EQ(after.run(5 * minute), Bench::Said{"420 resolved full"});
    EXPECT_EQ(after.last.incident, before.engine.incidents().at(0).id);
}

TEST(Engine, SaysWhatItCost) {
    Bench bench{{rule("slow", "lag > 1")}};
    add_metrics(bench.figures,
                "assay_uploads_total{result=\"busy\"} 7\nassay_uploads_total{result=\"accepted\"} 90\nlag 2\n");
    EXPECT_EQ(bench.run(minute), Bench::Said{"10 firing slow"});
    add_metrics(bench.figures,
                "assay_uploads_total{result=\"busy\"} 9\nassay_uploads_total{result=\"accepted\"} 99\n"
                "assay_attempts_total{end=\"fault\"} 3\nlag 0\n");
    EXPECT_EQ(bench.run(2 * minute), Bench::Said{"120 resolved slow"});
    EXPECT_EQ(bench.last.harm, (Harm{.uploads_refused = 2, .attempts_failed = 3, .known = true}));
}

TEST(Engine, SaysNothingOfACostItCannotSee) {
    Bench bench{{rule("down", "silence > 4")}};
    bench.figures.set("silence", 5);
    bench.run(minute);
    bench.figures.set("silence", 0);
    EXPECT_EQ(bench.run(2 * minute), Bench::Said{"120 resolved down"});
    EXPECT_FALSE(bench.last.harm.known);
}

// What is noticed late began when it began, not with the alarm.
TEST(Engine, CountsFromWhenItBegan) {
    Bench bench{{rule("down", "silence > 4")}, {.group_wait_ms = 0, .resolve_wait_ms = 5 * s}};
    bench.figures.set("silence", 5);
    bench.figures.findings["down"].age_ms = 5 * s;
    EXPECT_EQ(bench.run(10 * s), Bench::Said{"0 firing down"});
    EXPECT_EQ(bench.last.since_ms, begin_ms - 5 * s);
    bench.figures.findings["down"].age_ms = 20 * s;  // It goes on, and is the same.
    bench.run(10 * s);
    bench.figures.set("silence", 0);
    EXPECT_EQ(bench.run(10 * s), Bench::Said{"25 resolved down"});
    EXPECT_EQ(bench.last.ended_ms - bench.last.since_ms, 25 * s);
}

TEST(Rules, TheShippedOnesAreSound) {
    std::vector<std::string> waking;
    const std::vector<Rule> rules = shipped_rules();
    EXPECT_GE(rules.size(), 20U);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].severity == Severity::wake) waking.push_back(rules[i].name);
        for (const std::string& name : rules[i].inhibits) {
            const auto found = std::ranges::find(rules, name, &Rule::name);
            EXPECT_TRUE(found != rules.end() && found - rules.begin() > static_cast<std::ptrdiff_t>(i))
                << rules[i].name << " inhibits " << name << ", which must stand after it";
        }
        EXPECT_EQ(std::ranges::count(rules, rules[i].name, &Rule::name), 1);
    }
    EXPECT_EQ(waking, (std::vector<std::string>{"data_at_risk", "intake_refusing", "backlog_at_deadline"}));
    ASSERT_EQ(sentinel_rules().size(), 2U);
    EXPECT_EQ(sentinel_rules()[0].severity, Severity::wake);  // server_down
}

TEST(Rules, TextIsFilledIn) {
    const Finding finding{.cause = "a hog", .offender = "{{cause}}"};
    for (const auto& [text, expected] : {std::pair{"{{cause}} by {{ offender }}", "a hog by {{cause}}"},
                                         {"{{evidence}}", "a; b"},
                                         {"{{other}} {{", "{{other}} {{"},
                                         {"", ""}}) {
        EXPECT_EQ(filled_in(text, finding, {"a", "b"}), expected);
    }
}

}  // namespace
}  // namespace assay::alert
