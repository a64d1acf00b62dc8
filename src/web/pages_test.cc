#include "web/pages.hh"

#include <cstdlib>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/text.hh"
#include "web/example_view.hh"

namespace assay::web {
namespace {

using testing::Test;

Look look_in(Language language) { return {.language = language, .chosen = false, .here = Address{} / "oj" / "ICS2026" / "PA1" / "KEY"}; }

// With ASSAY_PAGES=FOLDER the pages can be looked at in a browser.
std::string kept(const std::string& name, std::string document) {
    if (const char* const folder = std::getenv("ASSAY_PAGES")) std::ofstream{std::string{folder} + "/" + name + ".html"} << document;
    return document;
}

std::string rendered(Language language, const queue::ModuleView& view, const std::string& name,
                     std::optional<std::string> submitted = {}, bool still = false) {
    const Address address = Address{} / "oj" / "ICS2026" / "PA1" / "KEY";
    const ModulePage of{
        .view = view,
        .address = address,
        .modules = {{"Computer systems", "An expression evaluator", address, true},
                    {"Computer systems", "hello", Address{} / "oj" / "ICS2026" / "hello" / "KEY", false}},
        .submitted = std::move(submitted),
        .shown = {},
        .still = still,
        .now_ms = example::now_ms,
    };
    return kept(name, module_page(look_in(language), of));
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Without the elements around times.
std::string plain(std::string page) {
    for (auto at = page.find("<time "); at != std::string::npos; at = page.find("<time ", at)) page.erase(at, page.find('>', at) - at + 1);
    for (auto at = page.find("</time>"); at != std::string::npos; at = page.find("</time>", at)) page.erase(at, 7);
    return page;
}

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

// What every document must hold, whatever it shows.
void expect_sound(const std::string& document) {
    EXPECT_TRUE(document.starts_with("<!doctype html>"));
    EXPECT_TRUE(valid_utf8(document));
    EXPECT_EQ(count(document, "<script"), count(document, "<script defer src=\"/static/page."));  // files, and no other
    EXPECT_FALSE(contains(document, "style=\""));
    EXPECT_FALSE(contains(document, "\x1b"));
    EXPECT_FALSE(contains(document, "\u202E"));
    EXPECT_EQ(count(document, "<h1>"), 1u);
    for (const char* const tag : {"html", "head", "body", "main", "section", "article", "div", "table", "tr", "td", "th", "p", "pre", "details", "form", "a", "span", "ul"}) {
        const std::string name{tag};
        EXPECT_EQ(count(document, "<" + name + ">") + count(document, "<" + name + " "), count(document, "</" + name + ">")) << name;
    }
}

TEST(ModulePage, ShowsEverythingOfEverySubmissionInEnglish) {
    const std::string page = rendered(Language::english, example::module_view(), "module-en");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<html lang=\"en\">"));
    EXPECT_TRUE(contains(page, "<strong>87</strong> / 100"));
    EXPECT_TRUE(contains(plain(page), "Received 2026-11-18 19:06:40"));  // In the course's zone.
    EXPECT_TRUE(contains(page, "All places for running are taken"));
    EXPECT_TRUE(contains(plain(page), "since 2026-11-18 19:06:40 · place 3 in line · when it will start is not known yet"));
    EXPECT_TRUE(contains(page, "2 of 2 slots are busy"));
    EXPECT_TRUE(contains(page, "line 1, column 1: expected “7”, got “9”"));
    EXPECT_TRUE(contains(page, ">counts<"));
    EXPECT_TRUE(contains(page, "A newer submission of yours, Counts0000000001"));
    EXPECT_TRUE(contains(page, "href=\"/oj/ICS2026/PA1/KEY/receipt/Counts0000000001\""));
    EXPECT_TRUE(contains(page, "Tests in stage tests · 2 of 4 passed"));
    EXPECT_TRUE(contains(page, "<pre tabindex=\"0\" dir=\"auto\">\n1 + 2 * 3\n</pre>"));
    EXPECT_TRUE(contains(page, "signal 9"));
    EXPECT_TRUE(contains(page, "unused variable"));
    EXPECT_TRUE(contains(page, "4 KiB more were printed and not kept."));
    EXPECT_TRUE(contains(page, "2 KiB more were printed and not kept."));
    EXPECT_TRUE(contains(page, "3 of 40"));  // Neither the replaced one counts nor the one that our fault ended.
    EXPECT_TRUE(contains(page, "aria-current=\"page\""));
}

// What a day costs and how much is enough is known before anything is handed in.
TEST(ModulePage, SaysWhatLatenessCostsAndWhatPasses) {
    auto view = example::module_view();
    EXPECT_FALSE(contains(rendered(Language::english, view, "never-late"), "Handed in late"));  // It closes when it is due.
    EXPECT_TRUE(contains(rendered(Language::english, view, "full"), "<dt>To pass</dt><dd>the full score</dd>"));
    view.plan.closes_ms = *view.plan.due_ms + 1;
    EXPECT_TRUE(contains(rendered(Language::english, view, "free"), "costs nothing, and is marked"));
    view.plan.late = model::Late{.grace_ms = 0, .per_day = 0.125, .cap = 0.5};
    view.plan.pass = 60;
    EXPECT_TRUE(contains(rendered(Language::english, view, "cost"), "12.5 % of the full score for each day begun after the due date, 50 % at most</dd>"));
    view.plan.late->grace_ms = 3'600'000;
    EXPECT_TRUE(contains(rendered(Language::english, view, "grace"), "50 % at most; nothing within the first 1 h</dd>"));
    const std::string chinese = rendered(Language::chinese, view, "grace-zh");
    EXPECT_TRUE(contains(chinese, "截止后每开始一天扣满分的 12.5%，最多扣 50%；截止后 1 小时之内不扣分"));
    EXPECT_TRUE(contains(chinese, "<dt>及格要求</dt><dd>不低于 60 分</dd>"));
}

// "Everything works" is for the full score alone: a pass may leave something to do. What lateness took is no such thing.
TEST(ModulePage, APassBelowTheFullScoreIsNotEverything) {
    auto view = example::module_view();
    queue::SubmissionView& one = view.submissions[1];
    one.verdict = model::Verdict::passed;
    const std::string part = rendered(Language::english, view, "passed-in-part");
    EXPECT_TRUE(contains(part, "Enough points to pass"));
    EXPECT_FALSE(contains(part, "Everything that was asked for works"));
    EXPECT_TRUE(contains(rendered(Language::chinese, view, "passed-in-part-zh"), "分数已达到及格要求"));
    one.score_before_penalty = 100;
    one.penalty = 13;
    EXPECT_TRUE(contains(rendered(Language::english, view, "passed-late"), "Everything that was asked for works"));
}

// Points that are missing must not be a riddle: what lateness took stands beside what it was taken from.
TEST(ModulePage, SaysWhatLatenessCostAndWhoseDueDateItIs) {
    auto view = example::module_view();
    view.extended_until_ms = view.plan.due_ms;
    queue::SubmissionView& late = view.submissions[1];
    late.late = true;
    late.score = 77;
    late.penalty = 10;
    late.score_before_penalty = 87;
    late.newer_revision = 3;
    const std::string page = rendered(Language::english, view, "module-late");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<strong>77</strong> / 100"));
    EXPECT_TRUE(contains(page, ">late<"));
    EXPECT_TRUE(contains(page, "10 points are taken off. Without that it would be 87."));
    EXPECT_TRUE(contains(page, "Your own due date"));
    EXPECT_TRUE(contains(page, "Graded with revision 2 of the module; the current one is 3."));
    EXPECT_FALSE(contains(rendered(Language::english, example::module_view(), "module-en"), "Your own due date"));
}

TEST(ModulePage, ShowsEverythingOfEverySubmissionInChinese) {
    const std::string page = rendered(Language::chinese, example::module_view(), "module-zh");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<html lang=\"zh-CN\">"));
    EXPECT_TRUE(contains(page, "你的得分"));
    EXPECT_TRUE(contains(page, "所有运行位置都在使用中"));
    EXPECT_TRUE(contains(plain(page), "自 2026-11-18 19:06:40 起 · 排在第 3 位"));
    EXPECT_TRUE(contains(page, "计入成绩"));
    EXPECT_TRUE(contains(page, "2 个运行位置中有 2 个正在使用"));
    EXPECT_TRUE(contains(page, "第 1 行第 1 列：期望为“7”，实际为“9”"));
    EXPECT_FALSE(contains(page, "Received"));
    EXPECT_FALSE(contains(page, "Submissions"));
}

