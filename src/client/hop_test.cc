#include "client/hop.hh"

#include <gtest/gtest.h>

#include "client/proxy.hh"

namespace assay::client {
namespace {

constexpr auto english = wording::Language::english;
constexpr std::int64_t size = 2'200'000;

http::Answer answer(int status, std::vector<http::Header> headers, std::string body) {
    return {status, std::move(headers), std::move(body)};
}

std::string nginx_page(const std::string& title) {
    return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
           "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
}
std::string haproxy_page(const std::string& words) { return "<html><body><h1>N</h1>\n" + words + "\n</body></html>\n"; }
std::string apache_page(const std::string& words) {
    return "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
           "\"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n<title>N</title>\n</head><body>\n" +
           words;
}
const std::string lighttpd_page =
    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 "
    "Transitional//EN\"\n"
    "         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n";

// Days were lost to a 413 that the server had never sent.
TEST(Hop, IsNamedWithWhatItTookOffenceAt) {
    using enum Trouble;
    const http::Header nginx{"Server", "nginx/1.22.1"}, apache{"Server", "Apache/2.4.71 (Debian)"},
        lighttpd{"Server", "lighttpd/1.4.69"}, caddy{"Server", "Caddy"};
    const http::Header close{"Connection", "close"};
    const struct {
        http::Answer answer;
        std::string product;
        Trouble trouble;
    } cases[] = {
        {answer(413, {nginx}, nginx_page("413 Request Entity Too Large")), "nginx", too_large},
        {answer(502, {nginx}, nginx_page("502 Bad Gateway")), "nginx", no_server},
        {answer(504, {nginx}, nginx_page("504 Gateway Time-out")), "nginx", no_answer},
        {answer(400, {nginx}, nginx_page("400 Request Header Or Cookie Too Large")), "nginx", header_too_large},
        {answer(413, {}, nginx_page("413 Request Entity Too Large")), "ingress-nginx (Kubernetes)", too_large},
        {answer(413, {}, haproxy_page("The request entity exceeds the maximum allowed.")), "HAProxy", too_large},
        {answer(503, {}, haproxy_page("No server is available to handle this request.")), "HAProxy", no_server},
        {answer(504, {}, haproxy_page("The server didn't respond in time.")), "HAProxy", no_answer},
        {answer(408, {}, haproxy_page("Your browser didn't send a complete request in time.")), "HAProxy", too_slow},
        {answer(403, {}, haproxy_page("Request forbidden by administrative rules.")), "HAProxy", forbidden},
        {answer(413, {apache}, apache_page("exceeds the capacity limit")), "Apache httpd", too_large},
        {answer(503, {apache}, apache_page("maintenance downtime")), "Apache httpd", no_server},
        {answer(502, {apache}, apache_page("Error reading from remote server")), "Apache httpd", no_answer},
        {answer(400, {apache}, apache_page("Size of a request header field exceeds server limit.")), "Apache httpd",
         header_too_large},
        {answer(413, {lighttpd}, lighttpd_page), "lighttpd", too_large},
        {answer(431, {lighttpd}, lighttpd_page), "lighttpd", header_too_large},
        {answer(500, {lighttpd}, lighttpd_page), "lighttpd", no_server},
        // The same status and the same empty body: only where the close stands tells the two apart.
        {answer(502, {close, caddy}, ""), "Caddy", too_large},
        {answer(502, {caddy, close}, ""), "Caddy", no_server},
        {answer(504, {caddy, close}, ""), "Caddy", no_answer},
        {answer(200, {caddy, close}, ""), "Caddy", page},  // It knows no site of this name.
        {answer(413, {}, "Request Entity Too Large"), "Traefik", too_large},
        {answer(502, {}, "Bad Gateway"), "Traefik", no_server},
        {answer(413, {{"Server", "cloudflare"}}, "<center>cloudflare</center>"), "Cloudflare", too_large},
        {answer(524, {{"CF-RAY", "1"}}, ""), "Cloudflare", no_answer},
        {answer(413, {{"Server", "awselb/2.0"}}, ""), "AWS load balancer", too_large},
        {answer(413, {}, R"({"message":"Request Too Long"})"), "AWS API Gateway", too_large},
        {answer(404, {{"Server", "Microsoft-IIS/10.0"}}, "IIS Detailed Error - 404.13 - Not Found"), "Microsoft IIS",
         too_large},
        {answer(404, {{"Server", "Microsoft-IIS/10.0"}}, "no such page"), "Microsoft IIS", page},
        {answer(503, {{"server", "envoy"}},
                "upstream connect error or disconnect/reset before headers. reset reason: overflow"),
         "Envoy", no_server},
        // A chain: the outer one wrote its name over the page of the inner one, which is who refused.
        {answer(413, {nginx}, apache_page("exceeds the capacity limit")), "Apache httpd", too_large},
        {answer(413, {{"Server", "cloudflare"}}, nginx_page("413 Request Entity Too Large")), "nginx", too_large},
        // Nobody we know.
        {answer(413, {{"Server", "weird"}}, ""), "", too_large},
        {answer(511, {}, "<html>Sign in"), "", sign_in},
        {answer(302, {{"Location", "http://portal.example/login"}}, ""), "", moved},
        {answer(405, {}, ""), "", method},
        {answer(200, {}, "<html>Welcome to our hotel"), "", page},
    };
    for (const auto& c : cases) {
        const auto hop = hop_of(c.answer, size);
        ASSERT_TRUE(hop);
        EXPECT_EQ(hop->product, c.product) << c.answer.status << ' ' << c.answer.body;
        EXPECT_EQ(hop->trouble, c.trouble) << c.answer.status << ' ' << c.product << ' ' << c.answer.body;
        // The same page with the server's mark is the server's own.
        http::Answer own = c.answer;
        own.headers.emplace_back("assay-server", "0.1.0");
        EXPECT_FALSE(hop_of(own, size));
    }
}

TEST(Hop, IsToldOfInASentenceThatSaysWhatToChange) {
    const struct {
        http::Answer answer;
        std::vector<std::string> said;
    } cases[] = {
        {answer(413, {{"Server", "nginx"}}, nginx_page("")),
         {"nginx, in front", "2200000 bytes", "client_max_body_size 3m", "default 1m"}},
        {answer(413, {}, nginx_page("")), {"ingress-nginx", "proxy-body-size: 3m"}},
        {answer(413, {{"Server", "Apache/2.4.71 (Debian)"}}, ""), {"Apache", "LimitRequestBody 3145728"}},
        {answer(502, {{"Connection", "close"}, {"Server", "Caddy"}}, ""),
         {"Caddy", "request_body { max_size 3MiB }", "too large"}},
        {answer(413, {}, haproxy_page("The request entity exceeds the maximum allowed.")), {"HAProxy", "gt 3145728 }"}},
        {answer(413, {{"Server", "lighttpd"}}, ""), {"lighttpd", "server.max-request-size = 3072"}},
        {answer(413, {{"Server", "cloudflare"}}, ""), {"Cloudflare", "plan"}},
        {answer(413, {{"Via", "1.1 box\x1b[2J"}}, ""), {"box\\x1b[2J", "3 MiB at least"}},
        {answer(413, {}, ""), {"Something between you and the server", "3 MiB at least"}},
        {answer(504, {{"Server", "nginx"}}, ""), {"nginx, in front", "504", "same key", "proxy_read_timeout"}},
        {answer(301, {{"Location", "https://host/"}}, ""), {"leads to https://host/"}},
        {answer(200, {{"Server", "nginx"}}, "welcome"), {"no answer of an assay server"}},
    };
    for (const auto& c : cases) {
        const auto said = proxy_refusal(c.answer, size, english);
        ASSERT_TRUE(said);
        for (const std::string& part : c.said)
            EXPECT_NE(said->find(part), std::string::npos) << part << " in: " << *said;
    }
}

}  // namespace
}  // namespace assay::client
