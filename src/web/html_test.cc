#include "web/html.hh"

#include <gtest/gtest.h>

namespace assay::web {
namespace {

TEST(Html, TextIsEscapedWhereverItStands) {
    const std::string hostile = "</p><script>alert('x')</script>&\"";
    EXPECT_EQ(el("p", {{"title", hostile}}, {hostile}).markup(),
              "<p title=\"&lt;/p&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\">"
              "&lt;/p&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;</p>");
}

TEST(Html, ElementsNestWithoutEscapingTwice) {
    EXPECT_EQ(el("ul", {}, {el("li", {}, {"a & b"}), el("li")}).markup(), "<ul><li>a &amp; b</li><li></li></ul>");
    EXPECT_EQ(el("input", {{"name", "file"}, {"required"}}).markup(), "<input name=\"file\" required>");
}

TEST(Html, HiddenCharactersAreMadeVisible) {
    EXPECT_EQ(el("b", {}, {"a\u202Eb\x1b"}).markup(), "<b>a⟨U+202E⟩b␛</b>");
}

// HTML drops a newline right after <pre>; what a program printed must not lose one.
TEST(Html, PreKeepsItsFirstNewline) { EXPECT_EQ(el("pre", {}, {"\nx"}).markup(), "<pre>\n\nx</pre>"); }

TEST(Address, EveryPartIsEncodedAndNothingLeavesTheServer) {
    EXPECT_EQ(Address{}.text(), "/");
    EXPECT_EQ((Address{} / "oj" / "a/b" / "../?#").text(), "/oj/a%2Fb/..%2F%3F%23");
    EXPECT_EQ((Address{} / "oj").with("lang", "zh&x").with("a", "1").at("s-1").text(), "/oj?lang=zh%26x&a=1#s-1");
    EXPECT_EQ(el("a", {{"href", Address{} / "javascript:alert(1)"}}, {"x"}).markup().find("\"javascript"), std::string::npos);
}

}  // namespace
}  // namespace assay::web