TEST(ModulePage, NamesAndOutputsOfStrangersAreOnlyText) {
    for (const auto language : {Language::english, Language::chinese}) {
        const std::string page = rendered(language, example::module_view(), "hostile");
        EXPECT_GE(count(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;⟨U+202E⟩␛[31m&quot;&amp;"), 3u);
    }
}

// A page that reloads would throw away a chosen file; so it shows the form only while it stands still.
TEST(ModulePage, ReloadsWhileSomethingWaitsAndOnlyThen) {
    auto view = example::module_view();
    const std::string waiting = rendered(Language::english, view, "waiting");
    EXPECT_TRUE(contains(waiting, "<meta http-equiv=\"refresh\" content=\"3\">"));
    EXPECT_FALSE(contains(waiting, "type=\"file\""));
    EXPECT_TRUE(contains(waiting, "/oj/ICS2026/PA1/KEY?still=1#upload"));

    const std::string still = rendered(Language::english, view, "still", {}, true);
    EXPECT_FALSE(contains(still, "http-equiv=\"refresh\""));
    EXPECT_TRUE(contains(still, "type=\"file\""));

    view.submissions.erase(view.submissions.begin());
    const std::string settled = rendered(Language::english, view, "settled");
    EXPECT_FALSE(contains(settled, "http-equiv=\"refresh\""));
    EXPECT_TRUE(contains(settled, "<form id=\"hand-in\" method=\"post\" action=\"/upload\" enctype=\"multipart/form-data\">"));
    EXPECT_TRUE(contains(settled, "name=\"course\" value=\"ICS2026\""));
    EXPECT_TRUE(contains(settled, "name=\"module\" value=\"PA1\""));
    EXPECT_TRUE(contains(settled, "name=\"token\" type=\"password\" autocomplete=\"current-password\""));
}

// Where a script runs it does the looking: the reload is for those without one, and is in no page that the script fetches.
TEST(ModulePage, LeavesReloadingToTheScriptWhereOneRuns) {
    const auto view = example::module_view();
    const std::string page = rendered(Language::english, view, "waiting");
    EXPECT_TRUE(contains(page, "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>"));
    EXPECT_TRUE(contains(page, " data-page=\"/oj/ICS2026/PA1/KEY?still=1\" data-events=\"/oj/ICS2026/PA1/KEY/events?still=1\" data-reloads>"));
    const std::string still = rendered(Language::english, view, "still", {}, true);
    EXPECT_TRUE(contains(still, " data-page=\"/oj/ICS2026/PA1/KEY?still=1\" data-events="));
    EXPECT_FALSE(contains(still, "data-reloads"));
}

TEST(ModulePage, TellsTimesWithTheirZone) {
    const std::string page = rendered(Language::english, example::module_view(), "times");
    EXPECT_TRUE(contains(page, "<time datetime=\"2026-11-18T19:06:40.000+08:00\" title=\"Asia/Shanghai\">2026-11-18 19:06:40</time>"));
    EXPECT_TRUE(contains(plain(page), "2026-11-19 19:06:40 (Asia/Shanghai)"));
}

// Beside each other, and where they part is marked: what a participant looks for first.
TEST(ModulePage, MarksTheFirstDifference) {
    auto view = example::module_view();
    auto& test = view.submissions[1].report->stages[1].tests[2];
    test.expected = "a\n值: 12\nz\n";
    test.got = "a\n值: 1\nz\n";
    test.difference = {.kind = model::DifferenceKind::character, .line = 2, .column = 5, .expected = "2", .got = ""};
    const std::string page = rendered(Language::english, view, "marked");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "a\n值: 1<mark>2</mark>\nz\n</pre>"));
    EXPECT_TRUE(contains(page, "a\n值: 1<mark>⏎</mark>\nz\n</pre>"));
}

// A time measured on a busy machine is told as such, and what was tried twice shows both.
TEST(ModulePage, SaysWhatTheMachineDidToTimes) {
    auto view = example::module_view();
    EXPECT_FALSE(contains(rendered(Language::english, view, "quiet"), "machine was busy"));
    auto& slow = view.submissions[1].report->stages[1].tests[3];
    slow.usage.trustworthy_timing = false;
    slow.first_try = {.verdict = model::Verdict::wall_limit,
                      .usage = {.cpu_ms = 3, .wall_ms = 1500, .trustworthy_timing = false}};
    const std::string page = rendered(Language::english, view, "busy");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<span class=\"tag\">machine was busy</span>"));
    EXPECT_TRUE(contains(page, "its times say little"));
    EXPECT_TRUE(contains(page, "The first try ended after 1.5 s (duration limit)"));
    EXPECT_TRUE(contains(rendered(Language::chinese, view, "busy-zh"), "第一次运行时机器繁忙"));
}

