#include <gtest/gtest.h>

#include <random>

#include "http/chunked.hh"
#include "http/head.hh"
#include "http/message.hh"
#include "http/multipart.hh"
#include "http/server.hh"
#include "http/shed.hh"
#include "http/wire.hh"
#include "testing/ask_router.hh"

namespace assay::http {
namespace {

constexpr std::size_t header_max = 4096;

// Feeds `bytes` in pieces of `step` as a connection would; the status of the refusal, 0 when a head was read, -1 when more is needed.
int status_of_head(std::string_view bytes, std::size_t step = 1) {
    HeadScan scan{header_max};
    for (std::size_t size = 0; size < bytes.size();) {
        size = std::min(size + step, bytes.size());
        const auto end = scan.look(bytes.substr(0, size));
        if (!end) return end.error().status;
        if (!*end) continue;
        const auto head = parse_head(bytes.substr(scan.begin(), **end - scan.begin()));
        return head ? 0 : head.error().status;
    }
    return -1;
}

Head head_of(std::string_view bytes) {
    HeadScan scan{header_max};
    const std::size_t end = scan.look(bytes)->value();
    return parse_head(bytes.substr(scan.begin(), end - scan.begin())).value();
}

std::string request_with(std::string_view lines, std::string_view line = "POST /x HTTP/1.1") {
    return std::string{line} + "\r\nHost: h\r\n" + std::string{lines} + "\r\n";
}

struct Events : MultipartSink {
    std::string story;
    Result<> begin(const Part& part) override {
        story += "<" + part.name + (part.filename ? "|" + *part.filename : "") + ">";
        return ok;
    }
    Result<> data(ByteView bytes) override {
        EXPECT_FALSE(bytes.empty());
        story += text_of(bytes);
        return ok;
    }
    Result<> end() override {
        story += "</>";
        return ok;
    }
};

const std::string form =
    "preamble\r\n--B-1\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nT\r\n"
    "--B-1 \t\r\ncontent-disposition: form-data; name=empty\r\n\r\n\r\n"
    "--B-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"q\\\" C:\\x.zip\"\r\nContent-Type: "
    "application/zip\r\n\r\n"
    "\r\n--B-\r\r\n--B\r\n\r\n--B-2\r\n--\r\n--B-1--\r\nepilogue\r\n--B-1\r\n";
const std::string form_story = "<token>T</><empty></><file|a \"q\" C:\\x.zip>\r\n--B-\r\r\n--B\r\n\r\n--B-2\r\n--</>";

}  // namespace

TEST(Head, ReadsWhatBrowsersAndCurlSend) {
    const Head head = head_of(
        "\r\nGET /oj/a%20b/%E4%B8%AD?x=1&y=%2B HTTP/1.1\r\nHost: h\r\nX: \t two words \r\nConnection: TE, "
        "Close\r\n\r\nrest");
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.path, "/oj/a b/中");
    EXPECT_EQ(head.query, "x=1&y=%2B");
    EXPECT_EQ(head.headers.at(1), (Header{"X", "two words"}));
    EXPECT_FALSE(head.keep_alive);
    EXPECT_FALSE(head.has_body());

    const Head upload = head_of(request_with("Content-Length: 12\r\nExpect: 100-Continue\r\n"));
    EXPECT_EQ(upload.content_length, 12);
    EXPECT_TRUE(upload.expects_continue);
    EXPECT_TRUE(upload.keep_alive);
    EXPECT_TRUE(head_of(request_with("Transfer-Encoding: Chunked\r\n")).chunked);
    EXPECT_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
}

// What a client sends that takes the server for a proxy: the address counts, whatever Host says (RFC 9112, 3.2.2).
TEST(Head, TakesAWholeAddressAsItsTarget) {
    const struct {
        std::string target, path, query, host;
    } cases[] = {{"http://here:8080/a%20b?x=1", "/a b", "x=1", "here:8080"},
                 {"HTTPS://here/", "/", "", "here"},
                 {"http://[::1]:80", "/", "", "[::1]:80"},
                 {"http://here?x=/y", "/", "x=/y", "here"},
                 {"http://here//x", "//x", "", "here"},
                 {"/http://there/", "/http://there/", "", "h"}};
    for (const auto& c : cases) {
        const Head head = head_of(request_with("", "GET " + c.target + " HTTP/1.1"));
        EXPECT_EQ(head.path, c.path) << c.target;
        EXPECT_EQ(head.query, c.query) << c.target;
        EXPECT_EQ(head.headers.at(0), (Header{"Host", c.host})) << c.target;
    }
    EXPECT_EQ(head_of("GET http://h/x HTTP/1.0\r\n\r\n").path, "/x");
}

