// A request's head: found at the same place however it arrives, and read without doubt or not at all.
#include <string_view>

#include "base/assert.hh"
#include "http/head.hh"

namespace assay {
namespace {

constexpr std::size_t head_bytes_max = 16u << 10;

void check_parsed(const http::Head& head) {
    ASSAY_ASSERT(http::is_token(head.method));
    ASSAY_ASSERT(!(head.chunked && head.content_length));
    ASSAY_ASSERT(head.content_length.value_or(0) >= 0);
    ASSAY_ASSERT(head.path.starts_with('/') || head.path == "*");
    ASSAY_ASSERT(head.path.find('\0') == head.path.npos);
    ASSAY_ASSERT(head.headers.size() <= http::header_fields_max);
    for (const auto& [name, value] : head.headers) {
        ASSAY_ASSERT(http::is_token(name));
        ASSAY_ASSERT(value.find_first_of(std::string_view{"\r\n\0", 3}) == value.npos);
    }
}

}  // namespace

void fuzz(std::string_view input) {
    http::HeadScan whole{head_bytes_max};
    const auto found = whole.look(input);

    http::HeadScan growing{head_bytes_max};
    std::optional<std::size_t> end;
    bool refused = false;
    for (std::size_t size = 0; size <= input.size() && !end && !refused; ++size) {
        const auto step = growing.look(input.substr(0, size));
        refused = !step;
        if (step) end = *step;
    }
    ASSAY_ASSERT(refused == !found);
    if (!found) return;
    ASSAY_ASSERT(end == *found);
    if (!end) return;
    ASSAY_ASSERT(whole.begin() == growing.begin());
    ASSAY_ASSERT(whole.begin() <= *end);
    ASSAY_ASSERT(*end <= input.size());

    if (const auto head = http::parse_head(input.substr(whole.begin(), *end - whole.begin()))) check_parsed(*head);
}

}  // namespace assay
