#include "web/answer.hh"

#include <gtest/gtest.h>

#include "testing/ask_router.hh"

namespace assay::web {
namespace {

using testing::header_of;

TEST(PageAnswer, CarriesTheHeadersThatKeepItToItself) {
    const auto response = page_answer({}, 200, "<p>");
    EXPECT_EQ(header_of(response, "Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    EXPECT_EQ(header_of(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(header_of(response, "X-Robots-Tag"), "noindex");
    EXPECT_EQ(header_of(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header_of(response, "Cache-Control"), "private, no-cache");
    EXPECT_EQ(header_of(response, "Content-Type"), "text/html; charset=utf-8");
    EXPECT_FALSE(header_of(response, "ETag").empty());
}

TEST(PageAnswer, SendsNothingTwice) {
    http::Request request;
    const std::string etag = header_of(page_answer(request, 200, "<p>same"), "ETag");
    request.headers = {{"If-None-Match", "\"other\", W/" + etag}};
    const auto again = page_answer(request, 200, "<p>same");
    EXPECT_EQ(again.status, 304);
    EXPECT_TRUE(again.content().empty());
    EXPECT_EQ(header_of(again, "ETag"), etag);
    EXPECT_EQ(header_of(again, "Cache-Control"), "private, no-cache");
    EXPECT_EQ(page_answer(request, 200, "<p>changed").status, 200);
    EXPECT_EQ(page_answer(request, 404, "<p>same").status, 404);
}

TEST(AssetAnswer, MayBeKeptForEverUnderItsOwnName) {
    const auto response = asset_answer({}, style());
    EXPECT_EQ(response.body, style().content);
    EXPECT_EQ(header_of(response, "Content-Type"), "text/css; charset=utf-8");
    EXPECT_EQ(header_of(response, "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(asset(style().name), &style());
    EXPECT_EQ(asset(icon().name), &icon());
    EXPECT_EQ(asset("style.css"), nullptr);
    EXPECT_EQ(asset("../assets.cc"), nullptr);
    EXPECT_EQ(style().content.find("url("), std::string_view::npos);
}

}  // namespace
}  // namespace assay::web
