// The pages against a real store: who gets in, and what a wrong address tells.
#include "web/web.hh"

#include <gtest/gtest.h>

#include "testing/ask_router.hh"
#include "testing/small_course.hh"

namespace assay::web {
namespace {

using testing::header_of;
using testing::SmallCourse;

class Routes : public ::testing::Test {
protected:
    Routes() { add_routes(router, parts); }
    http::Response get(const std::string& target, std::vector<http::Header> headers = {{"Accept-Language", "en"}}) {
        return testing::ask(router, "GET", target, std::move(headers));
    }
    http::Response login(const std::string& form) {
        return testing::ask(router, "POST", "/", {{"Accept-Language", "en"}, {"Content-Type", "application/x-www-form-urlencoded"}}, form);
    }

    SmallCourse course;
    testing::ManualClock clock{SmallCourse::now_ms};
    loop::Pool pages{"pages", 2, 16};
    Parts parts{.store = *course.store, .keys = *course.keys, .board = course.board, .pages = pages, .server_url = "http://here:8080", .clock = clock};
    http::Router router;
    const std::string ann = std::string{"/oj/C/M/"} + SmallCourse::ann_key;
    const std::string ben = std::string{"/oj/C/M/"} + SmallCourse::ben_key;
};

TEST_F(Routes, ATokenLeadsToItsPage) {
    const auto response = login("token=eeee-ffff-gggg-hhhh");
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(header_of(response, "Location"), ben);
    EXPECT_EQ(header_of(login(std::string{"lang=zh&token="} + SmallCourse::ben_token), "Location"), ben + "?lang=zh");
}

TEST_F(Routes, ATokenOfSeveralPagesListsThem) {
    const auto response = login(std::string{"token="} + SmallCourse::ann_token);
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.content().find(ann), std::string::npos);
    EXPECT_NE(response.content().find("/oj/D/N/annkeyofcourseD"), std::string::npos);
    EXPECT_EQ(response.content().find("/oj/C/Old"), std::string::npos);
    EXPECT_EQ(response.content().find(SmallCourse::ann_token), std::string::npos);
}

TEST_F(Routes, AWrongTokenIsToldSo) {
    for (const char* const form : {"token=WRONGWRONGWRONG1", "token=", "", "token=JJJJKKKKMMMMNNNN"}) {
        const auto response = login(form);
        EXPECT_EQ(response.status, 401) << form;
        EXPECT_NE(response.content().find("This token is not known here"), std::string::npos);
    }
    EXPECT_EQ(get("/?token=x").status, 400);
    EXPECT_EQ(get(ann + "?token=x").status, 400);
    const auto long_one = login("token=" + std::string(100'000, 'x'));
    EXPECT_EQ(long_one.status, 413);
    EXPECT_NE(long_one.content().find("This token is not known here"), std::string::npos);
}

// Addresses end up in logs, whatever they lead to.
TEST_F(Routes, NoAddressTakesAToken) {
    for (const std::string& target : {std::string{"/"}, ann, ann + "/events", ann + "/receipt/x", std::string{"/get"}, std::string{"/static/x"},
                                      std::string{"/nowhere"}}) {
        for (const char* const query : {"?token=x", "?key=x", "?still=1&token=x"}) {
            const auto response = get(target + query);
            EXPECT_EQ(response.status, 400) << target;
            EXPECT_NE(response.content().find("A token must not be part of an address"), std::string::npos) << target;
        }
    }
}

// A browser shows a page wherever its reader ends up; programs get a problem.
TEST_F(Routes, AnUnknownAddressIsAPageForBrowsers) {
    for (const std::string& target : {std::string{"/nowhere"}, ann + "/", std::string{"/oj/C"}, std::string{"/oj//M/x"}}) {
        const auto page = get(target, {{"Accept-Language", "zh-CN"}, {"Accept", "text/html,*/*;q=0.8"}});
        EXPECT_EQ(page.status, 404) << target;
        EXPECT_EQ(header_of(page, "Content-Type"), "text/html; charset=utf-8") << target;
        EXPECT_NE(page.content().find("没有这个页面"), std::string::npos) << target;
        const auto problem = get(target, {{"Accept-Language", "zh"}});
        EXPECT_EQ(problem.status, 404) << target;
        EXPECT_EQ(header_of(problem, "Content-Type"), "application/problem+json") << target;
        EXPECT_NE(problem.content().find("\"next\""), std::string::npos) << target;
    }
}

TEST_F(Routes, AKeyOpensItsPageOnly) {
    const auto response = get(ann);
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.content().find(SmallCourse::ann_graded), std::string::npos);
    EXPECT_NE(response.content().find("<strong>40</strong> / 100"), std::string::npos);
    EXPECT_EQ(response.content().find(SmallCourse::ben_waits), std::string::npos);
    EXPECT_EQ(response.content().find("secret of the grader"), std::string::npos);
    EXPECT_EQ(response.content().find(SmallCourse::ann_token), std::string::npos);

    const auto waits = get(ben);
    EXPECT_NE(waits.content().find("No machine is ready to run it"), std::string::npos);
    EXPECT_NE(waits.content().find("http-equiv=\"refresh\""), std::string::npos);
}

// Unknown course, module, key and an archived module: nobody can tell them apart.
TEST_F(Routes, EveryWrongAddressIsTheSamePage) {
    const std::string expected = get("/oj/C/M/wrongwrongwrong").body;
    EXPECT_NE(expected.find("There is no such page"), std::string::npos);
    for (const std::string& target : {std::string{"/oj/C/Nope/"} + SmallCourse::ann_key, std::string{"/oj/C/Old/"} + SmallCourse::ann_key,
                                     std::string{"/oj/Nope/M/"} + SmallCourse::ann_key, std::string{"/oj/D/N/"} + SmallCourse::ann_key,
                                     std::string{"/oj/C/M/"} + SmallCourse::ann_token, "/oj/C/M/" + std::string(5000, 'x'),
                                     std::string{"/oj/../M/x"}, ann + "/receipt/" + SmallCourse::ben_waits, ann + "/receipt/nope"}) {
        const auto response = get(target);
        EXPECT_EQ(response.status, 404) << target;
        EXPECT_EQ(response.body, expected) << target;
    }
}

TEST_F(Routes, TheLanguageIsTheSwitchThenTheBrowserThenTheCourse) {
    EXPECT_NE(get(ann + "?lang=en", {{"Accept-Language", "zh"}}).content().find("Your score"), std::string::npos);
    EXPECT_NE(get(ann, {{"Accept-Language", "en"}}).content().find("Your score"), std::string::npos);
    EXPECT_NE(get(ann, {}).content().find("你的得分"), std::string::npos);
    EXPECT_NE(get("/", {}).content().find("Your token"), std::string::npos);
}

TEST_F(Routes, TheReceiptIsTheExactStoredBytes) {
    const auto response = get(ann + "/receipt/" + SmallCourse::ann_graded);
    EXPECT_EQ(response.body, "{\"id\":\"AnnGraded0000001\",\"signature\":\"kept to the byte\"}");
    EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
    EXPECT_EQ(header_of(response, "Referrer-Policy"), "no-referrer");
}

TEST_F(Routes, AnUnchangedPageIsNotSentAgain) {
    const auto first = get(ann);
    const auto again = get(ann, {{"Accept-Language", "en"}, {"If-None-Match", header_of(first, "ETag")}});
    EXPECT_EQ(again.status, 304);
    EXPECT_NE(first.content().find("/static/style."), std::string::npos);
    const auto at = first.content().find("/static/style.");
    EXPECT_EQ(get(std::string{first.content().substr(at, first.content().find('"', at) - at)}).status, 200);
    EXPECT_EQ(get("/static/nope.css").status, 404);
}

// Routes whose pool can be taken away: its only thread waits and its queue is full.
class BusyRoutes : public Routes {
protected:
    BusyRoutes() { add_routes(its, full); }
    ~BusyRoutes() override {
        if (taken) release.set_value();
    }
    void take_pool() {
        const auto released = release.get_future().share();
        loop::Work runs = [this, released] {
            started.set_value();
            released.wait();
        };
        loop::Work waits = [released] { released.wait(); };
        ASSERT_TRUE(small.try_post(runs));
        taken = true;
        started.get_future().wait();
        ASSERT_TRUE(small.try_post(waits));
    }
    http::Response ask(const std::string& target, std::vector<http::Header> headers = {{"Accept-Language", "en"}}) {
        return testing::ask(its, "GET", target, std::move(headers));
    }

    std::promise<void> started;
    std::promise<void> release;
    bool taken = false;
    loop::Pool small{"small", 1, 1};
    Parts full{.store = *course.store, .keys = *course.keys, .board = course.board, .pages = small, .server_url = "", .clock = clock};
    http::Router its;
};

// A full queue is said, not waited for.
TEST_F(BusyRoutes, WhenPagesCannotBeMadeThePageSaysSo) {
    take_pool();
    const auto response = ask(ann);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(header_of(response, "Retry-After"), "3");
    EXPECT_EQ(ask(ann + "/events").status, 503);
}

// What has been rendered is answered without the pool and the store, until it may be wrong.
TEST_F(BusyRoutes, APageIsAnsweredFromMemoryUntilItChanges) {
    const auto first = ask(ann);
    ASSERT_EQ(first.status, 200);
    const queue::Topic topic{CourseId{"C"}, ModuleId{"M"}, ParticipantId{"ann"}};
    take_pool();
    const auto again = ask(ann);
    EXPECT_EQ(again.shared_body, first.shared_body);  // The very same bytes.
    EXPECT_EQ(ask(ann, {{"Accept-Language", "en"}, {"If-None-Match", header_of(first, "ETag")}}).status, 304);
    EXPECT_EQ(ask(ann + "?unknown=1").shared_body, first.shared_body);
    EXPECT_EQ(ask(ann, {{"Accept-Language", "zh"}}).status, 503);  // Another language is another page.
    EXPECT_EQ(ask(ann + "?still=1").status, 503);

    course.board.feed().changed(topic);
    EXPECT_EQ(ask(ann).status, 503);
}

TEST_F(BusyRoutes, AnyPageOfAllChangesWithTheRoster) {
    ASSERT_EQ(ask(ann).status, 200);
    take_pool();
    course.board.feed().all_changed();
    EXPECT_EQ(ask(ann).status, 503);
}

// A place in line moves without anybody saying so.
TEST_F(BusyRoutes, APageThatWaitsAgesSoonOthersLater) {
    ASSERT_EQ(ask(ann).status, 200);
    ASSERT_EQ(ask(ben).status, 200);
    take_pool();
    clock.advance(std::chrono::milliseconds{999});
    EXPECT_EQ(ask(ben).status, 200);
    clock.advance(std::chrono::milliseconds{1});
    EXPECT_EQ(ask(ben).status, 503);
    EXPECT_EQ(ask(ann).status, 200);
    clock.advance(std::chrono::minutes{1});
    EXPECT_EQ(ask(ann).status, 503);
}

TEST_F(Routes, EventsNameThePageAsItIs) {
    const auto page = get(ann);
    auto response = get(ann + "/events");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header_of(response, "Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(header_of(response, "X-Accel-Buffering"), "no");
    ASSERT_TRUE(response.streamer);

    struct Peer final : http::Stream {
        loop::Task<Result<Unit>> send(std::string piece) override {
            pieces.push_back(std::move(piece));
            co_return ok;
        }
        bool over() override { return true; }
        std::vector<std::string> pieces;
    } peer;
    loop::Loop loop;
    std::promise<void> ended;
    loop.post([&] {
        std::move_only_function<void(Unit)> done = [&](Unit) { ended.set_value(); };
        loop::start(response.streamer(peer), std::move(done));
    });
    ended.get_future().wait();
    loop.stop();
    std::string etag = header_of(page, "ETag");
    std::erase(etag, '"');
    ASSERT_EQ(peer.pieces.size(), 2u);
    EXPECT_EQ(peer.pieces[1], "id: " + etag + "\nevent: page\ndata: {\"page\":\"" + etag + "\"}\n\n");
    EXPECT_EQ(get("/oj/C/M/wrongwrongwrong/events").status, 404);
}

}  // namespace
}  // namespace assay::web
