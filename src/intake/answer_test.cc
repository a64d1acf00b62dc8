#include "intake/answer.hh"

#include <gtest/gtest.h>

namespace assay::intake {
namespace {

std::string said(const Refusal& refusal, std::string_view language) {
    http::Request request;
    request.headers.push_back({"accept-language", std::string{language}});
    return refused_answer(request, refusal).body;
}

// What an archive or a form has wrong is told in the language of who asks, as is the refusal itself.
TEST(RefusedAnswer, SpeaksOneLanguage) {
    const Refusal archive{
        .code = model::Refusal::unsafe,
        .archive = archive::Refused{.fault = model::ArchiveFault::twice, .arguments = {"a"}, .entry = "./a", .offset = 1024},
    };
    EXPECT_TRUE(said(archive, "en").ends_with(" ('a' is there twice, entry './a', at byte 1024)\n")) << said(archive, "en");
    EXPECT_TRUE(said(archive, "zh").ends_with("（“a”出现了两次，条目“./a”，位于第 1024 字节）\n")) << said(archive, "zh");

    const Refusal form{.code = model::Refusal::missing_field, .form = FormProblem{wording::FormFault::field_twice, "file"}};
    EXPECT_TRUE(said(form, "en").ends_with(" (the field 'file' is there twice)\n")) << said(form, "en");
    EXPECT_TRUE(said(form, "zh").ends_with("（字段“file”出现了两次）\n")) << said(form, "zh");

    EXPECT_EQ(said({.code = model::Refusal::too_large, .limit = 5, .sent = 6}, "zh"), "[FAIL ✗] File is too large! limit 5 bytes, sent 6 bytes\n");
}

}  // namespace
}  // namespace assay::intake