// A program that waits for what its own limit throws out is told so, and not that the machine was busy.
TEST(ModulePage, SaysWhatWaitedForItsOwnMemory) {
    auto view = example::module_view();
    EXPECT_FALSE(contains(rendered(Language::english, view, "quiet"), "memory was full"));
    auto& slow = view.submissions[1].report->stages[1].tests[3];
    slow.usage.trustworthy_timing = true;
    slow.usage.memory_stalled_ms = 4200;
    const std::string page = rendered(Language::english, view, "memory-full");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<span class=\"tag\">memory was full</span>"));
    EXPECT_TRUE(contains(page, "was at its memory limit"));
    EXPECT_FALSE(contains(page, "its times say little"));
    EXPECT_TRUE(contains(rendered(Language::chinese, view, "memory-full-zh"), "已达内存上限"));
}

TEST(ModulePage, SaysWhatIsHidden) {
    auto view = example::module_view();
    EXPECT_TRUE(contains(rendered(Language::english, view, "hidden"), "<span class=\"tag\">hidden</span>"));
    view.submissions[1].report->stages[1].tests[3].visibility = model::Visibility::after_due;
    view.submissions.resize(2);
    const std::string before = rendered(Language::english, view, "after-due");
    EXPECT_TRUE(contains(before, "<span class=\"tag\">shown after the deadline</span>"));
    EXPECT_TRUE(contains(before, "are shown once the deadline has passed"));
    view.plan.due_ms = example::now_ms - 1;
    EXPECT_FALSE(contains(rendered(Language::english, view, "due-passed"), "shown after the deadline"));
}

