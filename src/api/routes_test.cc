// The routes against a real store: who sees what, and in which words.
#include "api/api.hh"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/staff.hh"
#include "api/submission.hh"
#include "store/space.hh"
#include "sys/process.hh"
#include "testing/ask_router.hh"
#include "testing/fake_disk.hh"
#include "testing/small_course.hh"

namespace assay::api {
namespace {

using testing::header_of;
using testing::SmallCourse;

class Routes : public ::testing::Test {
protected:
    Routes() {
        add_public_routes(router, parts);
        add_admin_routes(admin, parts);
    }

    http::Response get(const std::string& target, const std::string& token = {}, std::vector<http::Header> headers = {}) {
        if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
        return testing::ask(router, "GET", target, std::move(headers));
    }
    http::Response staff(const std::string& method, const std::string& target, std::string body = {}) {
        return testing::ask(admin, method, target, {}, std::move(body), sys::Peer{.pid = 1, .uid = sys::effective_uid(), .gid = 0});
    }

    SmallCourse course;
    testing::ManualClock clock{SmallCourse::now_ms};
    loop::Pool pages{"pages", 2, 16};
    loop::Pool disk{"disk", 2, 16};
    std::string not_ready_because;
    image::Library images{course.directory + "/images"};
    Parts parts{.store = *course.store,
                .revisions = *course.revisions,
                .images = images,
                .keys = *course.keys,
                .board = course.board,
                .pages = pages,
                .disk = disk,
                .clock = clock,
                .server_url = "http://here:8080",
                .machine = {.memory_bytes = 8LL << 30, .cpus = 2},
                .not_ready = [this] { return not_ready_because; }};
    http::Router router;
    http::Router admin;
    const std::string ann = std::string{"/api/v1/submissions/"} + SmallCourse::ann_graded;
    const std::string ben = std::string{"/api/v1/submissions/"} + SmallCourse::ben_waits;
};

// Whoever runs a proxy must see what passes it, without a token and without leaving anything behind.
TEST_F(Routes, AProbeIsCountedAndThrownAway) {
    const auto probed = testing::ask(router, "PATCH", "/api/v1/probe", {{"Upload-Offset", "0"}, {"Via", "1.1 box"}}, "12345");
    EXPECT_EQ(probed.status, 200);
    const auto json = nlohmann::json::parse(probed.body);
    EXPECT_EQ(json["method"], "PATCH");
    EXPECT_EQ(json["received_bytes"], 5);
    EXPECT_EQ(json["authorization"], false);
    EXPECT_EQ(json["upload_offset"], true);
    EXPECT_EQ(json["via"], "1.1 box");
    EXPECT_EQ(json["now_ms"], SmallCourse::now_ms);
    EXPECT_TRUE(get("/api/v1/probe/events").streamer);
}

TEST_F(Routes, ASubmissionIsForItsParticipantAlone) {
    const struct {
        std::string target, token;
        int status;
        const char* code;
    } cases[] = {
        {ann, SmallCourse::ann_token, 200, ""},
        {ann, "aaaa-bbbb-cccc-dddd", 200, ""},  // as a person types it
        {ben, SmallCourse::ben_token, 200, ""},
        {ann, SmallCourse::ben_token, 404, "unknown_submission"},
        {ben, SmallCourse::ann_token, 404, "unknown_submission"},
        {"/api/v1/submissions/NoSuchSubmission", SmallCourse::ann_token, 404, "unknown_submission"},
        {ann, "", 401, "bad_token"},
        {ann, "WRONGWRONGWRONG1", 401, "bad_token"},
        {ann, SmallCourse::zoe_token, 401, "bad_token"},  // inactive
        {ann, SmallCourse::ann_key, 401, "bad_token"},    // the shareable key is no token
        {ann + "?token=" + SmallCourse::ann_token, "", 400, "token_in_query"},
        {ann + "?token=x", SmallCourse::ann_token, 400, "token_in_query"},
        {ann + "/receipt?key=x", SmallCourse::ann_token, 400, "token_in_query"},
    };
    for (const auto& c : cases) {
        const auto response = get(c.target, c.token);
        EXPECT_EQ(response.status, c.status) << c.target << ' ' << c.token;
        if (c.status == 200) {
            EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
            EXPECT_EQ(header_of(response, "Cache-Control"), "private, no-cache");
            continue;
        }
        EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
        EXPECT_EQ(nlohmann::json::parse(response.body).at("code"), c.code);
        EXPECT_EQ(header_of(response, "WWW-Authenticate"), c.status == 401 ? "Bearer" : "");
    }
}

// Whether an id exists must not be learnt by asking.
TEST_F(Routes, AForeignAndAnUnknownSubmissionAreTheSameAnswer) {
    for (const char* const suffix : {"", "/report", "/log", "/receipt", "/why", "/events"}) {
        EXPECT_EQ(get(ann + suffix, SmallCourse::ben_token).body,
                  get(std::string{"/api/v1/submissions/NoSuchSubmission"} + suffix, SmallCourse::ben_token).body);
    }
}

TEST_F(Routes, TheStateSaysWhyItWaitsInTheReadersLanguage) {
    const auto english = nlohmann::json::parse(get(ben, SmallCourse::ben_token, {{"Accept-Language", "en"}}).body);
    EXPECT_EQ(english.at("state"), "queued");
    EXPECT_EQ(english.at("reason").at("code"), "no_runner");
    EXPECT_TRUE(english.at("reason").at("text").get<std::string>().starts_with("No machine is ready"));
    const auto by_course = nlohmann::json::parse(get(ben, SmallCourse::ben_token).body);  // The course speaks Chinese.
    EXPECT_TRUE(by_course.at("reason").at("text").get<std::string>().starts_with("目前没有"));
    EXPECT_EQ(by_course.at("reason").at("details"), "no runner is connected");
    const auto graded = nlohmann::json::parse(get(ann, SmallCourse::ann_token).body);
    EXPECT_EQ(graded.at("verdict"), "failed");
    EXPECT_EQ(graded.at("score"), 40);
    EXPECT_EQ(graded.at("links").at("receipt"), "http://here:8080" + ann + "/receipt");
}

// The same chain for both, and more of it for staff.
TEST_F(Routes, WhyItWaitsGoesToTheBottom) {
    const auto his = nlohmann::json::parse(get(ben + "/why", SmallCourse::ben_token, {{"Accept-Language", "en"}}).body);
    EXPECT_EQ(his.at("state"), "queued");
    EXPECT_EQ(his.at("steps").at(0).at("code"), "no_runner");
    EXPECT_EQ(his.at("steps").at(0).at("evidence").at(0), "no runner is connected");
    EXPECT_TRUE(his.at("steps").at(0).at("remedy").is_null());
    const auto of_staff = nlohmann::json::parse(staff("GET", std::string{"/admin/submissions/"} + SmallCourse::ben_waits + "/why").body);
    EXPECT_TRUE(of_staff.at("steps").at(0).at("remedy").get<std::string>().starts_with("assay check"));
    EXPECT_EQ(nlohmann::json::parse(get(ann + "/why", SmallCourse::ann_token).body).at("steps").at(0).at("code"), "graded");
    EXPECT_EQ(staff("GET", "/admin/submissions/NoSuchSubmission/why").status, 404);
}

TEST_F(Routes, TheReceiptIsTheExactStoredBytes) {
    EXPECT_EQ(get(ann + "/receipt", SmallCourse::ann_token).body,
              "{\"id\":\"AnnGraded0000001\",\"signature\":\"kept to the byte\"}");
}

TEST_F(Routes, ReportAndLogLeaveOutWhatIsForStaff) {
    const auto report = get(ann + "/report", SmallCourse::ann_token);
    EXPECT_EQ(report.status, 200);
    EXPECT_EQ(report.body.find("secret of the grader"), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(report.body).at("stages").size(), 2u);
    const auto log = get(ann + "/log", SmallCourse::ann_token);
    EXPECT_EQ(header_of(log, "Content-Type"), "text/plain; charset=utf-8");
    EXPECT_NE(log.body.find("hello ␛[2J from make"), std::string::npos);
    EXPECT_EQ(log.body.find("secret of the grader"), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(get(ben + "/report", SmallCourse::ben_token).body).at("code"), "not_graded");
}

// Why a grader failed is for whoever can mend it: whole, bounded, and nothing of it for the participant.
TEST_F(Routes, StaffReadWhyAGraderFailedAndWhatItPrinted) {
    const std::string at = std::string{"/admin/submissions/"} + SmallCourse::ben_waits;
    EXPECT_EQ(nlohmann::json::parse(staff("GET", at + "/report").body).at("detail"),
              "submission BenWaits00000001 has no verdict yet");
    EXPECT_EQ(staff("GET", "/admin/submissions/NoSuchSubmission/report").status, 404);
    model::Report report;
    report.verdict = model::Verdict::grader_fault;
    report.stages.push_back({.name = "score",
                             .trusted = true,
                             .verdict = model::Verdict::grader_fault,
                             .exit_code = 3,
                             .fault = "the command ended with exit code 3"});
    for (int i = 1; i <= 30; ++i) report.stages.back().errors += "line " + std::to_string(i) + " \x1b[2J\n";
    ASSERT_TRUE(course.store->write_and_wait([&](store::Tx& tx) -> Result<> {
        const SubmissionId id{SmallCourse::ben_waits};
        ASSAY_TRY(const auto job, tx.newest_job(id));
        for (const auto state : {model::State::running, model::State::graded}) {
            ASSAY_CHECK(tx.move_job(job->id, state));
            if (state == model::State::running)
                ASSAY_CHECK(
                    tx.add_verdict({.submission = id, .verdict = report.verdict, .report = model::to_json(report)}));
        }
        return ok;
    }));

    const auto whole = nlohmann::json::parse(staff("GET", at + "/report").body).at("stages").at(0);
    EXPECT_EQ(whole.at("fault"), "the command ended with exit code 3");
    EXPECT_TRUE(whole.at("errors").get<std::string>().starts_with("line 1 \x1b"));
    const auto steps = nlohmann::json::parse(staff("GET", at + "/why").body).at("steps");
    EXPECT_EQ(steps.at(1).at("code"), "grader_fault");
    EXPECT_EQ(steps.at(1).at("text"), "stage score: the command ended with exit code 3");
    EXPECT_EQ(steps.at(1).at("evidence").size(), 21u);
    EXPECT_EQ(steps.at(1).at("evidence").at(0), "the end of its stderr:");
    EXPECT_EQ(steps.at(1).at("evidence").at(1), "  line 11 ␛[2J");
    EXPECT_EQ(steps.at(1).at("remedy"), "mend the grader and apply the course, then assay rejudge BenWaits00000001");
    const auto chinese = nlohmann::json::parse(staff("GET", at + "/why?chinese=1").body).at("steps");
    EXPECT_EQ(chinese.at(0).at("text"), "它没有在等待，状态为 已评分");
    for (const char* const suffix : {"", "/report", "/log", "/why"}) {
        const auto his = get(ben + suffix, SmallCourse::ben_token).body;
        EXPECT_FALSE(his.contains("exit code 3") || his.contains("line 30")) << his;
    }
}

// Nothing is better than an empty list where the stages are not said.
TEST_F(Routes, AnEventLeavesOutTheStagesThatTheStateHas) {
    const auto whole = nlohmann::json::parse(get(ann, SmallCourse::ann_token).body);
    EXPECT_EQ(whole.at("stages").size(), 2u);
    EXPECT_EQ(whole.at("partial"), false);
    ASSERT_TRUE(course.store->read([&](store::Reading& reading) -> Result<> {
        http::Request request;
        ASSAY_TRY(const auto submission, reading.submission(SubmissionId{SmallCourse::ann_graded}));
        ASSAY_TRY(const State event, state_of(parts, request, reading, *submission, queue::Detail::without_stages));
        const auto json = nlohmann::json::parse(event.json);
        EXPECT_EQ(json.at("verdict"), "failed");
        EXPECT_FALSE(json.contains("stages") || json.contains("partial"));
        return ok;
    }));
}

TEST_F(Routes, LimitsAreToldWithoutAToken) {
    const auto module = nlohmann::json::parse(get("/api/v1/limits?course=C&module=M").body);
    EXPECT_EQ(module.at("size_max"), 12 << 20);
    EXPECT_EQ(module.at("unpacked_max"), 128 << 20);
    EXPECT_EQ(module.at("entries_max"), 20'000);
    EXPECT_EQ(module.at("formats").size(), 6u);
    EXPECT_EQ(module.at("symlinks"), "inside");
    EXPECT_EQ(module.at("names"), "utf-8");
    EXPECT_EQ(module.at("open"), true);
    EXPECT_TRUE(module.at("closes").is_null());
    EXPECT_TRUE(module.at("now").get<std::string>().ends_with("+08:00"));
    const auto server = nlohmann::json::parse(get("/api/v1/limits").body);
    EXPECT_EQ(server.at("size_max"), 12 << 20);
    EXPECT_EQ(server.at("version"), module.at("version"));
    const struct {
        std::string query;
        int status;
        const char* code;
    } refusals[] = {{"?course=X&module=M", 404, "unknown_course"},
                    {"?course=C&module=X", 404, "unknown_module"},
                    {"?course=C&module=Old", 404, "unknown_module"},
                    {"?course=C", 400, "missing_field"},
                    {"?course=C&module=M&token=x", 400, "token_in_query"}};
    for (const auto& c : refusals) {
        const auto response = get("/api/v1/limits" + c.query);
        EXPECT_EQ(response.status, c.status) << c.query;
        const auto problem = nlohmann::json::parse(response.body);
        EXPECT_EQ(problem.at("code"), c.code) << c.query;
        EXPECT_FALSE(problem.at("next").get<std::string>().empty()) << c.query;
    }
}

// What is known of a module before anything is handed in says what lateness costs and what is enough.
TEST_F(Routes, LimitsSayWhatLatenessCosts) {
    const auto plain = nlohmann::json::parse(get("/api/v1/limits?course=C&module=M").body);
    EXPECT_TRUE(plain.contains("late") && plain.at("late").is_null());
    EXPECT_TRUE(plain.contains("pass") && plain.at("pass").is_null());
    const auto tar = archive::pack_tar({{"course.toml", false, "[course]\nid = \"E\"\ntitle = \"New\"\n"},
                                        {"one/module.toml", false,
                                         "[module]\nid = \"one\"\ntitle = \"One\"\npass = 60\ndue = 2030-01-01T00:00:00Z\ncloses = 2030-02-01T00:00:00Z\n"
                                         "late = { grace = \"1 h\", per_day = 0.1, cap = 0.5 }\n"
                                         "[[stage]]\nname = \"run\"\nrun = \"true\"\n"}}).value();
    const auto applied = staff("POST", "/admin/course/apply", tar);
    ASSERT_EQ(applied.status, 200) << applied.body;
    const auto costly = nlohmann::json::parse(get("/api/v1/limits?course=E&module=one").body);
    EXPECT_EQ(costly.at("late"), (nlohmann::json{{"grace_ms", 3'600'000}, {"per_day", 0.1}, {"cap", 0.5}}));
    EXPECT_EQ(costly.at("pass"), 60);
}

// A sentence for a person is in his language, and says what to do.
TEST_F(Routes, RefusalsSpeakTheirReadersLanguage) {
    const struct {
        std::string target, token, english, chinese;
    } cases[] = {
        {ann, SmallCourse::ben_token, "There is no submission of this id among yours.", "你的提交中没有这个编号。"},
        {ben + "/report", SmallCourse::ben_token, "This submission has no result yet.", "这次提交还没有结果。"},
        {ben + "/log", SmallCourse::ben_token, "This submission has no result yet.", "这次提交还没有结果。"},
        {"/api/v9", "", "There is nothing at this address.", "这个地址没有任何内容。"},
        {ann + "?token=x", "", "A token or key must not stand in an address, where logs and histories keep it.",
         "令牌或密钥不能写在网址里，否则会留在日志和历史记录中。"},
    };
    for (const auto& c : cases) {
        for (const auto& [language, said] : {std::pair{"en", &c.english}, {"zh-CN", &c.chinese}}) {
            const auto problem = nlohmann::json::parse(get(c.target, c.token, {{"Accept-Language", language}}).body);
            EXPECT_EQ(problem.at("detail"), *said) << c.target;
            EXPECT_FALSE(problem.at("next").get<std::string>().empty()) << c.target;
        }
    }
}

// One look in front of all routes, so that none can forget it.
TEST_F(Routes, NoAddressTakesAToken) {
    for (const char* const path : {"/api", "/api/v1/probe", "/api/v1/probe/events", "/api/v1/limits", "/api/v1/receipt-keys", "/api/v1/nowhere"}) {
        for (const char* const method : {"GET", "HEAD", "POST", "OPTIONS"}) {
            const auto response = testing::ask(router, method, std::string{path} + "?token=x");
            EXPECT_EQ(response.status, 400) << method << ' ' << path;
            EXPECT_EQ(nlohmann::json::parse(response.body).at("code"), "token_in_query") << method << ' ' << path;
        }
    }
}

TEST_F(Routes, EventsAreForTheParticipantAlone) {
    EXPECT_EQ(get(ann + "/events").status, 401);
    EXPECT_EQ(get(ann + "/events", SmallCourse::ben_token).status, 404);
    const auto stream = get(ann + "/events", SmallCourse::ann_token);
    EXPECT_EQ(stream.status, 200);
    EXPECT_TRUE(stream.streamer);
    EXPECT_EQ(header_of(stream, "Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(header_of(stream, "X-Accel-Buffering"), "no");
}

TEST_F(Routes, ReceiptKeysArePublic) {
    ASSERT_TRUE(course.store->write_and_wait([this](store::Tx& tx) { return tx.put_signing_key(course.keys->signing_key(model::KeyUse::receipt)); }));
    const auto keys = nlohmann::json::parse(get("/api/v1/receipt-keys").body).at("keys");
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(keys[0].at("key_id"), course.keys->signing_key(model::KeyUse::receipt).key_id);
    EXPECT_EQ(from_base64(keys[0].at("public_key").get<std::string>())->size(), 32u);
    EXPECT_TRUE(keys[0].at("until").is_null());
}

TEST_F(Routes, HealthAndReadiness) {
    EXPECT_EQ(get("/healthz").body, "ok\n");
    EXPECT_EQ(get("/readyz").status, 200);
    not_ready_because = "no runner is connected";
    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_EQ(get("/readyz").body, "not ready: no runner is connected\n");
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(Routes, UnknownApiPathsAreProblems) {
    for (const char* const path : {"/api", "/api/v2", "/api/v1/runner/lease", "/api/v1/submissions/x/y/z", "/api/1/2/3/4/5/6/7/8/9/10/11/12/13"}) {
        const auto response = get(path);
        EXPECT_EQ(response.status, 404) << path;
        EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json") << path;
    }
    EXPECT_EQ(testing::ask(router, "POST", ann).status, 405);
    EXPECT_EQ(get("/admin/courses").status, 404);
    EXPECT_EQ(get("/metrics").status, 404);
}

TEST_F(Routes, TheAdminSocketRefusesOtherUsers) {
    const auto stranger = testing::ask(admin, "GET", "/admin/courses", {}, {}, sys::Peer{.pid = 1, .uid = 4242, .gid = 0});
    EXPECT_EQ(stranger.status, 403);
    EXPECT_EQ(testing::ask(admin, "GET", "/admin/courses").status, 403);
    EXPECT_EQ(staff("GET", "/admin/courses").status, 200);
}

TEST_F(Routes, StaffCommandsPrintWhatTheyDid) {
    const auto listed = nlohmann::json::parse(staff("GET", "/admin/courses").body);
    EXPECT_EQ(listed.at(0).at("id"), "C");

    const auto imported = staff("POST", "/admin/roster/C?json=1", "id,name\nnew1,Somebody\n");
    EXPECT_EQ(imported.status, 200) << imported.body;
    EXPECT_EQ(nlohmann::json::parse(imported.body).at("added"), 1);
    EXPECT_NE(staff("GET", "/admin/roster/C").body.find("new1,Somebody"), std::string::npos);
    EXPECT_EQ(staff("POST", "/admin/roster/C", "no,header\n").status, 400);
    EXPECT_EQ(staff("POST", "/admin/roster/Nowhere", "id\nx\n").status, 404);
    EXPECT_EQ(staff("POST", "/admin/roster/C/token-reset?id=ann").status, 200);
    EXPECT_EQ(get(ann, SmallCourse::ann_token).status, 404);  // Ann's token of course D still exists; C's is void.

    EXPECT_EQ(staff("POST", "/admin/course/apply", "this is no tar").status, 400);
    const auto tar = archive::pack_tar({{"course.toml", false, "[course]\nid = \"E\"\ntitle = \"New\"\n"},
                                        {"one/module.toml", false,
                                         "[module]\nid = \"one\"\ntitle = \"One\"\n[upload]\nunpacked_max = \"16 MiB\"\nentries_max = 500\n"
                                         "[[stage]]\nname = \"run\"\nrun = \"true\"\n"}}).value();
    const auto dry = staff("POST", "/admin/course/apply?dry_run=1", tar);
    EXPECT_EQ(dry.status, 200) << dry.body;
    EXPECT_EQ(staff("GET", "/admin/courses").body.find("\"E\""), std::string::npos);
    const auto applied = staff("POST", "/admin/course/apply", tar);
    EXPECT_EQ(applied.status, 200) << applied.body;
    EXPECT_NE(applied.body.find("one"), std::string::npos);
    EXPECT_NE(staff("GET", "/admin/courses").body.find("\"E\""), std::string::npos);
}

TEST_F(Routes, StaffCommandsOnTheLine) {
    int rung = 0;
    course.board.on_change([&rung] { ++rung; });
    const std::string waits = std::string{"/admin/submissions/"} + SmallCourse::ben_waits;
    const std::string graded = std::string{"/admin/submissions/"} + SmallCourse::ann_graded;
    EXPECT_EQ(staff("POST", "/admin/modules/C/M/pause").status, 200);
    EXPECT_NE(get(ben, SmallCourse::ben_token).body.find("\"code\":\"module_paused\""), std::string::npos);
    const auto listed = nlohmann::json::parse(staff("GET", "/admin/queue").body);
    EXPECT_EQ(listed.at("paused").at(0).at("reason"), "module_paused");
    EXPECT_EQ(listed.at("jobs").at(0).at("id"), SmallCourse::ben_waits);
    EXPECT_EQ(listed.at("jobs").at(0).at("participant"), "ben");
    EXPECT_FALSE(listed.at("jobs").at(0).at("reason").at("text").get<std::string>().empty());
    EXPECT_EQ(staff("POST", "/admin/modules/C/M/resume").status, 200);
    EXPECT_EQ(staff("POST", "/admin/modules/C/X/pause").status, 404);
    EXPECT_EQ(staff("POST", waits + "/hold").status, 200);
    EXPECT_NE(get(ben, SmallCourse::ben_token).body.find("\"code\":\"held_by_staff\""), std::string::npos);
    EXPECT_EQ(staff("POST", waits + "/rejudge").status, 409);
    EXPECT_EQ(staff("POST", waits + "/release").status, 200);
    EXPECT_EQ(rung, 4);
    EXPECT_EQ(staff("POST", graded + "/rejudge").status, 200);
    const auto shown = nlohmann::json::parse(get(ann, SmallCourse::ann_token).body);
    EXPECT_EQ(shown.at("state"), "graded");
    EXPECT_EQ(shown.at("score"), 40);
    EXPECT_EQ(shown.at("generation"), 1);
    EXPECT_EQ(shown.at("rejudge").at("generation"), 2);
    EXPECT_EQ(shown.at("rejudge").at("state"), "queued");
    EXPECT_EQ(testing::ask(admin, "POST", graded + "/rejudge").status, 403);
}

TEST_F(Routes, MetricsCountTheLineForStaffAlone) {
    const auto line = [this](const std::string& start) {
        const std::string body = staff("GET", "/metrics").body;
        const auto at = body.find("\n" + start + " ");
        return at == std::string::npos ? "" : body.substr(at + start.size() + 2, body.find('\n', at + 1) - at - start.size() - 2);
    };
    EXPECT_EQ(header_of(staff("GET", "/metrics"), "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(line("assay_queue_waiting{reason=\"no_runner\"}"), "1");
    EXPECT_EQ(line("assay_queue_oldest_seconds"), "30");
    EXPECT_EQ(line("assay_slots"), "0");
    EXPECT_EQ(line("process_start_time_seconds"), "1795000000");
    EXPECT_FALSE(line("assay_store_commit_changes_count").empty());
    staff("POST", "/admin/modules/C/M/pause");
    EXPECT_EQ(line("assay_queue_waiting{reason=\"module_paused\"}"), "1");
    EXPECT_EQ(line("assay_modules_paused{reason=\"module_paused\"}"), "1");
    staff("POST", std::string{"/admin/submissions/"} + SmallCourse::ben_waits + "/hold");
    EXPECT_EQ(line("assay_queue_waiting{reason=\"held_by_staff\"}"), "1");
    EXPECT_EQ(line("assay_queue_oldest_seconds"), "0");
    EXPECT_EQ(testing::ask(admin, "GET", "/metrics").status, 403);
}

// On a spent disk staff can still stop things; what brings work back waits for room.
TEST(Staff, TakeWorkAwayOnASpentDiskToo) {
    testing::FakeDisk disk{{"/d"}};
    const auto space = store::Space::open(disk, "/d", "/d/reserve", 0);
    ASSERT_TRUE(space);
    SmallCourse course;
    course.store.reset();
    course.store = store::open_sqlite({.path = course.directory + "/assay.db", .space = space->get()}).value();
    disk.set_free(1);
    const CourseId c{"C"};
    const ModuleId m{"M"};
    const SubmissionId waits{SmallCourse::ben_waits};
    const SubmissionId graded{SmallCourse::ann_graded};
    EXPECT_TRUE(act_on(*course.store, ModuleCommand::pause, c, m, 1));
    EXPECT_TRUE(act_on(*course.store, SubmissionCommand::hold, waits, 1));
    EXPECT_EQ(act_on(*course.store, ModuleCommand::resume, c, m, 1).error().fault(), Fault::disk_full);
    EXPECT_EQ(act_on(*course.store, SubmissionCommand::release, waits, 1).error().fault(), Fault::disk_full);
    EXPECT_EQ(act_on(*course.store, SubmissionCommand::rejudge, graded, 1).error().fault(), Fault::disk_full);
    disk.set_free(std::int64_t{1} << 40);
    EXPECT_TRUE(act_on(*course.store, SubmissionCommand::release, waits, 1));
    EXPECT_TRUE(act_on(*course.store, ModuleCommand::resume, c, m, 1));
}

}  // namespace
}  // namespace assay::api
