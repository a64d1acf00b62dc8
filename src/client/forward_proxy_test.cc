#include "client/forward_proxy.hh"

#include <map>

#include <gtest/gtest.h>

namespace assay::client {
namespace {

using enum wording::Language;

Url url_of(const char* text) { return parse_url(text, english).value(); }

Result<std::optional<ForwardProxy>> proxy_for(const char* url, const std::map<std::string, std::string>& set) {
    return forward_proxy_for(url_of(url), [&](const char* name) {
        const auto found = set.find(name);
        return found == set.end() ? std::nullopt : std::optional{found->second};
    }, english);
}

TEST(ForwardProxy, IsWhomTheFirstOfTheVariablesNames) {
    struct Row {
        const char* url;
        std::map<std::string, std::string> set;
        const char* name;  // "": straight there
    };
    const Row rows[] = {
        {"https://a.test", {}, ""},
        {"https://a.test", {{"https_proxy", "http://p:3128"}}, "https_proxy=http://p:3128"},
        {"https://a.test", {{"https_proxy", "p:3128"}}, "https_proxy=http://p:3128"},
        {"https://a.test", {{"HTTPS_PROXY", "http://p:3128/"}, {"all_proxy", "q:1"}}, "HTTPS_PROXY=http://p:3128"},
        {"https://a.test", {{"http_proxy", "p:3128"}}, ""},
        {"https://a.test", {{"ALL_PROXY", "p:3128"}}, "ALL_PROXY=http://p:3128"},
        {"http://a.test", {{"http_proxy", "p:3128"}}, "http_proxy=http://p:3128"},
        {"http://a.test", {{"HTTP_PROXY", "p:3128"}}, ""},  // A request's Proxy header, to a CGI.
        {"http://a.test", {{"https_proxy", "p:3128"}}, ""},
        {"https://a.test", {{"https_proxy", "p:3128"}, {"no_proxy", "b.test, a.test"}}, ""},
        {"https://a.test", {{"https_proxy", "p:3128"}, {"NO_PROXY", "*"}}, ""},
        {"https://a.test", {{"https_proxy", "p:3128"}, {"no_proxy", "b.test"}, {"NO_PROXY", "*"}}, "https_proxy=http://p:3128"},
        {"https://a.test", {{"https_proxy", "http://[::1]:3128"}}, "https_proxy=http://[::1]:3128"},
    };
    for (const Row& row : rows) {
        const auto found = proxy_for(row.url, row.set);
        ASSERT_TRUE(found) << found.error().text();
        EXPECT_EQ(*found ? (*found)->name : "", row.name) << row.url;
    }
}

TEST(ForwardProxy, KeepsAPasswordToItself) {
    const auto found = proxy_for("https://a.test", {{"https_proxy", "http://me%40home:se%3acret@p:3128"}}).value().value();
    EXPECT_EQ(found.name, "https_proxy=http://p:3128");
    EXPECT_EQ(found.host, "p");
    EXPECT_EQ(found.port, 3128);
    EXPECT_EQ(found.authorization, "Basic bWVAaG9tZTpzZTpjcmV0");  // me@home:se:cret
}

TEST(ForwardProxy, ThatIsNoneIsNamed) {
    for (const char* const wrong : {"socks5://u:geheim@p:1080", "https://geheim@p:443", "http://", "http://p:0", "http://p:x", "http://p q", "://p"}) {
        const auto found = proxy_for("https://a.test", {{"https_proxy", wrong}});
        ASSERT_FALSE(found) << wrong;
        EXPECT_EQ(found.error().fault(), Fault::invalid);
        EXPECT_TRUE(found.error().text().contains("https_proxy=")) << found.error().text();
        EXPECT_FALSE(found.error().text().contains("geheim")) << found.error().text();
    }
}

TEST(ForwardProxy, IsLeftOutForWhomNoProxyHas) {
    struct Row {
        const char* no_proxy;
        const char* url;
        bool straight;
    };
    const Row rows[] = {
        {"", "http://a.test", false},           {"a.test", "http://a.test", true},           {"A.Test", "http://a.TEST", true},
        {"test", "http://a.test", true},        {".test", "http://a.test", true},            {".a.test", "http://a.test", true},
        {"a.test", "http://b.a.test", true},    {"a.test", "http://ba.test", false},         {"b.a.test", "http://a.test", false},
        {"a.test:80", "http://a.test", true},   {"a.test:81", "http://a.test", false},       {"a.test:443", "https://a.test", true},
        {"x,,a.test", "http://a.test", true},   {"x a.test", "http://a.test", true},         {",", "http://a.test", false},
        {"127.0.0.1", "http://127.0.0.1", true}, {"::1", "http://[::1]", true},              {"[::1]", "http://[::1]", true},
        {"[::1]:80", "http://[::1]", true},     {"*", "http://a.test", true},                {"*.test", "http://a.test", false},
    };
    for (const Row& row : rows) EXPECT_EQ(goes_straight(row.no_proxy, url_of(row.url)), row.straight) << row.no_proxy << " for " << row.url;
}

}  // namespace
}  // namespace assay::client