TEST(ModulePage, ReloadsLessOftenFarBackInLine) {
    auto view = example::module_view();
    view.submissions.front().waiting->position = near_positions + 1;
    EXPECT_EQ(reload_s(view), reload_far_s);
    view.submissions.front().waiting->position = near_positions;
    EXPECT_EQ(reload_s(view), reload_near_s);
    view.submissions.front().submission.state = model::State::held;
    EXPECT_EQ(reload_s(view), std::nullopt);
}

// The old verdict leads until the new one is there, and how far that is stands beside it.
TEST(ModulePage, ShowsThatAVerdictIsMadeAnew) {
    auto view = example::module_view();
    view.submissions.erase(view.submissions.begin());
    EXPECT_EQ(reload_s(view), std::nullopt);
    queue::SubmissionView& counts = view.submissions.front();
    counts.rejudge = queue::Rejudge{.generation = 2, .state = model::State::queued,
                                    .waiting = queue::Waiting{.reason = model::Reason::slot, .since_ms = example::now_ms, .position = 7}};
    std::string page = rendered(Language::english, view, "judged-again-waits");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "<strong>87</strong> / 100"));
    EXPECT_TRUE(contains(page, "<span class=\"mark\">being graded again</span>"));
    EXPECT_TRUE(contains(page, "place 7 in line"));
    EXPECT_EQ(reload_s(view), reload_near_s);
    counts.rejudge->state = model::State::running;
    counts.rejudge->waiting.reset();
    counts.rejudge->progress = queue::Progress{.stage = "tests", .tests_done = 3, .tests_all = 9};
    page = rendered(Language::chinese, view, "judged-again-runs");
    expect_sound(page);
    EXPECT_TRUE(contains(page, "正在重新评分。"));
    EXPECT_TRUE(contains(page, "已完成 3 / 9 个测试"));
    EXPECT_TRUE(contains(page, "<strong>87</strong> / 100"));
    counts.rejudge->state = model::State::held;
    counts.rejudge->progress.reset();
    EXPECT_EQ(reload_s(view), std::nullopt);
}

TEST(ModulePage, SaysWhyItTakesNothing) {
    auto view = example::module_view();
    view.submissions.clear();
    view.plan.opens_ms = example::now_ms + 1000;
    const std::string early = rendered(Language::english, view, "early");
    EXPECT_TRUE(contains(plain(early), "takes submissions from 2026-11-18 19:06:41"));
    EXPECT_FALSE(contains(early, "<form"));
    view.plan.opens_ms.reset();
    view.plan.due_ms = example::now_ms - 1000;
    const std::string late = rendered(Language::english, view, "late");
    EXPECT_TRUE(contains(plain(late), "has not taken submissions since 2026-11-18 19:06:39"));
    EXPECT_FALSE(contains(late, "<form"));
    EXPECT_TRUE(contains(late, "Nothing has been handed in yet."));
}

