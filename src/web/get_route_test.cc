// What /get offers against a real folder, and what it never serves.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sys/random.hh"
#include "sys/sha256.hh"
#include "testing/ask_router.hh"
#include "testing/small_course.hh"
#include "web/clients.hh"
#include "web/web.hh"

namespace assay::web {
namespace {

namespace fs = std::filesystem;
using testing::header_of;
using testing::SmallCourse;

constexpr auto on_linux = "assay-linux-x86_64";
constexpr auto on_windows = "assay-windows-x86_64.exe";

class GetRoutes : public ::testing::Test {
protected:
    GetRoutes() {
        fs::create_directory(folder);
        add_routes(router, parts);
    }
    ~GetRoutes() override { fs::remove_all(folder); }
    http::Response get(const std::string& target, std::vector<http::Header> headers = {{"Accept-Language", "en"}}) {
        return testing::ask(router, "GET", target, std::move(headers));
    }
    // As staff should: written beside it, then put in its place.
    void put(const std::string& name, const std::string& content) const {
        std::ofstream{folder / "new"} << content;
        fs::rename(folder / "new", folder / name);
    }
    static std::string sha(const std::string& content) { return sys::sha256_hex(bytes_of(content)); }
    bool page_names(const std::string& text) { return get("/get").content().find(text) != std::string_view::npos; }

    fs::path folder = fs::temp_directory_path() / ("assay-clients-" + sys::random_text(12, "abcdefghijklmnopqrstuvwxyz"));
    SmallCourse course;
    testing::ManualClock clock{SmallCourse::now_ms};
    loop::Pool pages{"pages", 2, 16};
    Parts parts{.store = *course.store, .keys = *course.keys, .board = course.board, .pages = pages, .server_url = "http://here:8080",
                .clients = folder.string(), .clock = clock};
    http::Router router;
};

TEST_F(GetRoutes, AFileThatIsNotThereIsNotOffered) {
    const auto page = get("/get");
    EXPECT_EQ(page.status, 200);
    EXPECT_FALSE(page_names(on_linux));
    EXPECT_TRUE(page_names("http://here:8080/upload"));
    EXPECT_EQ(get(std::string{"/get/"} + on_linux).status, 404);
    EXPECT_EQ(get("/get/" + sha("x") + "/" + on_linux).status, 404);
}

TEST_F(GetRoutes, AClientIsOfferedFromWhenItIsThereAndAsItIs) {
    put(on_linux, "one");
    put(on_windows, "win");
    EXPECT_TRUE(page_names(sha("one")));
    EXPECT_TRUE(page_names(sha("win")));
    const auto first = get(std::string{"/get/"} + on_linux);
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.content(), "one");
    EXPECT_EQ(header_of(first, "Content-Disposition"), "attachment; filename=\"assay-linux-x86_64\"");
    EXPECT_EQ(header_of(first, "Cache-Control"), "public, no-cache");
    const std::string etag = header_of(first, "ETag");
    EXPECT_EQ(etag, '"' + sha("one") + '"');
    EXPECT_EQ(get(std::string{"/get/"} + on_linux, {{"If-None-Match", etag}}).status, 304);
    const auto hashed = get("/get/" + sha("one") + "/" + on_linux);
    EXPECT_EQ(hashed.content(), "one");
    EXPECT_EQ(header_of(hashed, "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(get(std::string{"/get/"} + on_windows).content(), "win");

    put(on_linux, "two");  // as long as the one before
    EXPECT_TRUE(page_names(sha("two")));
    EXPECT_FALSE(page_names(sha("one")));
    EXPECT_EQ(get(std::string{"/get/"} + on_linux, {{"If-None-Match", etag}}).content(), "two");
    const auto gone = get("/get/" + sha("one") + "/" + on_linux);
    EXPECT_EQ(gone.status, 303);
    EXPECT_EQ(header_of(gone, "Location"), "/get");
    EXPECT_EQ(header_of(gone, "Cache-Control"), "private, no-cache");

    fs::remove(folder / on_linux);
    EXPECT_FALSE(page_names(on_linux));
    EXPECT_EQ(get(std::string{"/get/"} + on_linux).status, 404);
    EXPECT_TRUE(page_names(on_windows));
}

TEST_F(GetRoutes, OnlyTheTwoFilesAndOnlyAsFiles) {
    put("secret", "s");
    put(on_windows, "win");
    fs::create_symlink(folder / "secret", folder / on_linux);
    EXPECT_FALSE(page_names(on_linux));
    for (const char* const target : {"/get/assay-linux-x86_64", "/get/secret", "/get/..", "/get/%2e%2e%2fsecret", "/get/x/secret"}) {
        EXPECT_EQ(get(target).status, 404) << target;
    }
    fs::remove(folder / on_linux);
    fs::create_directory(folder / on_linux);
    EXPECT_FALSE(page_names(on_linux));
    fs::remove(folder / on_linux);
    put(on_linux, "x");
    fs::resize_file(folder / on_linux, client_bytes_max + 1);
    EXPECT_FALSE(page_names(on_linux));
    EXPECT_TRUE(page_names(on_windows));
}

TEST_F(GetRoutes, CourseAndModuleAreFilledInWhenTheyAreNames) {
    EXPECT_NE(get("/get?course=C&module=M").content().find("-F course=C -F module=M "), std::string_view::npos);
    EXPECT_NE(get("/get?course=C&module=M", {{"Accept-Language", "zh"}}).content().find("只用 curl"), std::string_view::npos);
    for (const char* const bad : {"%3Cb%3E", "a%27b", "-x", "a%20b", "..", "", "%24%28id%29"}) {
        const auto page = get(std::string{"/get?course=C&module="} + bad);
        EXPECT_EQ(page.status, 200);
        EXPECT_NE(page.content().find("-F course=C -F module=MODULE "), std::string_view::npos) << bad;
        EXPECT_EQ(page.content().find("<b>"), std::string_view::npos);
    }
    EXPECT_EQ(get("/get?token=x").status, 400);
    EXPECT_NE(get("/").content().find("href=\"/get\""), std::string_view::npos);
    EXPECT_NE(get(std::string{"/oj/C/M/"} + SmallCourse::ann_key + "?lang=en").content().find("/get?course=C&amp;module=M"), std::string_view::npos);
}

}  // namespace
}  // namespace assay::web
