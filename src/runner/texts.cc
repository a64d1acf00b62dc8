#include "runner/texts.hh"

#include <fmt/format.h>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::runner {
namespace {

constexpr std::size_t cut_line_bytes = 64;  // room for the line that says what is missing
constexpr std::size_t kept_min = 2 * cut_line_bytes;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// How far a cut moves back so that it does not split a character; 0..3.
std::size_t cut_before(std::string_view bytes, std::size_t at) {
    for (std::size_t back = 0; back < 4 && back <= at; ++back) {
        if (at - back >= bytes.size() || !continues_character(bytes[at - back])) return at - back;
    }
    return at;
}

void shorten(std::string& text, std::size_t size_max) {
    if (size_max < kept_min) {
        text.clear();
    } else if (text.size() > size_max) {
        text = kept_text(text, size_max);
    }
}

void shorten_texts(model::Report& report, std::size_t size_max) {
    for (model::StageReport& stage : report.stages) {
        for (std::string* text : {&stage.output, &stage.errors, &stage.message, &stage.fault}) {
            shorten(*text, std::max(size_max * 4, kept_min));
        }
        for (model::TestReport& test : stage.tests) {
            for (std::string* text : {&test.input, &test.expected, &test.got, &test.errors, &test.message}) {
                shorten(*text, size_max);
            }
        }
    }
}

}  // namespace

std::string kept_text(std::string_view bytes, std::size_t size_max) {
    ASSAY_ASSERT(size_max >= kept_min);
    if (bytes.size() <= size_max) return replace_invalid_utf8(bytes);
    const std::size_t half = (size_max - cut_line_bytes) / 2;
    const std::string_view head = bytes.substr(0, cut_before(bytes, half));
    const std::string_view tail = bytes.substr(cut_before(bytes, bytes.size() - half));
    return replace_invalid_utf8(fmt::format("{}\n[... {} bytes left out ...]\n{}", head,
                                            bytes.size() - head.size() - tail.size(), tail));
}

std::string fitting_json(model::Report report, std::size_t size_max) {
    std::string json = model::to_json(report);
    for (std::size_t cut = model::test_output_kept_max / 2; json.size() > size_max && cut >= kept_min / 4; cut /= 2) {
        shorten_texts(report, cut);
        json = model::to_json(report);
    }
    if (json.size() <= size_max) return json;
    for (model::StageReport& stage : report.stages) {
        if (!stage.trusted || stage.tests.empty()) continue;
        stage.message += fmt::format("\n({} single results are left out: the report would be too large)", stage.tests.size());
        stage.tests.clear();
    }
    return model::to_json(report);
}

}  // namespace assay::runner
