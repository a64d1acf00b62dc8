#include "alert/receiver.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "alert/config.hh"
#include "alert/state.hh"
#include "alert/text.hh"
#include "alert/wire.hh"
#include "base/text.hh"
#include "wording/alarms.hh"

namespace assay::alert {
namespace {

using ::testing::HasSubstr;
using wording::Language;

constexpr std::int64_t t0 = 1'760'000'000'000;  // 2025-10-09 08:53:20 UTC

Message example() {
    return {.id = "abc-1",
            .incident = "abc",
            .kind = Message::Kind::firing,
            .severity = Severity::wake,
            .host = "box",
            .cause = "intake",
            .parts = {{.rule = "intake_refusing",
                       .severity = Severity::wake,
                       .finding = {.cause = "3 MiB are free", .offender = "backup"},
                       .evidence = {"assay_intake_refusing = 1 (> 0)"}}},
            .since_ms = t0,
            .at_ms = t0 + 10'000};
}

Receiver receiver(ReceiverKind kind, std::string url = "https://x.example/hook", std::string secret = "s3cret") {
    return {.name = "r",
            .kind = kind,
            .url = std::move(url),
            .secret = std::move(secret),
            .sender = "assay@example.edu",
            .recipients = {"ann@example.edu"}};
}

// As Python's hmac computes them.
TEST(Signatures, AreThoseOfTheirMakers) {
    EXPECT_EQ(webhook_signature("s3cret", "1760000000", "{}"),
              "sha256=d0b4d7fb87731e3f7f8988f35744899a6ae0ca6a594a077d2e4a270384cf922a");
    EXPECT_EQ(feishu_sign("s3cret", "1760000000"), "pZnPO8ITEWDtJAqprRpFvT8NEwFZDkFOwBE9yhnNYCk=");
    EXPECT_EQ(dingtalk_sign("s3cret", "1760000000000"), "SvVlHE+Oj01wXo6bNmC2mOLque6y5yTWgWPzPuNiKMI=");
}

TEST(Postings, HaveTheirFormsToTheByte) {
    const std::string title = "[urgent] box: the server takes no uploads";
    const std::string body =
        "cause: 3 MiB are free\\nby: backup\\n· assay_intake_refusing = 1 (> 0)\\nwhat to do: the cause says what is "
        "lacking; "
        "make room on the disk, or mend it\\nsince 2025-10-09 08:53:20\\n";
    const auto posting = [&](ReceiverKind kind) { return posting_for(receiver(kind), example(), "UTC", t0 + 10'000); };
    EXPECT_EQ(posting(ReceiverKind::slack).body, "{\"text\":\"*" + title + "*\\n" + body + "\"}");
    const Posting feishu = posting(ReceiverKind::feishu);
    EXPECT_EQ(feishu.body, "{\"timestamp\":\"1760000010\",\"sign\":\"" + feishu_sign("s3cret", "1760000010") +
                               "\",\"msg_type\":\"text\",\"content\":{\"text\":\"" + title + "\\n" + body + "\"}}");
    const Posting dingtalk = posting(ReceiverKind::dingtalk);
    EXPECT_THAT(dingtalk.url, testing::StartsWith("https://x.example/hook?timestamp=1760000010000&sign="));
    EXPECT_THAT(dingtalk.body, testing::StartsWith("{\"msgtype\":\"markdown\",\"markdown\":{\"title\":\"" + title +
                                                   "\",\"text\":\"**" + title + "**\\n\\ncause: "));
    EXPECT_THAT(posting(ReceiverKind::wecom).body,
                testing::StartsWith("{\"msgtype\":\"markdown\",\"markdown\":{\"content\":\"**" + title));
    const Posting webhook = posting(ReceiverKind::webhook);
    EXPECT_THAT(
        webhook.body,
        testing::StartsWith(
            "{\"version\":\"assay-alert/"
            "1\",\"id\":\"abc-1\",\"incident\":\"abc\",\"kind\":\"firing\",\"severity\":\"wake\",\"host\":\"box\""));
    EXPECT_THAT(webhook.body, HasSubstr("\"since\":\"2025-10-09T08:53:20.000+00:00\""));
    EXPECT_THAT(webhook.headers, testing::Contains(std::pair<std::string, std::string>{
                                     "Assay-Signature", webhook_signature("s3cret", "1760000010", webhook.body)}));
}

TEST(Postings, AreCutToWhatIsTaken) {
    Message message = example();
    message.parts[0].evidence.assign(4, "");
    for (std::string& line : message.parts[0].evidence) {
        for (int i = 0; i < 100; ++i) line += "一";
    }
    message.parts.assign(8, message.parts[0]);
    const Posting wecom = posting_for(receiver(ReceiverKind::wecom), message, "UTC", t0);
    EXPECT_LE(wecom.body.size(), 4096U);
    EXPECT_TRUE(valid_utf8(wecom.body));
    for (const auto& [size, expected] : {std::pair{7U, "一一"}, {6U, "一一"}, {5U, "…"}, {3U, "…"}}) {
        EXPECT_EQ(shortened("一一", size), expected) << size;
    }
}

TEST(Answers, SayWhetherItWasTaken) {
    struct Case {
        ReceiverKind kind;
        int status;
        const char* body;
        bool taken;
    };
    using enum ReceiverKind;
    for (const Case& it : {Case{webhook, 204, "", true},
                           {webhook, 302, "", false},
                           {slack, 200, "ok", true},
                           {slack, 400, "invalid_payload", false},
                           {feishu, 200, R"({"code":0,"msg":"success"})", true},
                           {feishu, 200, R"({"StatusCode":0})", true},
                           {feishu, 200, R"({"code":19021,"msg":"sign match fail"})", false},
                           {feishu, 200, "", false},
                           {feishu, 200, "[0]", false},
                           {dingtalk, 200, R"({"errcode":0,"errmsg":"ok"})", true},
                           {dingtalk, 200, R"({"errcode":"0"})", false},
                           {wecom, 200, R"({"errcode":93000,"errmsg":"invalid webhook"})", false},
                           {wecom, 500, R"({"errcode":0})", false}}) {
        EXPECT_EQ(judge_answer(it.kind, it.status, it.body).has_value(), it.taken) << it.body;
    }
    EXPECT_EQ(judge_answer(feishu, 200, R"({"code":19021,"msg":"sign match fail"})").error().text(),
              "it refused with code 19021: sign match fail");
}

TEST(Text, SaysItInBothLanguages) {
    Message message = example();
    EXPECT_EQ(text_of(message, Language::chinese, "Asia/Shanghai").title, "[紧急] box: 服务器不接受提交");
    message.kind = Message::Kind::resolved;
    message.ended_ms = t0 + 185'000;
    message.harm = {.uploads_refused = 3, .known = true};
    const Text text = text_of(message, Language::english, "UTC");
    EXPECT_EQ(text.title, "[resolved] box: the server takes no uploads");
    EXPECT_THAT(
        text.lines,
        testing::ElementsAre(
            "cause: 3 MiB are free", "by: backup", "lasted 3 min 5 s, until 2025-10-09 08:56:25",
            "meanwhile: 3 uploads turned away, 0 attempts failed, 0 verdicts of system_fault, 0 requests failed"));
    message.harm = {.known = true};
    EXPECT_EQ(text_of(message, Language::english, "UTC").lines.back(), "no request and no job was lost meanwhile");
    message.harm = {};  // As the watcher on another machine has it.
    EXPECT_EQ(text_of(message, Language::english, "UTC").lines.back(), "what it cost is not known from outside");
    EXPECT_EQ(text_of(message, Language::chinese, "UTC").lines.back(), "其间造成的影响无法从外部得知");
    message.parts[0].summary = "{{offender}} did it\r\nBcc: x";
    EXPECT_EQ(text_of(message, Language::english, "UTC").title, "[resolved] box: backup did it\\x0d\\nBcc: x");
    for (const auto& rules : {shipped_rules(), sentinel_rules()}) {
        for (const Rule& rule : rules) EXPECT_TRUE(wording::alarm_headline(Language::chinese, rule.name)) << rule.name;
    }
}

TEST(Mail, IsOneOfTheirs) {
    Receiver to = receiver(ReceiverKind::smtp);
    to.language = Language::chinese;
    const std::string mail = mail_for(to, example(), "UTC", t0);
    EXPECT_THAT(mail, testing::StartsWith("From: assay@example.edu\r\nTo: ann@example.edu\r\nSubject: =?UTF-8?B?"));
    EXPECT_THAT(mail, HasSubstr("\r\nDate: Thu, 09 Oct 2025 08:53:20 +0000\r\nMessage-ID: "
                                "<abc-1@example.edu>\r\nReferences: <abc@example.edu>\r\n"));
    EXPECT_EQ(dot_stuffed(".a\r\n..b\r\nc"), "..a\r\n...b\r\nc\r\n.\r\n");
    std::string bytes = "250-one\r\n250-TWO 3\r\n250 three\r\n354 go";
    const auto reply = take_reply(bytes);
    ASSERT_TRUE(reply && *reply);
    EXPECT_EQ((*reply)->code, 250);
    EXPECT_THAT((*reply)->lines, testing::ElementsAre("one", "TWO 3", "three"));
    EXPECT_EQ(bytes, "354 go");
    EXPECT_FALSE(take_reply(bytes)->has_value());
    for (std::string bad : {"hello\r\n", "25\r\n", "250x\r\n", "999 x\r\n", "-50 x\r\n"})
        EXPECT_FALSE(take_reply(bad)) << bad;
    std::string endless(20'000, '2');
    EXPECT_FALSE(take_reply(endless));
}

TEST(WebAddress, IsTakenApart) {
    for (const auto& [url, expected] : {std::pair{"http://a", "0 a 80 / a"},
                                        {"https://a.b:8443/x?y=1#z", "1 a.b 8443 /x?y=1 a.b:8443"},
                                        {"http://[::1]:99?q", "0 ::1 99 /?q [::1]:99"}}) {
        const auto it = parse_web_address(url);
        ASSERT_TRUE(it) << url;
        EXPECT_EQ(std::to_string(it->tls) + " " + it->host + " " + std::to_string(it->port) + " " + it->target + " " +
                      it->host_header,
                  expected);
    }
    for (const char* const url : {"", "ftp://a", "http://", "http://a:0", "http://a:x", "http://a:70000",
                                  "http://u:p@a", "http://[::1", "http://a b", "http://a\r\nX: y"}) {
        EXPECT_FALSE(parse_web_address(url)) << url;
    }
}

TEST(WebAnswer, IsReadAsFarAsItCame) {
    const std::string chunked =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (const std::string& whole : {std::string{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"}, chunked}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto part = read_answer(std::string_view{whole}.substr(0, size), false);
            ASSERT_TRUE(part) << size;
            EXPECT_FALSE(*part) << size;
            EXPECT_FALSE(read_answer(std::string_view{whole}.substr(0, size), true)) << size;
        }
        EXPECT_EQ((*read_answer(whole, false))->body, "abc");
    }
    EXPECT_EQ((*read_answer("HTTP/1.0 500 no\r\n\r\nall", true))->body, "all");
    for (const char* const bad : {"SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                                  "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"})
        EXPECT_FALSE(read_answer(bad, false)) << bad;
}

TEST(State, ComesBackAsItWas) {
    State state;
    state.memory.incidents.push_back({.id = "i",
                                      .cause = "c",
                                      .begin_ms = t0,
                                      .told_ms = t0 + 1,
                                      .severity = Severity::wake,
                                      .flapping = true,
                                      .messages = 2,
                                      .parts = example().parts,
                                      .harm = {.system_faults = 4, .known = true}});
    state.memory.silences.push_back({"s", "*", "ann", "why\n\"", t0, t0 + 5});
    state.memory.changes["c"] = {1, 2};
    state.posted.push_back({.message = example(), .to = {{.receiver = "r", .tries = 2, .next_ms = t0, .error = "no"}}});
    const std::string json = to_json(state);
    const auto back = state_from_json(json);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(to_json(*back), json);
    for (const std::string bad : {"", "{}", "[]", "{\"version\":\"assay-alert-state/2\"}",
                                  "{\"version\":\"assay-alert-state/1\",\"incidents\":[{}]}"})
        EXPECT_FALSE(state_from_json(bad)) << bad;
}

TEST(Config, NamesWhatIsWrong) {
    const auto good = config_from_toml(
        "slots = 2\n[alert]\nhost = \"h\"\n[alert.receivers.a]\ntype = \"wecom\"\nurl = \"https://x/y\"\nfrom = "
        "\"wake\"\n"
        "[alert.rules.queue_old]\nfor = \"1min\"\n[alert.rules.disk_busy]\noff = true\n[alert.rules.mine]\ncondition = "
        "\"assay_slots > 1\"\nsummary = \"s\"\n",
        "f");
    ASSERT_TRUE(good) << good.error().text();
    EXPECT_EQ(good->receivers.at(0).from, Severity::wake);
    EXPECT_EQ(good->rules.size(), shipped_rules().size());
    EXPECT_EQ(std::ranges::find(good->rules, "queue_old", &Rule::name)->for_ms, 60'000);
    struct Case {
        const char* text;
        const char* error;
    };
    for (const Case& it :
         {Case{"[alert]\nhots = \"x\"\n", "f:2: [alert] 'hots' is no key of it; did you mean 'host'?"},
          {"[alert.receivers.a]\nurl = \"http://x\"\n",
           "f:1: [alert.receivers.a] 'type' must be webhook, slack, ntfy, feishu, dingtalk, wecom, smtp or exec"},
          {"[alert.receivers.a]\ntype = \"slack\"\nurl = \"x\"\n",
           "f:3: [alert.receivers.a] 'url' the url does not begin with http:// or https://"},
          {"[alert.receivers.a]\ntype = \"exec\"\ncommand = [\"sh\"]\n",
           "f:3: [alert.receivers.a] 'command' must be a list: a program's absolute path, and its arguments"},
          {"[alert.receivers.a]\ntype = \"smtp\"\nhost = \"h\"\nsender = \"a@b\\r\\nX\"\nrecipients = [\"c@d\"]\n",
           "f:4: [alert.receivers.a] 'sender' must be a mail address"},
          {"[alert.rules.x]\nfor = \"1min\"\n",
           "f:1: [alert.rules.x] 'condition' is missing, and there is no shipped rule of that name"},
          {"[alert.rules.x]\ncondition = \"a >\"\n", "f: rule 'x': condition: at byte 4: expected a number, found ''"},
          {"[alert.rules.x]\ncondition = \"assay_slots < 1 and avg(assay_queue_oldest_second, 1min) > 600\"\n",
           "f:2: [alert.rules.x] 'condition' asks for 'assay_queue_oldest_second', which is no figure; did you mean "
           "'assay_queue_oldest_seconds'?"},
          {"[alert.rules.x]\ncondition = \"not uptime > 1\"\n",
           "f:2: [alert.rules.x] 'condition' asks for 'uptime', which is no figure; docs/operating/metrics.md and "
           "docs/operating/alerts.md list them"},
          {"[alert]\ndigest_to = \"h:1\"\ndigest_secret = \"short\"\n",
           "f:3: [alert] 'digest_secret' must be at least 16 bytes where 'digest_to' is given"}}) {
        const auto config = config_from_toml(it.text, "f");
        ASSERT_FALSE(config) << it.text;
        EXPECT_EQ(config.error().text(), it.error);
    }
}

TEST(Config, ShippedRulesAskForWhatIsKnown) {
    for (const Rule& rule : shipped_rules()) {
        for (const std::string& name : rule.condition.figures())
            EXPECT_NE(std::ranges::find(known_figures(), name), known_figures().end()) << rule.name << ": " << name;
    }
}

}  // namespace
}  // namespace assay::alert