TEST(ModulePage, SaysThatNamesWereConverted) {
    auto view = example::module_view();
    EXPECT_FALSE(contains(rendered(Language::english, view, "module-facts"), "converted"));
    view.submissions.front().submission.names_converted = 3;
    EXPECT_TRUE(contains(rendered(Language::english, view, "module-facts"), "converted from GB18030: 3."));
    EXPECT_TRUE(contains(rendered(Language::chinese, view, "module-facts-zh"), "有 3 个文件名"));
}

// Where a commitment was kept, the time that counts is not the one at which it was received.
TEST(ModulePage, SaysWhenItWasCommittedWhereThatCounts) {
    auto view = example::module_view();
    auto& newest = view.submissions.front();
    newest.handed_in_ms = newest.submission.last_byte_ms;
    EXPECT_FALSE(contains(rendered(Language::english, view, "module-facts"), "the time that counts"));
    newest.submission.committed_ms = newest.handed_in_ms = newest.submission.last_byte_ms - 60'000;
    EXPECT_TRUE(contains(plain(rendered(Language::english, view, "module-facts")), "Committed 2026-11-18 19:05:40, which is the time that counts"));
    EXPECT_TRUE(contains(plain(rendered(Language::chinese, view, "module-facts-zh")), "承诺时间 2026-11-18 19:05:40（以此时间为准）"));
    newest.handed_in_ms = *newest.submission.committed_ms - 1;  // Its first byte counts.
    EXPECT_FALSE(contains(rendered(Language::english, view, "module-facts"), "the time that counts"));
}

TEST(ModulePage, ThanksForWhatJustCameInAndOnlyForThat) {
    const auto view = example::module_view();
    EXPECT_TRUE(contains(plain(rendered(Language::english, view, "submitted", "Waits00000000001")),
                         "Received Waits00000000001 at 2026-11-18 19:06:40. It is stored"));
    EXPECT_FALSE(contains(rendered(Language::english, view, "forged", "<b>forged</b>"), "forged"));
}

