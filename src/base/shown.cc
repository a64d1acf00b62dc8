#include "base/shown.hh"

#include <fmt/format.h>

#include "base/text.hh"

namespace assay {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }

void append_picture(std::string& out, unsigned char control) {
    out += '\xE2';  // U+2400 + control; DEL is U+2421
    out += '\x90';
    out += static_cast<char>(0x80 + (control == 0x7F ? 0x21 : control));
}

}  // namespace

std::string shown(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x80) {
            ++at;
            if (byte == '\r' && at < text.size() && text[at] == '\n') continue;
            if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
                append_picture(out, byte);
            } else {
                out += static_cast<char>(byte);
            }
            continue;
        }
        const std::size_t begin = at;
        const auto point = next_code_point(text, at);
        if (!point || *point < 0xA0) {
            out += replacement;
            if (at == begin) ++at;
        } else if (bidi_or_invisible(*point)) {
            out += fmt::format("⟨U+{:04X}⟩", static_cast<std::uint32_t>(*point));
        } else {
            out += text.substr(begin, at - begin);
        }
    }
    return out;
}

Ends ends_of(std::string_view text, std::size_t size_max) {
    if (text.size() <= size_max) return {.head = text, .tail = {}};
    std::size_t head = size_max / 2;
    std::size_t tail = text.size() - size_max / 2;
    while (head > 0 && continues(text[head])) --head;
    while (tail < text.size() && continues(text[tail])) ++tail;
    return {.head = text.substr(0, head), .tail = text.substr(tail), .left_out_bytes = tail - head};
}

}  // namespace assay