// Each of these two programs could read differently, or no client sends by accident.
TEST(Head, RefusesWhatIsAmbiguous) {
    struct Case {
        int status;
        std::string bytes;
    };
    const std::vector<Case> cases{
        {400, request_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
        {400, request_with("Content-Length: 5\r\nContent-Length: 6\r\n")},
        {400, request_with("Content-Length: 5, 6\r\n")},
        {400, request_with("Content-Length: +5\r\n")},
        {400, request_with("Content-Length: 5 5\r\n")},
        {400, request_with("Content-Length:\r\n")},
        {413, request_with("Content-Length: 99999999999999999999\r\n")},
        {501, request_with("Transfer-Encoding: gzip, chunked\r\n")},
        {501, request_with("Transfer-Encoding: xchunked\r\n")},
        {400, request_with("Transfer-Encoding: chunked, chunked\r\n")},
        {400, request_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, request_with("A: b\r\n c\r\n")},
        {400, request_with("Content-Length : 5\r\n")},
        {400, request_with("A\r\n")},
        {400, request_with(": x\r\n")},
        {400, request_with("A: b\rc\r\n")},
        {400, request_with("A: b\n")},
        {400, request_with(std::string_view{"A: b\0c\r\n", 8})},
        {400, request_with("A: \x01\r\n")},
        {400, request_with("Host: other\r\n")},
        {400, "GET / HTTP/1.1\r\n\r\n"},
        {417, request_with("Expect: more\r\n")},
        {505, request_with("", "GET / HTTP/2.0")},
        {400, request_with("", "GET / HTTP/1.1 ")},
        {400, request_with("", "GET  / HTTP/1.1")},
        {400, request_with("", "GET /")},
        {400, request_with("", "G@T / HTTP/1.1")},
        {400, request_with("", "GET http:///x HTTP/1.1")},
        {400, request_with("", "GET http://u@h/x HTTP/1.1")},
        {400, request_with("", "GET ftp://h/x HTTP/1.1")},
        {400, request_with("", "GET http:/x HTTP/1.1")},
        {400, request_with("", "GET h:80 HTTP/1.1")},
        {400, "GET http://h/ HTTP/1.1\r\n\r\n"},
        {400, request_with("Host: h\r\n", "GET http://h/ HTTP/1.1")},
        {400, request_with("", "OPTIONS * HTTP/1.1")},
        {400, request_with("", "GET /%00 HTTP/1.1")},
        {400, request_with("", "GET /%0a HTTP/1.1")},
        {400, request_with("", "GET /%c0%af HTTP/1.1")},
        {400, request_with("", "GET /%4 HTTP/1.1")},
        {400, request_with("", "GET /?%ff HTTP/1.1")},
        {400, request_with("", "GET /\xE4 HTTP/1.1")},
        {400, "\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
        {400, "\x16\x03\x01"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(status_of_head(c.bytes), c.status) << escaped(c.bytes);
        EXPECT_EQ(status_of_head(c.bytes, c.bytes.size()), c.status) << escaped(c.bytes);
    }
}

TEST(Head, IsBounded) {
    EXPECT_EQ(status_of_head(request_with("", "GET /" + std::string(10'000, 'a') + " HTTP/1.1"), 100), 414);
    EXPECT_EQ(status_of_head(std::string(10'000, 'a'), 100), 414);
    EXPECT_EQ(status_of_head(request_with("A: " + std::string(header_max, 'a') + "\r\n"), 100), 431);
    std::string many;
    for (std::size_t i = 0; i < header_fields_max; ++i) many += "A: b\r\n";  // and Host
    EXPECT_EQ(status_of_head(request_with(many), 100), 431);
    EXPECT_EQ(status_of_head(request_with(std::string_view{many}.substr(6)), 100), 0);
}

TEST(Chunked, GivesTheSameBodyHoweverItIsCut) {
    const std::string sent =
        "4\r\nWiki\r\n00006;name=\"v\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\nNEXT";
    for (std::size_t step = 1; step <= sent.size(); ++step) {
        Chunked chunks;
        std::string body;
        std::string rest;
        for (std::size_t at = 0; at < sent.size(); at += step) {
            ByteView input = bytes_of(std::string_view{sent}.substr(at, step));
            while (!chunks.finished() && !input.empty()) body += text_of(chunks.next(input).value());
            rest += text_of(input);
        }
        EXPECT_EQ(body, "Wikipedia in \r\n\r\nchunks.") << step;
        EXPECT_EQ(rest, "NEXT") << step;
    }
}

TEST(Chunked, RefusesBrokenFraming) {
    for (const std::string& bad :
         {std::string{"\r\n"}, std::string{"g\r\n"}, std::string{"-1\r\n"}, std::string{" 1\r\n"},
          std::string{"1 \r\n"}, std::string{"1\nx"}, std::string{"1\r\nxy"}, std::string{"1\r\nx\ry"},
          std::string{"1\r\nx\n"}, std::string{"fffffffffffffffff\r\n"}, std::string{"0x1\r\n"}, std::string{"1;\n"},
          "1;" + std::string(1000, 'x'), "0\r\n" + std::string(10'000, 't'), std::string{"0\r\n folded\r\n"},
          std::string{"0\r\nA: b\n"}}) {
        Chunked chunks;
        ByteView input = bytes_of(bad);
        Result<ByteView> run = ByteView{};
        while (run && !input.empty() && !chunks.finished()) run = chunks.next(input);
        EXPECT_FALSE(run) << escaped(bad);
    }
}

TEST(Multipart, GivesTheSameEventsHoweverItIsCut) {
    for (std::size_t first = 0; first <= form.size(); ++first) {
        for (const std::size_t second : {first, first + 1, first + 3, first + 40}) {
            Events events;
            Multipart parser{"B-1"};
            const std::string_view text = form;
            const std::size_t middle = std::min(second, text.size());
            for (const std::string_view piece :
                 {text.substr(0, first), text.substr(first, middle - first), text.substr(middle)}) {
                ASSERT_TRUE(parser.feed(bytes_of(piece), events)) << first;
            }
            ASSERT_TRUE(parser.finished());
            ASSERT_EQ(events.story, form_story) << first << " " << second;
        }
    }
    Events events;
    Multipart parser{"B-1"};
    for (const char& c : form) ASSERT_TRUE(parser.feed(bytes_of({&c, 1}), events));
    EXPECT_EQ(events.story, form_story);
}

TEST(Multipart, RefusesBrokenForms) {
    const auto part = [](std::string_view header) { return "--B\r\n" + std::string{header} + "\r\n\r\nx\r\n--B--"; };
    const std::vector<std::string> cases{
        "--B\r\n\r\nx",
        "--Bx",
        "--B-x",
        "--B\rx",
        "--B" + std::string(100, ' '),
        part("X: y"),
        part("Content-Disposition: form-data"),
        part("Content-Disposition: attachment; name=x"),
        part("Content-Disposition: form-data; name=\"x"),
        part("Content-Disposition: form-data; name=\"\xff\""),
        part("Content-Disposition: form-data; name=a; name=b"),
        part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b"),
        part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64"),
        part("A: b\r\n folded"),
        "--B\r\n" + std::string(10'000, 'a')};
    for (const std::string& bad : cases) {
        Events events;
        Multipart parser{"B"};
        EXPECT_FALSE(parser.feed(bytes_of(bad), events)) << escaped(bad);
    }
    std::string many;
    for (std::size_t i = 0; i <= Multipart::parts_max; ++i)
        many += "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    Events events;
    Multipart parser{"B"};
    EXPECT_FALSE(parser.feed(bytes_of(many), events));
}

TEST(Multipart, TakesTheBoundaryFromTheContentType) {
    for (const std::string_view good :
         {"multipart/form-data; boundary=B", "Multipart/Form-Data ;charset=utf-8; BOUNDARY=\"B\";"}) {
        Result<Multipart> parser = Multipart::from_content_type(good);
        ASSERT_TRUE(parser) << good;
        Events events;
        EXPECT_TRUE(parser->feed(bytes_of("--B--"), events));
        EXPECT_TRUE(parser->finished());
    }
    const std::string long_one = "multipart/form-data; boundary=" + std::string(71, 'b');
    for (const std::string_view bad :
         {std::string_view{}, std::string_view{"text/plain; boundary=B"}, std::string_view{"multipart/form-data"},
          std::string_view{"multipart/form-data; boundary="}, std::string_view{"multipart/form-data; boundary=\"B"},
          std::string_view{"multipart/form-data; boundary=\"B \""},
          std::string_view{"multipart/form-data; boundary=\"a\rb\""}, std::string_view{long_one}}) {
        EXPECT_FALSE(Multipart::from_content_type(bad)) << bad;
    }
}

// Mutated and random input in random pieces: an error or not, never a crash, and never more bytes out than in.
TEST(Parsers, SurviveGarbage) {
    std::mt19937 random{20240901};  // NOLINT: repeatable on purpose
    const auto stop = std::chrono::steady_clock::now() + std::chrono::milliseconds{1500};
    const std::vector<std::string> seeds{form, request_with("Content-Length: 5\r\n"), "4\r\nWiki\r\n0\r\n\r\n",
                                         "GET /%20?a=b HTTP/1.1\r\nHost: h\r\n\r\n"};
    int rounds = 0;
    for (; std::chrono::steady_clock::now() < stop; ++rounds) {
        std::string text = seeds[random() % seeds.size()];
        for (std::size_t i = random() % 8; i > 0; --i) {
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
                case 0: text[at] = static_cast<char>(random()); break;
                case 1: text.erase(at, random() % 5); break;
                case 2: text.insert(at, text.substr(random() % text.size(), random() % 40)); break;
                default: text.insert(at, 1, "\r\n-:;\"%0"[random() % 8]); break;
            }
            if (text.empty()) text = "x";
        }
        Events events;
        Multipart parser{"B-1"};
        Chunked chunks;
        HeadScan scan{header_max};
        std::size_t body = 0;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 30, text.size() - at);
            const std::string_view piece = std::string_view{text}.substr(at, size);
            at += size;
            if (!parser.feed(bytes_of(piece), events)) break;
        }
        ByteView input = bytes_of(text);
        while (!input.empty() && !chunks.finished()) {
            const Result<ByteView> run = chunks.next(input);
            if (!run) break;
            body += run->size();
        }
        (void)status_of_head(text, 1 + random() % 50);
        ASSERT_LE(body, text.size());
        ASSERT_LE(events.story.size(), 2 * text.size() + 64);
    }
    EXPECT_GT(rounds, 100);
}

TEST(Request, KnowsItsHeadersParametersAndTaste) {
    Request request;
    request.headers = {{"X-Key", "1"}, {"x-key", "2"}};
    request.query = "a=1&b+c=%E4%B8%AD+x&a=2&flag&bad=%zz";
    EXPECT_EQ(request.header("x-KEY"), "1");
    EXPECT_EQ(request.header("none"), "");
    EXPECT_EQ(request.parameter("a"), "1");
    EXPECT_EQ(request.parameter("b c"), "中 x");
    EXPECT_EQ(request.parameter("flag"), "");
    EXPECT_EQ(request.parameter("bad"), std::nullopt);
    EXPECT_EQ(request.parameter("none"), std::nullopt);

    struct Case {
        std::string_view accept, type;
        bool expected;
    };
    for (const Case& c :
         {Case{"application/json", "application/json", true}, Case{"*/*", "application/json", false},
          Case{"", "text/html", false},
          Case{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html", true},
          Case{"text/html,application/json;q=0.5", "application/json", false},
          Case{"application/json;q=0", "application/json", false},
          Case{"Application/JSON; q=0.1, */*", "application/json", true}, Case{"text/html;q=x", "text/html", false}}) {
        request.headers = {{"Accept", std::string{c.accept}}};
        EXPECT_EQ(request.accepts(c.type), c.expected) << c.accept;
    }
}

TEST(Router, FindsTheMostLiteralPattern) {
    const auto handler = [](Request, Reader&) -> loop::Task<Response> { co_return Response{}; };
    Router router;
    router.add("GET", "/oj/{course}/{module}", handler);
    router.add("POST", "/oj/{c}/{m}", handler);
    router.add("GET", "/oj/list/{module}", handler);
    router.add("GET", "/", handler);
    router.add("POST", "/upload", handler);
    router.add("*", "/upload", handler);

    EXPECT_EQ(router.find("GET", "/oj/a/b").captures, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(router.find("POST", "/oj/a/b").captures, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(router.find("GET", "/oj/list/b").pattern, "/oj/list/{module}");
    EXPECT_NE(router.find("HEAD", "/").handler, nullptr);
    EXPECT_NE(router.find("BREW", "/upload").handler, nullptr);
    const Router::Match other = router.find("PUT", "/oj/a/b");
    EXPECT_EQ(other.handler, nullptr);
    EXPECT_EQ(other.allow, "GET, HEAD, POST");
    for (const std::string_view nowhere : {"/oj/a", "/oj//b", "/oj/a/b/", "/none", "//"}) {
        EXPECT_EQ(router.find("GET", nowhere).handler, nullptr) << nowhere;
        EXPECT_EQ(router.find("GET", nowhere).allow, "") << nowhere;
    }
}

// What no route sees or has is answered by whoever keeps the nearest folder, so that one check holds for every address.
TEST(Router, AsksTheNearestKeeper) {
    Router router;
    const auto says = [](std::string word) -> Router::Reply { return [word](const Request&) { return Response::text(400, word); }; };
    router.keep("", {.secret = says("secret"), .unknown = says("unknown")});
    router.keep("/api/v1", {.secret = says("secret of api"), .unknown = says("unknown to api")});
    router.keep("/upload", {.secret = says("secret of upload"), .unknown = {}});
    router.add("GET", "/api/v1/x", [](Request, Reader&) -> loop::Task<Response> { co_return Response::text(200, "x"); });
    const struct {
        const char *method, *target, *said;
    } cases[] = {{"GET", "/api/v1/x", "x"},
                 {"GET", "/api/v1/x?tokens=1", "x"},
                 {"GET", "/api/v1/x?token=1", "secret of api"},
                 {"GET", "/api/v1/x?a=b&k%65y", "secret of api"},
                 {"POST", "/api/v1/x?token=1", "secret of api"},
                 {"GET", "/api/v1?token=1", "secret of api"},
                 {"GET", "/api/v1x?token=1", "secret"},
                 {"GET", "/api/v1/y", "unknown to api"},
                 {"GET", "/api/v1/", "unknown to api"},
                 {"GET", "/upload/x", "unknown"},
                 {"GET", "/upload?key=", "secret of upload"}};
    for (const auto& c : cases) EXPECT_EQ(testing::ask(router, c.method, c.target).body, c.said) << c.target;
    EXPECT_EQ(testing::ask(router, "POST", "/api/v1/x").status, 405);
    EXPECT_EQ(testing::ask(Router{}, "GET", "/x?token=1").status, 404);
}

TEST(Wire, WritesOneSoundHead) {
    Response response = Response::text(413, "no\n")
                            .with("X-A", "b")
                            .with("Connection", "keep-alive")
                            .with("X-Evil", "a\r\nSet-Cookie: x")
                            .with("Bad Name", "x");
    EXPECT_EQ(response_head(response, "0123456789abcdef", true, sys::wall_from_ms(784111777000)),
              "HTTP/1.1 413 Content Too Large\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; "
              "charset=utf-8\r\nX-A: b\r\n"
              "Content-Length: 3\r\nAssay-Server: " ASSAY_VERSION
              "\r\nX-Request-Id: 0123456789abcdef\r\nConnection: close\r\n\r\n");
}

TEST(Problem, IsJsonWhateverTheTextHolds) {
    EXPECT_EQ(problem(404, "missing", "no \"a\\b\"\n\xff", "look").body,
              "{\"type\":\"urn:assay:problem:missing\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no "
              "\\\"a\\\\b\\\"\\u000a\xEF\xBF\xBD\",\"code\":\"missing\","
              "\"next\":\"look\"}\n");
    EXPECT_EQ(problem_of(Error{Fault::busy, "full"}).status, 503);
}

TEST(Percent, GoesBothWays) {
    EXPECT_EQ(percent_encoded("a b/中~"), "a%20b%2F%E4%B8%AD~");
    EXPECT_EQ(percent_decoded("a%20b%2F%E4%B8%AD~+", false), "a b/中~+");
    EXPECT_EQ(percent_decoded("+", true), " ");
    for (const std::string_view bad : {"%", "%1", "%g0", "a%"}) EXPECT_EQ(percent_decoded(bad, false), std::nullopt);
}

TEST(Address, IsReadStrictly) {
    EXPECT_EQ(parse_address("127.0.0.1:8080")->port, 8080);
    EXPECT_EQ(parse_address("[::1]:0")->host, "::1");
    for (const std::string_view bad : {"", ":80", "host", "host:", "host:x", "host:65536", "::1:80", "[]:1", "h:-1"})
        EXPECT_FALSE(parse_address(bad)) << bad;
}

TEST(Shed, TakesTheSlowestOldEnoughThenTheLongestIdle) {
    constexpr std::int64_t s = 1'000'000'000;
    const sys::TimePoint now{std::chrono::seconds{100}};
    const std::vector<Sender> senders{{.body_began_ns = 90 * s, .body_bytes = 1000},   // 100 B/s
                                      {.body_began_ns = 98 * s, .body_bytes = 100},    // 50 B/s
                                      {.body_began_ns = 99 * s + 1, .body_bytes = 0},  // too young
                                      {.idle_since_ns = 10 * s},
                                      {}};
    EXPECT_EQ(whom_to_shed(senders, now), 1U);
    EXPECT_EQ(whom_to_shed(std::span{senders}.subspan(2), now), 1U);
    EXPECT_EQ(whom_to_shed(std::span{senders}.subspan(4), now), std::nullopt);
    EXPECT_EQ(whom_to_shed(std::span{senders}.subspan(2, 1), now), std::nullopt);
}

}  // namespace assay::http