// Whatever the programs printed: a page has its bound.
TEST(ModulePage, IsBoundedWhateverWasPrinted) {
    auto view = example::module_view();
    view.submissions.clear();
    for (int i = 0; i < queue::submissions_shown_max; ++i) {
        auto one = example::graded("Flood000000" + std::to_string(10'000 + i), example::now_ms, model::Verdict::failed, 1);
        one.report->stages[0].output.assign(64u << 10, '\x01');
        one.report->stages[1].tests.assign(500, one.report->stages[1].tests[2]);
        for (auto& test : one.report->stages[1].tests) test.got.assign(4u << 10, '<');
        one.counts = i == 100;
        view.submissions.push_back(std::move(one));
    }
    const std::string page = rendered(Language::english, view, "flood");
    expect_sound(page);
    EXPECT_LT(page.size(), 10u << 20);
    EXPECT_TRUE(contains(page, "are left out here"));
    EXPECT_TRUE(contains(page, "Only the newest 200 submissions are listed here"));
    EXPECT_TRUE(contains(page, "?show=Flood00000010005#s-Flood00000010005"));
}

TEST(Phrase, PutsMarkupWhereTheSentenceWantsIt) {
    const Look look = look_in(Language::english);
    EXPECT_EQ(phrase(look, Sentence::received_notice, {"<id>", el("time", {}, {"now"})}).markup(),
              "Received &lt;id&gt; at <time>now</time>. It is stored and cannot get lost.");
}

TEST(ModulePage, TheChosenLanguageStaysInLinks) {
    Look look = look_in(Language::chinese);
    look.chosen = true;
    const auto view = example::module_view();
    const Address address = Address{} / "oj" / "ICS2026" / "PA1" / "KEY";
    const ModulePage of{.view = view, .address = address, .modules = {}, .submitted = {}, .shown = {}, .still = false, .now_ms = 0};
    const std::string page = module_page(look, of);
    EXPECT_TRUE(contains(page, "/oj/ICS2026/PA1/KEY?lang=zh&amp;show=Old0000000000001"));
    EXPECT_TRUE(contains(page, "/oj/ICS2026/PA1/KEY?lang=en"));  // the switch
}

TEST(HomePage, AsksForTheTokenAndTellsTheCommand) {
    for (const auto language : {Language::english, Language::chinese}) {
        const Look look{.language = language, .chosen = false, .here = {}};
        const std::string page = kept(language == Language::english ? "home-en" : "home-zh",
                                      home_page(look, {.refusal = {}, .server_url = "http://127.0.0.1:8080"}));
        expect_sound(page);
        EXPECT_TRUE(contains(page, "<form method=\"post\" action=\"/\">"));
        EXPECT_TRUE(contains(page, "http://127.0.0.1:8080/upload"));
        EXPECT_TRUE(contains(page, "<label for=\"token\">"));
        const std::string refused = kept("home-refused", home_page(look, {.refusal = "wrong <b>", .server_url = "x"}));
        expect_sound(refused);
        EXPECT_TRUE(contains(refused, "role=\"alert\">wrong &lt;b&gt;</p>"));
    }
}

TEST(GetPage, OffersWhatIsThereAndFillsInWhatIsKnown) {
    for (const auto language : {Language::english, Language::chinese}) {
        const Look look{.language = language, .chosen = false, .here = get_address("ICS2026", "PA1")};
        const std::string sha(64, 'a');
        GetPage of{.server_url = "https://hand-in.example", .course = "ICS2026", .module = "PA1", .for_linux = {}, .for_windows = {}};
        const std::string bare = kept("get-bare", get_page(look, of));
        expect_sound(bare);
        EXPECT_TRUE(contains(bare, "\ncurl -F token=TOKEN -F course=ICS2026 -F module=PA1 -F file=@archive.tar.gz https://hand-in.example/upload</pre>"));
        EXPECT_TRUE(contains(bare, "\ncurl.exe -F token=TOKEN -F course=ICS2026 -F module=PA1 -F file=@archive.tar.gz https://hand-in.example/upload</pre>"));
        EXPECT_FALSE(contains(bare, "assay-linux-x86_64"));
        EXPECT_FALSE(contains(bare, "assay-windows-x86_64.exe"));
        EXPECT_FALSE(contains(bare, look.say(Sentence::get_fill_in)));
        EXPECT_TRUE(contains(bare, "/get?course=ICS2026&amp;module=PA1&amp;lang="));  // the switch

        of.for_linux = OfferedClient{.file_name = "assay-linux-x86_64", .size_bytes = 5'000'000, .sha256 = sha};
        of.for_windows = OfferedClient{.file_name = "assay-windows-x86_64.exe", .size_bytes = 2'000'000, .sha256 = std::string(64, 'b')};
        of.module.clear();
        const std::string page = kept(language == Language::english ? "get-en" : "get-zh", get_page(look, of));
        expect_sound(page);
        EXPECT_TRUE(contains(page, "href=\"/get/" + sha + "/assay-linux-x86_64\""));
        EXPECT_TRUE(contains(page, "curl -fo assay https://hand-in.example/get/assay-linux-x86_64 &amp;&amp; echo &#39;" + sha + "  assay&#39; | sha256sum -c &amp;&amp; chmod +x assay</pre>"));
        EXPECT_TRUE(contains(page, "(5000000 B)"));
        EXPECT_TRUE(contains(page, "\n./assay submit FOLDER --server https://hand-in.example --course ICS2026 --module MODULE --watch</pre>"));
        EXPECT_TRUE(contains(page, "curl.exe -fo assay.exe https://hand-in.example/get/assay-windows-x86_64.exe"));
        EXPECT_TRUE(contains(page, "certutil -hashfile assay.exe SHA256"));
        EXPECT_TRUE(contains(page, look.say(Sentence::get_fill_in)));
    }
}

TEST(OtherPages, AreSound) {
    for (const auto language : {Language::english, Language::chinese}) {
        const Look look{.language = language, .chosen = false, .here = {}};
        expect_sound(kept("not-found", not_found_page(look)));
        expect_sound(busy_page(look));
        EXPECT_TRUE(contains(trouble_page(look, "0123456789abcdef"), "0123456789abcdef"));
        expect_sound(modules_page(look, {}));
        expect_sound(kept("modules", modules_page(look, {{"C", "one", Address{} / "a", false}, {"D", "two", Address{} / "b", false}})));
    }
}

TEST(Numbers, ReadLikeNumbers) {
    EXPECT_EQ(number_text(87), "87");
    EXPECT_EQ(number_text(87.5), "87.5");
    EXPECT_EQ(number_text(1.0 / 3), "0.33");
    EXPECT_EQ(number_text(-0.0), "0");
    EXPECT_EQ(number_text(100), "100");
}

}  // namespace
}  // namespace assay::web
