// Form data: the same parts, or the same refusal, wherever the network cut the body. The first line of the input is the
// Content-Type, the rest the body.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "http/multipart.hh"

namespace assay {
namespace {

constexpr std::size_t every_split_bytes_max = 400;  // longer bodies are cut in fewer ways

// What was told, in order, with neighbouring runs of data joined.
class Transcript : public http::MultipartSink {
public:
    Result<> begin(const http::Part& part) override {
        ASSAY_ASSERT(!open_);
        ASSAY_ASSERT(!part.name.empty());
        ASSAY_ASSERT(valid_utf8(part.name) && valid_utf8(part.filename.value_or("")));
        open_ = true;
        text += "\x01" + part.name + "\x02" + part.filename.value_or("\x03") + "\x04";
        return ok;
    }
    Result<> data(ByteView bytes) override {
        ASSAY_ASSERT(open_);
        text += text_of(bytes);
        data_bytes += bytes.size();
        return ok;
    }
    Result<> end() override {
        ASSAY_ASSERT(open_);
        open_ = false;
        text += '\x05';
        return ok;
    }

    std::string text;
    std::size_t data_bytes = 0;

private:
    bool open_ = false;
};

std::string told(std::string_view type, std::string_view body, std::size_t first, std::size_t piece) {
    auto multipart = http::Multipart::from_content_type(type);
    if (!multipart) return "refused";
    Transcript transcript;
    std::string failure;
    for (std::size_t size = first; failure.empty(); size = piece) {
        const std::string_view part = body.substr(0, size);
        body.remove_prefix(part.size());
        if (auto fed = multipart->feed(bytes_of(part), transcript); !fed) failure = fed.error().text();
        if (body.empty()) break;
    }
    return transcript.text + "\x06" + failure + (multipart->finished() ? "\x07" : "");
}

}  // namespace

void fuzz(std::string_view input) {
    const std::size_t line_end = std::min(input.find('\n'), input.size());
    const std::string_view type = input.substr(0, line_end);
    const std::string_view body = input.substr(std::min(line_end + 1, input.size()));
    const std::string whole = told(type, body, body.size(), body.size());

    ASSAY_ASSERT(told(type, body, 1, 1) == whole);
    ASSAY_ASSERT(told(type, body, 3, 7) == whole);
    if (body.size() > every_split_bytes_max) return;
    for (std::size_t at = 1; at < body.size(); ++at) ASSAY_ASSERT(told(type, body, at, body.size()) == whole);
}

}  // namespace assay
